//! The portal's pages and their server functions, rendered by Leptos.

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list};

use super::{AppState, render, security};

/// Adds every page of the application, and the page for an unknown address.
pub fn add(router: Router<AppState>, state: &AppState, reload_port: Option<u32>) -> Router<AppState> {
    let control = state.control.clone();
    let context = move || {
        provide_context(control.clone());
        if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&security::portal_policy(&nonce, reload_port))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let options = state.options.clone();
    let shell = {
        let options = options.clone();
        move || app::shell(options.clone())
    };
    let pages = Router::new()
        .leptos_routes_with_context(state, generate_route_list(app::App), context.clone(), shell)
        .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(
            context,
            app::shell,
        ))
        .layer(middleware::from_fn_with_state(
            state.renders.clone(),
            render::to_completion,
        ));
    router.merge(pages)
}
