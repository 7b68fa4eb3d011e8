//! The browser's entry. Nothing but [`hydrate`] belongs here; the pages are in the crate `app`.

// The type of a view is as deep as its elements are nested.
#![recursion_limit = "256"]

/// Called once by the page's script when the WebAssembly is loaded: brings the server's HTML to life.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_lazy(app::App);
}
