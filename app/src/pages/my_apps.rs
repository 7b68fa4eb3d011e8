//! "My apps": the applications that a person can launch, and their live sessions.

use crate::ui::dynamic::{DynShow, dyn_view};
use leptos::prelude::*;
use leptos_meta::Title;
use session::{
    HomeKind, Role,
    api::{AppCard, MyApps as Apps, SessionView},
};

use crate::{
    api::{AppError, applications::my_applications},
    components::{
        failure::Failure,
        polled_list::{PolledList, TroubleBanner},
        portal::{
            app_search::{AppSearch, SearchBox},
            app_sections::AppSections,
            application_card::EndDialog,
        },
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
    let first = load(|| (), |()| my_applications(None));
    let toaster = Toaster::provide();
    view! {
        <Title text="My apps" />
        <main class="page" id="content" tabindex="-1">
            <h1>"My apps"</h1>
            <Transition fallback=|| view! { <Skeleton what="your applications" /> }>
                {dyn_view(move || first.get().map(|answer| match answer {
                    Ok(apps) => view! { <Applications apps /> }.into_any(),
                    Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
                }).into_any())}
            </Transition>
        </main>
        <Toast toaster />
    }
}

/// Number of applications from which the page has a search box.
const MANY: usize = 9;

/// The cards. A launch in another tab appears within seconds, even without a return to this tab.
#[component]
fn Applications(apps: Apps) -> impl IntoView {
    let list = PolledList::start(apps, poll);
    let ending = RwSignal::new(None::<SessionView>);
    let search = AppSearch::of_this_page();
    let count = move || list.data.read().cards.as_ref().map_or(0, |cards| cards.items.len());
    let has_search = move || count() >= MANY || !search.q.read().is_empty();
    let keeps = |card: &AppCard| card.home == Some(HomeKind::Kept);
    let keeps_files = move || {
        list.data
            .read()
            .cards
            .as_ref()
            .is_some_and(|cards| cards.items.iter().any(keeps))
    };
    view! {
        <div class="banners">
            <TroubleBanner trouble=list.trouble needed=Role::User />
        </div>
        <div class="lead-line apps-tools">
            <DynShow is=has_search>
                <SearchBox search />
            </DynShow>
            <DynShow is=keeps_files>
                <a href="/files" rel="external">
                    "Files"
                </a>
            </DynShow>
        </div>
        <DynShow
            is=move || { count() > 0 }
            otherwise=|| view! {
                <EmptyState title="No apps yet">
                    <p>"You will see applications here as soon as an administrator makes one available to you."</p>
                </EmptyState>
            }
        >
            <AppSections list search ending />
        </DynShow>
        <EndDialog ending list />
    }
}

/// Reads what changed. The cards come again only after a change of the catalogue.
async fn poll(apps: RwSignal<Apps>) -> Result<Apps, AppError> {
    let known = apps.try_with_untracked(|apps| apps.version.to_string());
    let fresh = my_applications(known).await?;
    let cards = apps.try_with_untracked(|apps| apps.cards.clone()).flatten();
    Ok(Apps {
        cards: fresh.cards.or(cards),
        ..fresh
    })
}
