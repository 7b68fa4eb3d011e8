//! `/account/password`: changing one's own password. Whoever signs in with one that was drawn for them does that before anything else.

use app::password_page::page;
use axum::{
    Extension, Form,
    extract::{Request, State},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use control::Client;
use serde::Deserialize;
use session::wire::Me;

use super::{
    AppState,
    logins::{Person, is_page},
    problem::Refused,
    tab, unavailable,
};

/// The page.
pub const PATH: &str = "/account/password";

/// What whoever must change their password first is answered to a request; `None` where it is about that.
pub fn required(me: &Me, request: &Request) -> Option<Response> {
    let path = request.uri().path();
    if !me.must_change_password || [PATH, "/login", "/logout"].contains(&path) {
        return None;
    }
    Some(if is_page(request.method(), path) {
        Redirect::to(PATH).into_response()
    } else {
        Refused::from(control::Error::PasswordChangeRequired).into_response()
    })
}

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
        error => unavailable::page(error, PATH),
    }
}
