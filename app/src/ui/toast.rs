//! What was done, told in passing at the foot of the page.

use leptos::prelude::*;

use super::{clock::later, dynamic::dyn_view};

/// It stays on screen this long.
const SHOWN_MS: u64 = 8000;

/// Where to say it. Provided by the layout, so that it outlives the page that says it.
#[derive(Clone, Copy)]
pub struct Toaster(RwSignal<Option<String>>);

impl Toaster {
    /// Nothing said yet; provided as a context to what is inside.
    pub fn provide() -> Self {
        let told = Self(RwSignal::new(None));
        provide_context(told);
        told
    }

    /// That of the layout.
    pub fn expect() -> Self {
        use_context().unwrap_or_else(Self::provide)
    }

    /// Says it, in place of what was said before.
    pub fn say(&self, text: String) {
        let Self(told) = *self;
        told.set(Some(text.clone()));
        later(SHOWN_MS, move || {
            if told.try_get_untracked().flatten().as_ref() == Some(&text) {
                told.set(None);
            }
        });
    }
}

/// Shows it.
#[component]
pub fn Toast(
    /// What was said.
    told: Toaster,
) -> impl IntoView {
    let Toaster(text) = told;
    view! {
        <div class="toast" role="status">
            {dyn_view(move || text.get().map(|text| view! { <p>{text}</p> }).into_any())}
        </div>
    }
}
