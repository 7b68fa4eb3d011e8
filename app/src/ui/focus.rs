//! Keyboard focus.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::clock::later;

/// Focuses the element with this id, if it exists.
pub fn focus_id(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|e| e.dyn_into::<HtmlElement>().ok())
    {
        let _ = element.focus();
    }
}

/// The element that has the focus.
pub fn focused() -> Option<HtmlElement> {
    document().active_element().and_then(|element| element.dyn_into().ok())
}

/// Whether no element has the focus, usually after the focused element was removed.
pub fn is_lost() -> bool {
    document()
        .active_element()
        .is_none_or(|element| element.tag_name() == "BODY")
}

/// Waits for the page to settle. If the focus was lost, moves it to the element with this id.
pub fn rescue(id: &'static str) {
    later(50, move || {
        if is_lost() {
            focus_id(id);
        }
    });
}

/// Restores the focus after a move: moving an element in the document takes the focus from it, and
/// an element that is built anew in another place has only its id in common. Call this before rows
/// change places.
pub fn keep() {
    let Some(element) = focused() else {
        return;
    };
    if element.tag_name() == "BODY" {
        return;
    }
    request_animation_frame(move || {
        if is_lost() && element.is_connected() {
            let _ = element.focus();
        } else if is_lost() {
            focus_id(&element.id());
        }
    });
}

/// Opens a page of this site in a new tab.
pub fn new_tab(path: &str) {
    // A browser that blocks the tab shows its own notice.
    let _ = window().open_with_url_and_target_and_features(path, "_blank", "noopener");
}

/// Whether no text is selected.
pub fn nothing_selected() -> bool {
    let selection = window().get_selection().ok().flatten();
    selection.is_none_or(|selection| selection.is_collapsed())
}

/// Whether an input has the focus or a dialog is open. Single-key shortcuts are then off.
pub fn is_writing() -> bool {
    let writes = |e: web_sys::Element| matches!(e.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
    document().active_element().is_some_and(writes)
        || document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Moves the focus to a search box when `/` is pressed anywhere on the page.
pub fn on_slash(input: NodeRef<html::Input>) {
    Effect::new(move || {
        let slash = window_event_listener(ev::keydown, move |event| {
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if event.key() == "/"
                && plain
                && !is_writing()
                && let Some(input) = input.get_untracked()
            {
                event.prevent_default();
                let _ = input.focus();
                input.select();
            }
        });
        on_cleanup(move || slash.remove());
    });
}
