//! `/account/password`: changing one's own password. With a temporary password, every other page
//! redirects here.

use app::password_page::page;
use axum::{
    Extension, Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use control::Client;
use serde::Deserialize;
use session::api::Me;

use super::{AppState, authentication::Person, problem::Refused, tab};

/// Path of the page and of its form.
pub const PATH: &str = "/account/password";

/// `GET /account/password`
pub async fn show(Person(me): Person) -> Response {
    tab::answer(200, page(&me, None))
}

#[derive(Deserialize)]
pub struct Change {
    current: String,
    new: String,
    again: String,
}

/// `POST /account/password`
pub async fn change(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Person(me): Person,
    jar: CookieJar,
    Form(form): Form<Change>,
) -> Response {
    if form.new != form.again {
        return tab::answer(
            422,
            page(&me, Some("The new password was not typed the same way twice.")),
        );
    }
    match state
        .control
        .change_password(&me, &form.current, &form.new, &client)
        .await
    {
        Ok(token) => (jar.add(state.cookie.with(token)), Redirect::to("/")).into_response(),
        Err(error) => refused(&me, error),
    }
}

fn refused(me: &Me, error: control::Error) -> Response {
    match error {
        control::Error::Credentials => tab::answer(422, page(me, Some("Incorrect current password."))),
        control::Error::Malformed(why) => tab::answer(422, page(me, Some(&why))),
        control::Error::Throttled(seconds) => {
            let why = format!("Too many attempts. Try again in {}.", session::format::seconds(seconds));
            tab::answer(429, page(me, Some(&why)))
        }
        error => Refused::from(error).into_response(),
    }
}
