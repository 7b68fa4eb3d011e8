//! The end of hydration, and its failure.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Event;

/// Whether the page takes over the server's HTML now, and its views must not differ from that.
/// False on the server.
pub fn is_hydrating() -> bool {
    hydrating()()
}

/// The same for handlers that run without an owner.
fn hydrating() -> impl Fn() -> bool + 'static {
    let context = Owner::current_shared_context();
    move || context.as_ref().is_some_and(|context| context.during_hydration())
}

/// Runs `then` in the first frame after hydration, which waits for the piece of a lazy route.
pub fn after(then: impl FnOnce() + 'static) {
    wait(hydrating(), then);
}

fn wait(hydrating: impl Fn() -> bool + 'static, then: impl FnOnce() + 'static) {
    request_animation_frame(move || {
        if hydrating() {
            wait(hydrating, then);
        } else {
            then();
        }
    });
}

/// Leaves all clicks before the end of hydration to the browser. Call it once, in the root
/// component. The router listens before hydration: it would take a link that is clicked while the
/// page waits for its piece, and lead to nowhere.
pub fn leave_clicks_to_browser() {
    let hydrating = hydrating();
    listen("click", move |event| {
        if hydrating() {
            event.stop_immediate_propagation();
        }
    });
}

/// Never resolves, and so leaves the page as it is without JavaScript: the browser follows the
/// links and sends the forms. A view that differs from the server's HTML would be an error.
pub async fn give_up<T>() -> T {
    std::future::pending().await
}

/// Adds a listener that comes before those of the page, for the lifetime of the document.
pub fn listen(name: &'static str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    // It throws only without a name or a function.
    let _ = window().add_event_listener_with_callback_and_bool(name, handler.as_ref().unchecked_ref(), true);
    handler.forget();
}
