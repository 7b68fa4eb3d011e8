//! The portal's pages and their server functions, rendered by Leptos.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware,
    routing::any,
};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list, handle_server_fns_with_context,
    render_app_async_with_context,
};

use super::{AppState, render, security};

/// The routers of pages and server functions, one for each tier.
pub struct Pages {
    /// The sign-in page.
    pub sign_in: Router<AppState>,
    /// All other pages, and the page for an unknown address.
    pub portal: Router<AppState>,
    /// The server functions, which scripts of the pages call.
    pub functions: Router<AppState>,
}

pub fn pages(state: &AppState, reload_port: Option<u32>) -> Pages {
    let context = context(state, reload_port);
    let options = state.options.clone();
    let handler = render_app_async_with_context(context.clone(), move || app::shell(options.clone()));
    let render = middleware::from_fn_with_state(state.renders.clone(), render::to_completion);
    let (sign_in, portal): (Vec<_>, Vec<_>) = generate_route_list(app::App).into_iter().partition(is_sign_in);
    let functions = context.clone();
    let function = move |mut request: Request| {
        // Leptos redirects a client that accepts HTML to any URL in its Referer. The scripts that
        // call server functions need JSON only.
        request.headers_mut().remove(header::ACCEPT);
        handle_server_fns_with_context(functions.clone(), request)
    };
    Pages {
        sign_in: Router::new()
            .leptos_routes_with_handler(sign_in, handler.clone())
            .layer(render.clone()),
        portal: Router::new()
            .leptos_routes_with_handler(portal, handler)
            .fallback(leptos_axum::file_and_error_handler_with_context::<AppState, _>(
                context.clone(),
                app::shell,
            ))
            .layer(render),
        functions: Router::new().route("/api/ui/{*function}", any(function)),
    }
}

fn is_sign_in(page: &AxumRouteListing) -> bool {
    page.path() == "/login"
}

/// Provides the context of pages and server functions, and sets the security policy.
fn context(state: &AppState, reload_port: Option<u32>) -> impl Fn() + Clone + Send + Sync + 'static {
    let (control, options) = (state.control.clone(), state.options.clone());
    move || {
        provide_context(control.clone());
        provide_context(options.clone());
        if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&security::portal_policy(&nonce, reload_port))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}
