//! Toast notifications.

use leptos::prelude::*;

use super::{clock::later, dynamic::dyn_view};

/// Milliseconds on screen.
const SHOWN_MS: u64 = 8000;

/// Shows toasts. Provided by the layout, so a toast outlives its page.
#[derive(Clone, Copy)]
pub struct Toaster(RwSignal<Option<String>>);

impl Toaster {
    /// An empty toaster, provided as a context.
    pub fn provide() -> Self {
        let toaster = Self(RwSignal::new(None));
        provide_context(toaster);
        toaster
    }

    /// The layout's toaster.
    pub fn expect() -> Self {
        use_context().unwrap_or_else(Self::provide)
    }

    /// Shows a toast and replaces the previous one.
    pub fn show(&self, text: String) {
        let Self(toast) = *self;
        // The page may be gone when a response arrives.
        if toast.try_set(Some(text.clone())).is_some() {
            return;
        }
        later(SHOWN_MS, move || {
            if toast.try_get_untracked().flatten().as_ref() == Some(&text) {
                toast.set(None);
            }
        });
    }
}

/// The toast region at the foot of the page.
#[component]
pub fn Toast(
    /// Toaster to show.
    toaster: Toaster,
) -> impl IntoView {
    let Toaster(text) = toaster;
    view! {
        <div class="toast" role="status">
            {dyn_view(move || text.get().map(|text| view! { <p>{text}</p> }).into_any())}
        </div>
    }
}
