//! The Applications page.

use leptos::prelude::*;
use leptos_meta::Title;
use session::Role;

use crate::{
    api::applications::list_applications,
    components::{catalogue::applications_board::ApplicationsBoard, failure::Failure, portal::layout::my_role},
    ui::{dynamic::dyn_view, empty::Skeleton, loaded::load},
};

/// Loads and shows the applications.
#[component]
pub fn Applications() -> impl IntoView {
    let first = load(|| (), |()| list_applications());
    let shown = move || {
        let (answer, role) = (first.get()?, my_role()?);
        Some(match answer {
            Ok(applications) => view! { <ApplicationsBoard applications role /> }.into_any(),
            Err(error) => view! { <Failure error retry=move |()| first.refetch() needed=Role::AppAdmin /> }.into_any(),
        })
    };
    view! {
        <Title text="Applications" />
        <div class="catalogue-page">
            <h1>"Applications"</h1>
            <Transition fallback=|| view! { <Skeleton what="applications" /> }>{dyn_view(move || shown().into_any())}</Transition>
        </div>
    }
}
