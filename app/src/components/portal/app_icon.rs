//! The icon of an application.

use leptos::prelude::*;
use session::catalogue::appearance::{DEFAULT_ICON, PICTURES_PATH};

/// Length of the name of an uploaded picture.
const HASH_CHARS: usize = 64;

/// The icon of an application: an uploaded picture, or one that the server has. The name beside it
/// carries the meaning.
pub fn app_icon(icon: Option<&str>) -> AnyView {
    let icon = icon.unwrap_or(DEFAULT_ICON);
    if icon.len() == HASH_CHARS {
        let address = format!("{PICTURES_PATH}{icon}");
        return view! { <img class="app-icon" src=address alt="" width="40" height="40" loading="lazy" decoding="async" /> }
            .into_any();
    }
    let symbol = format!("/icons/kept.svg#{icon}");
    view! {
        <svg class="app-icon" width="40" height="40" aria-hidden="true" focusable="false">
            <use href=symbol />
        </svg>
    }
    .into_any()
}
