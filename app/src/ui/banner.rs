//! A message across the page: what is not as it should be, and what that means.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// How serious a banner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Something on the page is not what it seems.
    Warning,
    /// Something failed.
    Danger,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Info => "banner banner-info",
            Self::Warning => "banner banner-warning",
            Self::Danger => "banner banner-danger",
        }
    }

    /// What fails is said at once, the rest when the reader pauses.
    const fn role(self) -> &'static str {
        if matches!(self, Self::Danger) {
            "alert"
        } else {
            "status"
        }
    }
}

/// A banner. Its role makes screen readers say it when it appears.
#[component]
pub fn Banner(
    /// How serious it is.
    tone: Tone,
    /// For `aria-describedby` of what it explains.
    #[prop(optional)]
    id: Option<&'static str>,
    /// Instead of the icon of its tone.
    #[prop(optional)]
    glyph: Option<Glyph>,
    /// The message.
    children: Children,
) -> impl IntoView {
    let glyph = glyph.unwrap_or(if tone == Tone::Info {
        Glyph::Info
    } else {
        Glyph::Warning
    });
    view! {
        <div class=tone.class() role=tone.role() id=id>
            <Icon glyph />
            <div class="banner-text">{children()}</div>
        </div>
    }
}
