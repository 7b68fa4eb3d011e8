//! The Environments page: the state of each environment.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::environments::list_environments,
    components::{catalogue::environments_board::EnvironmentsBoard, failure::Failure},
    ui::{dynamic::dyn_view, empty::Skeleton, loaded::load},
};

/// Loads and shows the environments.
#[component]
pub fn Environments() -> impl IntoView {
    let first = load(|| (), |()| list_environments());
    view! {
        <Title text="Environments" />
        <div class="catalogue-page">
            <h1>"Environments"</h1>
            <Transition fallback=|| view! { <Skeleton what="environments" /> }>
                {dyn_view(move || first.get().map(|answer| match answer {
                    Ok(list) => view! { <EnvironmentsBoard list /> }.into_any(),
                    Err(error) => view! { <Failure error retry=move |()| first.refetch() /> }.into_any(),
                }).into_any())}
            </Transition>
        </div>
    }
}
