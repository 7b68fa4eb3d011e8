//! Rows of a table that act as links.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use super::focus;

/// A click on a row follows the link to its details. Ctrl-click and middle click open a new tab.
pub fn follow(event: &ev::MouseEvent, link: impl Fn() -> String, go: impl Fn(String)) {
    if !is_on_row(event) || !focus::nothing_selected() {
        return;
    }
    let link = untrack(link);
    match event.button() {
        0 if event.ctrl_key() || event.meta_key() => focus::new_tab(&link),
        0 => go(link),
        1 => focus::new_tab(&link),
        _ => {}
    }
}

/// Whether the click hit the row itself and not one of its controls.
fn is_on_row(event: &ev::MouseEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| matches!(element.closest("a, button, input, label"), Ok(None)))
}
