//! What a person may launch, and what of it is running.

use crate::ui::dynamic::{DynShow, dyn_view, keyed};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use session::{
    refusal::LaunchRefusal,
    wire::{MyApplication, SessionView},
};

use crate::{
    api::applications::my_applications,
    components::{
        failure::{Failure, SignInAgain},
        portal::application_card::{ApplicationCard, EndDialog},
    },
    ui::{
        address::parameter,
        banner::{Banner, Tone},
        empty::{EmptyState, Skeleton},
        loaded::load,
        repeat::while_visible,
    },
};

/// "My apps".
#[component]
pub fn MyApps() -> impl IntoView {
    let first = load(|| (), |()| my_applications());
    let search = use_location().search;
    let refused = move || {
        let token = parameter(&search.read(), "refused")?;
        Some(LaunchRefusal::from_token(&token).map_or("Try again.".into(), LaunchRefusal::sentence))
    };
    view! {
        <Title text="My apps" />
        <main class="page" id="content" tabindex="-1">
            <h1>"My apps"</h1>
            {dyn_view(move || refused().map(|why| view! {
                <Banner tone=Tone::Danger>
                    <strong>"The launch was refused. "</strong>
                    {why}
                </Banner>
            }).into_any())}
            <Transition fallback=|| view! { <Skeleton what="your applications" /> }>
                {dyn_view(move || first.get().map(|answer| match answer {
                    Ok(applications) => view! { <Applications applications /> }.into_any(),
                    Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
                }).into_any())}
            </Transition>
        </main>
    }
}

/// The cards; kept up to date while the page is visible.
#[component]
fn Applications(applications: Vec<MyApplication>) -> impl IntoView {
    let applications = RwSignal::new(applications);
    let signed_out = RwSignal::new(false);
    let ending = RwSignal::new(None::<SessionView>);
    let refetch = move || {
        if signed_out.try_get_untracked() != Some(false) {
            return;
        }
        spawn_local(async move {
            match my_applications().await {
                Ok(fresh) if applications.try_with_untracked(|old| *old != fresh) == Some(true) => {
                    applications.set(fresh)
                }
                Err(error) if error.is_signed_out() => _ = signed_out.try_set(true),
                // Not reached this time: what is shown is the last that was known.
                _ => {}
            }
        });
    };
    // A launch in another tab shows here soon, even if nobody comes back to this one.
    while_visible(Callback::new(move |()| refetch()));
    let keys = Signal::derive(move || applications.read().iter().map(|app| app.id.number()).collect());
    let card = move |key| {
        let application = Memo::new(move |_| applications.read().iter().find(|app| app.id.number() == key).cloned());
        view! {
            <li>
                <ApplicationCard application ending />
            </li>
        }
        .into_any()
    };
    view! {
        <DynShow is=move || signed_out.get()>
            <Banner tone=Tone::Danger>
                <strong>"Your login has ended. "</strong>
                <SignInAgain />
            </Banner>
        </DynShow>
        <DynShow is=move || applications.read().is_empty()>
            <EmptyState title="No apps yet">
                <p>"You will see applications here as soon as an administrator makes one available to you."</p>
            </EmptyState>
        </DynShow>
        <ul class="cards">
            {keyed(keys, card)}
        </ul>
        <EndDialog ending on_done=move |()| refetch() />
    }
}
