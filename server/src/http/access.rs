//! The requirements of each tier of routes for the login. `http.rs` assigns routes to tiers.

use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use session::api::Me;

use super::{AppState, authentication::PlainHttp, origin::encode, passwords, problem::Refused};

/// Pages that require a login. Without one, the browser is redirected to the sign-in page and
/// returns afterwards. A temporary password must be changed first. The page itself refuses a role
/// that is too low.
pub async fn signed_in_page(
    State(state): State<AppState>,
    me: Option<Extension<Me>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(Extension(me)) = me else {
        return Redirect::to(&format!("/login?next={}", encode(&requested_path(&request)))).into_response();
    };
    if me.must_change_password && request.uri().path() != passwords::PATH {
        return Redirect::to(passwords::PATH).into_response();
    }
    state.control.login_used(&me);
    next.run(request).await
}

/// Forms, streams, the API and server functions. Their extractor `Person` refuses requests without
/// a login. A temporary password must be changed first.
pub async fn password_is_own(me: Option<Extension<Me>>, request: Request, next: Next) -> Response {
    match me {
        Some(Extension(me)) if me.must_change_password => {
            Refused::from(control::Error::PasswordChangeRequired).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Redirects to https if a trusted proxy received the request for the page over plain http.
pub async fn https(
    State(state): State<AppState>,
    plain: Option<Extension<PlainHttp>>,
    request: Request,
    next: Next,
) -> Response {
    match (plain, state.proxies.https_url.as_deref()) {
        (Some(_), Some(url)) => {
            let to = format!("{url}{}", requested_path(&request));
            Redirect::permanent(&to).into_response()
        }
        _ => next.run(request).await,
    }
}

fn requested_path(request: &Request) -> String {
    let path = request.uri().path_and_query();
    path.map_or("/", |path| path.as_str()).to_owned()
}
