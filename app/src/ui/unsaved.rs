//! Asks before unsaved changes are lost: on Back, on a link, on closing the tab.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, MouseEvent};

const QUESTION: &str = "You have unsaved changes. Leave this page and lose them?";

/// Guards the page as long as its component lives and `dirty` answers yes.
pub fn guard_unsaved(dirty: impl Fn() -> bool + Copy + Send + Sync + 'static) {
    Effect::new(move |_: Option<[Listener; 3]>| {
        let leave = move || {
            // The browser's own dialog blocks; nothing else can hold up Back.
            !dirty() || window().confirm_with_message(QUESTION).unwrap_or(true)
        };
        let unload = move |event: Event| {
            if dirty() {
                event.prevent_default();
            }
        };
        let click = move |event: Event| {
            if leads_away(&event) && !leave() {
                event.prevent_default();
                event.stop_immediate_propagation();
            }
        };
        let restoring = Rc::new(Cell::new(false));
        let back = move |event: Event| {
            let ours = restoring.replace(false);
            if !ours && leave() {
                return;
            }
            // Before the router takes it. The browser has moved already, so the address goes forward again.
            event.stop_immediate_propagation();
            if !ours {
                restoring.set(true);
                let _ = window().history().and_then(|history| history.forward());
            }
        };
        [
            listen("beforeunload", unload),
            listen("click", click),
            listen("popstate", back),
        ]
    });
}

/// Does this click follow a link in this tab?
fn leads_away(event: &Event) -> bool {
    let Some(mouse) = event.dyn_ref::<MouseEvent>() else {
        return false;
    };
    let elsewhere = mouse.button() != 0 || mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key();
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let link = target.and_then(|target| target.closest("a[href]:not([target]):not([download])").ok().flatten());
    let within = |link: &web_sys::Element| link.get_attribute("href").is_some_and(|href| href.starts_with('#'));
    !elsewhere && link.is_some_and(|link| !within(&link))
}

/// A listener of the window that comes before all others. It is removed when it is dropped.
struct Listener {
    name: &'static str,
    handler: Closure<dyn FnMut(Event)>,
}

fn listen(name: &'static str, handler: impl FnMut(Event) + 'static) -> Listener {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    let target: &EventTarget = &window();
    let _ = target.add_event_listener_with_callback_and_bool(name, handler.as_ref().unchecked_ref(), true);
    Listener { name, handler }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let target: &EventTarget = &window();
        let _ =
            target.remove_event_listener_with_callback_and_bool(self.name, self.handler.as_ref().unchecked_ref(), true);
    }
}
