//! What a page shows, kept fresh: asked for again while the page is visible, and put in place of what was there without
//! taking a row down.

use leptos::{prelude::*, task::spawn_local};
use session::Role;

use crate::components::failure::SignInAgain;
use crate::{
    api::AppError,
    ui::{
        banner::{Banner, Tone},
        dynamic::dyn_view,
        focus,
        icon::Glyph,
        repeat::while_visible,
    },
};

/// The newest that is known. Copy it freely: it is a handle.
pub struct PolledList<T: Send + Sync + 'static> {
    /// It.
    pub data: RwSignal<T>,
    /// Why it is not being kept, at the moment or for good.
    pub trouble: RwSignal<Option<AppError>>,
    /// How often something was changed from here: what was asked before a change does not know of it.
    changes: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Clone for PolledList<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for PolledList<T> {}

impl<T: PartialEq + Send + Sync + 'static> PolledList<T> {
    /// Starts with what the page came with; `ask` is a server function.
    pub fn start<F>(first: T, ask: fn() -> F) -> Self
    where
        F: Future<Output = Result<T, AppError>> + 'static,
    {
        let kept = Self {
            data: RwSignal::new(first),
            trouble: RwSignal::new(None),
            changes: StoredValue::new(0),
        };
        while_visible(Callback::new(move |()| {
            if kept.is_over() {
                return;
            }
            let changes = kept.changes.get_value();
            spawn_local(async move {
                let answer = ask().await;
                if kept.changes.try_get_value() == Some(changes) {
                    kept.take(answer);
                }
            });
        }));
        kept
    }

    /// Something was changed from here, and this is how it is now.
    pub fn change(&self, change: impl FnOnce(&mut T)) {
        self.changes.update_value(|count| *count += 1);
        self.data.update(change);
    }

    fn take(&self, answer: Result<T, AppError>) {
        let trouble = match answer {
            Ok(fresh) => {
                if *self.data.read_untracked() != fresh {
                    focus::keep();
                    self.data.set(fresh);
                }
                None
            }
            Err(error) => Some(error),
        };
        if *self.trouble.read_untracked() != trouble {
            self.trouble.set(trouble);
        }
    }

    /// A login that has ended, or a role that was taken away, does not come back by asking. Nor does a page that is gone.
    fn is_over(&self) -> bool {
        let over = |trouble: &Option<AppError>| {
            let trouble = trouble.as_ref();
            trouble.is_some_and(|error| error.is_signed_out() || error.is_forbidden())
        };
        self.trouble.try_with_untracked(over).unwrap_or(true)
    }
}

/// The row of a table that began as `first`; as it was last while the list no longer has it.
pub fn row<T, R>(kept: PolledList<T>, first: R, find: impl Fn(&T, &R) -> Option<R> + Send + Sync + 'static) -> Memo<R>
where
    T: Send + Sync + 'static,
    R: Clone + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |before: Option<&R>| {
        let before = before.unwrap_or(&first);
        find(&kept.data.read(), before).unwrap_or_else(|| before.clone())
    })
}

/// Says what is wrong, while something is.
#[component]
pub fn TroubleBanner(
    /// See [`PolledList::trouble`].
    trouble: RwSignal<Option<AppError>>,
    /// The role that the page needs.
    needed: Role,
) -> impl IntoView {
    dyn_view(move || match trouble.get() {
        None => ().into_any(),
        Some(error) if error.is_signed_out() => view! {
            <Banner tone=Tone::Danger>
                <strong>"Your login has ended. "</strong>
                "What you see is no longer updated. "
                <SignInAgain />
            </Banner>
        }
        .into_any(),
        Some(error) if error.is_forbidden() => view! {
            <Banner tone=Tone::Danger>
                <strong>"Your role has changed. "</strong>
                {format!("This page needs the role {needed}. What you see is no longer updated.")}
            </Banner>
        }
        .into_any(),
        Some(_) => view! {
            <Banner tone=Tone::Danger glyph=Glyph::Offline>
                <strong>"The server can’t be reached. "</strong>
                "What you see may be old; it is tried again by itself."
            </Banner>
        }
        .into_any(),
    })
}
