//! "My apps": the applications that a person can launch, and their live sessions.

use crate::ui::dynamic::{DynShow, dyn_view, keyed};
use leptos::prelude::*;
use leptos_meta::Title;
use session::{
    HomeKind, Role,
    api::{MyApplication, SessionView},
};

use crate::{
    api::applications::my_applications,
    components::{
        failure::Failure,
        polled_list::{PolledList, TroubleBanner},
        portal::application_card::{ApplicationCard, EndDialog},
    },
    ui::{
        empty::{EmptyState, Skeleton},
        loaded::load,
        toast::{Toast, Toaster},
    },
};

/// The My apps page.
#[component]
pub fn MyApps() -> impl IntoView {
    let first = load(|| (), |()| my_applications());
    let toaster = Toaster::provide();
    view! {
        <Title text="My apps" />
        <main class="page" id="content" tabindex="-1">
            <h1>"My apps"</h1>
            <Transition fallback=|| view! { <Skeleton what="your applications" /> }>
                {dyn_view(move || first.get().map(|answer| match answer {
                    Ok(applications) => view! { <Applications applications /> }.into_any(),
                    Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
                }).into_any())}
            </Transition>
        </main>
        <Toast toaster />
    }
}

/// The cards. A launch in another tab appears within seconds, even without a return to this tab.
#[component]
fn Applications(applications: Vec<MyApplication>) -> impl IntoView {
    let list = PolledList::start(applications, my_applications);
    let ending = RwSignal::new(None::<SessionView>);
    let keys = Signal::derive(move || list.data.read().iter().map(|app| app.id.number()).collect());
    let keeps_files = move || list.data.read().iter().any(|app| app.home == Some(HomeKind::Kept));
    let card = move |key| {
        let application = Memo::new(move |_| list.data.read().iter().find(|app| app.id.number() == key).cloned());
        view! {
            <li>
                <ApplicationCard application list ending />
            </li>
        }
        .into_any()
    };
    view! {
        <div class="banners">
            <TroubleBanner trouble=list.trouble needed=Role::User />
        </div>
        <DynShow is=move || list.data.read().is_empty()>
            <EmptyState title="No apps yet">
                <p>"You will see applications here as soon as an administrator makes one available to you."</p>
            </EmptyState>
        </DynShow>
        <ul class="cards">
            {keyed(keys, card)}
        </ul>
        <DynShow is=keeps_files>
            <p class="lead">
                "Files that you save in your home folder stay after a session. "
                <a href="/files" rel="external">
                    "Files"
                </a>
            </p>
        </DynShow>
        <EndDialog ending list />
    }
}
