//! Signing in and out.

use axum::{
    Extension, Form,
    extract::{State, rejection::FormRejection},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use control::Client;
use serde::Deserialize;
use session::api::Me;

use super::{AppState, origin::encode, problem::Refused, refusals::TryAgain, return_path::return_path};

#[derive(Deserialize)]
pub struct SignIn {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    jar: CookieJar,
    Form(form): Form<SignIn>,
) -> Result<Response, Refused> {
    let back = |reason: &str| {
        let next = encode(&form.next);
        Redirect::to(&format!("/login?{reason}&next={next}")).into_response()
    };
    match state.control.sign_in(&form.username, &form.password, &client).await {
        Ok(token) => {
            let jar = jar.add(state.cookie.with(token));
            Ok((jar, Redirect::to(&return_path(&form.next))).into_response())
        }
        Err(control::Error::Credentials) => Ok(back("failed=1")),
        Err(control::Error::Blocked) => Ok(back("blocked=1")),
        Err(control::Error::Throttled(seconds)) => Ok(back(&format!("throttled={seconds}"))),
        Err(error) => {
            let again = TryAgain(format!("/login?next={}", encode(&form.next)));
            Ok((Extension(again), Refused::from(error)).into_response())
        }
    }
}

#[derive(Deserialize)]
pub struct SignOut {
    /// End all logins of the person, including those in other browsers?
    #[serde(default)]
    everywhere: bool,
}

/// `POST /logout`
pub async fn sign_out(
    State(state): State<AppState>,
    person: Option<Extension<Me>>,
    jar: CookieJar,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Refused> {
    // A program may post an empty body.
    let everywhere = form.is_ok_and(|Form(form)| form.everywhere);
    match person {
        Some(Extension(me)) if everywhere => state.control.sign_out_everywhere(&me).await?,
        Some(Extension(me)) => state.control.sign_out(&me).await?,
        None => {}
    }
    Ok((jar.remove(state.cookie.removed()), Redirect::to("/login")).into_response())
}
