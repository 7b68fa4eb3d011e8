//! Polls a list while the page is visible and updates its rows in place.

use leptos::{prelude::*, task::spawn_local};
use session::Role;

use super::failure::SignInAgain;
use crate::{
    api::AppError,
    ui::{
        banner::{Banner, Tone},
        dynamic::dyn_view,
        focus,
        icon::Glyph,
        repeat::while_visible,
        toast::Toaster,
    },
};

/// A list and the result of its last poll. A cheap handle; copy it freely.
pub struct PolledList<T: Send + Sync + 'static> {
    /// The list as last received.
    pub data: RwSignal<T>,
    /// Error of the last poll. Polling stops after a lost login or role.
    pub trouble: RwSignal<Option<AppError>>,
    /// Error of the last change.
    pub failed: RwSignal<Option<AppError>>,
    toaster: Toaster,
    /// Number of changes sent from this page. The answer to a poll that began before a change is
    /// stale.
    changes: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Clone for PolledList<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for PolledList<T> {}

impl<T: PartialEq + Send + Sync + 'static> PolledList<T> {
    /// Starts with the list that came with the page. `poll` calls a server function; it gets the
    /// list, which says what the page has already.
    pub fn start<F>(first: T, poll: impl Fn(RwSignal<T>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<T, AppError>> + 'static,
    {
        let list = Self {
            data: RwSignal::new(first),
            trouble: RwSignal::new(None),
            failed: RwSignal::new(None),
            toaster: Toaster::expect(),
            changes: StoredValue::new(0),
        };
        while_visible(Callback::new(move |()| {
            if list.is_over() {
                return;
            }
            let changes = list.changes.get_value();
            let asked = poll(list.data);
            spawn_local(async move {
                let answer = asked.await;
                if list.changes.try_get_value() == Some(changes) {
                    list.take(answer);
                }
            });
        }));
        list
    }

    /// Sends a change; sets `sending` until the response arrives. `done` merges the response into
    /// the list and returns the text of the toast.
    pub fn send<V: 'static>(
        self,
        sending: RwSignal<bool>,
        request: impl Future<Output = Result<V, AppError>> + 'static,
        done: impl FnOnce(&mut T, V) -> String + 'static,
    ) {
        spawn_local(async move {
            let answer = request.await;
            sending.try_set(false);
            match answer {
                Ok(now) => {
                    self.changes.try_update_value(|count| *count += 1);
                    if let Some(text) = self.data.try_update(|list| done(list, now)) {
                        self.toaster.show(text);
                    }
                    self.failed.try_set(None);
                }
                Err(error) => _ = self.failed.try_set(Some(error)),
            }
        });
    }

    fn take(&self, answer: Result<T, AppError>) {
        let trouble = match answer {
            Ok(fresh) => {
                if self.data.try_with_untracked(|data| *data != fresh) == Some(true) {
                    focus::keep();
                    self.data.set(fresh);
                }
                None
            }
            Err(error) => Some(error),
        };
        if self.trouble.try_with_untracked(|known| *known != trouble) == Some(true) {
            self.trouble.set(trouble);
        }
    }

    /// Whether polling must stop. A lost login, a lost role and a closed page are permanent.
    fn is_over(&self) -> bool {
        let over = |trouble: &Option<AppError>| {
            let trouble = trouble.as_ref();
            trouble.is_some_and(|error| error.is_signed_out() || error.is_forbidden())
        };
        self.trouble.try_with_untracked(over).unwrap_or(true)
    }
}

/// A row, starting as `first`. It keeps its last value after the list drops it.
pub fn row<T, R>(list: PolledList<T>, first: R, find: impl Fn(&T, &R) -> Option<R> + Send + Sync + 'static) -> Memo<R>
where
    T: Send + Sync + 'static,
    R: Clone + PartialEq + Send + Sync + 'static,
{
    Memo::new(move |before: Option<&R>| {
        let before = before.unwrap_or(&first);
        find(&list.data.read(), before).unwrap_or_else(|| before.clone())
    })
}

/// Shows the error of the last poll.
#[component]
pub fn TroubleBanner(
    /// See [`PolledList::trouble`].
    trouble: RwSignal<Option<AppError>>,
    /// Role required for the page.
    needed: Role,
) -> impl IntoView {
    dyn_view(move || match trouble.get() {
        None => ().into_any(),
        Some(error) if error.is_signed_out() => view! {
            <Banner tone=Tone::Danger>
                <strong>"Your login has ended. "</strong>
                "This page is no longer updated. "
                <SignInAgain />
            </Banner>
        }
        .into_any(),
        Some(error) if error.is_forbidden() => view! {
            <Banner tone=Tone::Danger>
                <strong>"Your role has changed. "</strong>
                {format!("This page needs the role {needed}. It is no longer updated.")}
            </Banner>
        }
        .into_any(),
        Some(_) => view! {
            <Banner tone=Tone::Danger glyph=Glyph::Offline>
                <strong>"Can’t reach the server. "</strong>
                "This page may be out of date. Reconnecting…"
            </Banner>
        }
        .into_any(),
    })
}
