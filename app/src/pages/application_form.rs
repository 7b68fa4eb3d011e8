//! The pages on which an application is added or changed.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_params_map};
use session::{
    Role,
    catalogue::{ApplicationForm, ApplicationView},
    wire::Problem,
};

use crate::{
    api::{AppError, applications::application_form},
    components::{addresses::APPLICATIONS_PATH, application_form::ApplicationEditor, failure::Failure},
    ui::{empty::Skeleton, toast::Told},
};

/// The form of a new application.
#[component]
pub fn NewApplication() -> impl IntoView {
    let form = Resource::new(|| (), |()| application_form(None));
    view! { <FormPage title="New application" form done="has been added" /> }
}

/// The form of a known application.
#[component]
pub fn EditApplication() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.read().get_str("id").unwrap_or_default().to_owned();
    let form = Resource::new(id, load);
    view! { <FormPage title="Edit application" form done="has been saved" /> }
}

#[component]
fn FormPage(
    title: &'static str,
    form: Resource<Result<ApplicationForm, AppError>>,
    done: &'static str,
) -> impl IntoView {
    let (told, navigate) = (Told::expect(), use_navigate());
    let on_saved = Callback::new(move |saved: ApplicationView| {
        told.say(format!("{} {done}.", saved.spec.name));
        navigate(APPLICATIONS_PATH, Default::default());
    });
    let shown = move |answer| match answer {
        Ok(form) => view! { <ApplicationEditor form on_saved /> }.into_any(),
        Err(error) => view! { <Failure error retry=move |()| form.refetch() needed=Role::AppAdmin /> }.into_any(),
    };
    view! {
        <Title text=title />
        <h1>{title}</h1>
        <Transition fallback=|| view! { <Skeleton what="the application" /> }>{move || form.get().map(shown)}</Transition>
    }
    .into_any()
}

async fn load(id: String) -> Result<ApplicationForm, AppError> {
    let Ok(id) = id.parse() else {
        #[cfg(feature = "ssr")]
        super::not_found::answer_not_found();
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
