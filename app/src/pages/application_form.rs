//! The page to add or change an application.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_params_map};
use session::{
    Role,
    api::Problem,
    catalogue::{ApplicationForm, ApplicationView},
};

use crate::{
    api::{AppError, applications::application_form},
    components::{addresses::APPLICATIONS_PATH, catalogue::application_form::ApplicationEditor, failure::Failure},
    ui::{dynamic::dyn_view, empty::Skeleton, loaded::load, toast::Toaster},
};

/// Address segment in place of an id, for a new application.
const NEW: &str = "new";

/// The form of a new or existing application.
#[component]
pub fn ApplicationPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.read().get_str("id").unwrap_or_default().to_owned();
    let form = load(id, known);
    let is_new = untrack(id) == NEW;
    let (title, done) = if is_new {
        ("New application", "has been added")
    } else {
        ("Edit application", "has been saved")
    };
    let (toaster, navigate) = (Toaster::expect(), use_navigate());
    let on_saved = Callback::new(move |saved: ApplicationView| {
        toaster.show(format!("{} {done}.", saved.spec.name));
        navigate(APPLICATIONS_PATH, Default::default());
    });
    let shown = move |answer| match answer {
        Ok(form) => view! { <ApplicationEditor form on_saved /> }.into_any(),
        Err(error) => view! { <Failure error retry=move |()| form.refetch() needed=Role::AppAdmin /> }.into_any(),
    };
    view! {
        <Title text=title />
        <h1>{title}</h1>
        <Transition fallback=|| {
            view! { <Skeleton what="the application" /> }
        }>{dyn_view(move || form.get().map(shown).into_any())}</Transition>
    }
    .into_any()
}

async fn known(id: String) -> Result<ApplicationForm, AppError> {
    if id == NEW {
        return application_form(None).await;
    }
    let Ok(id) = id.parse() else {
        let detail = "The address names none.";
        return Err(AppError(Problem::new(
            404,
            "no_such_application",
            "There is no such application",
            detail,
        )));
    };
    application_form(Some(id)).await
}
