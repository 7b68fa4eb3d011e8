//! Asks before the person loses unsaved changes: on Back, on a link, on closing the tab.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, MouseEvent};

use super::{focus::focused, hydration::listen};

const QUESTION: &str = "You have unsaved changes. Leave this page and lose them?";

type IsDirty = Rc<dyn Fn() -> bool>;

thread_local! {
    /// The guard of the current page.
    static GUARD: RefCell<Option<IsDirty>> = const { RefCell::new(None) };
}

/// Guards the page while its component exists and `dirty` returns true.
pub fn guard_unsaved(dirty: impl Fn() -> bool + Copy + 'static) {
    Effect::new(move || GUARD.set(Some(Rc::new(dirty))));
    on_cleanup(|| _ = GUARD.take());
}

/// Listens for attempts to leave a page. Call it once in the browser, before the router starts:
/// listeners of the window run in order of registration, and the router must not receive a refused
/// event.
pub fn install() {
    listen("beforeunload", |event| {
        if is_dirty() {
            event.prevent_default();
        }
    });
    listen("click", |event| {
        if leads_away(&event) && !leave() {
            event.prevent_default();
            event.stop_immediate_propagation();
        }
    });
    let restoring = Cell::new(false);
    listen("popstate", move |event| {
        let ours = restoring.replace(false);
        if !ours && leave() {
            return;
        }
        event.stop_immediate_propagation();
        if !ours {
            // The browser has already moved back, so go forward again.
            restoring.set(true);
            let _ = window().history().and_then(|history| history.forward());
        }
    });
}

fn is_dirty() -> bool {
    // Cloned, because the guard may read signals and must not run during the borrow.
    let guard = GUARD.with_borrow(Clone::clone);
    guard.is_some_and(|dirty| dirty())
}

/// Whether the person may leave; asks if there are unsaved changes. Uses the browser's own dialog
/// because only a blocking dialog can delay Back.
fn leave() -> bool {
    if !is_dirty() {
        return true;
    }
    let leave = window().confirm_with_message(QUESTION).unwrap_or(true);
    if leave {
        // A field that is removed with the focus reports a change after its signals are disposed.
        let _ = focused().map(|element: HtmlElement| element.blur());
    }
    leave
}

/// Whether this click follows a link in this tab.
fn leads_away(event: &Event) -> bool {
    let Some(mouse) = event.dyn_ref::<MouseEvent>() else {
        return false;
    };
    let elsewhere = mouse.button() != 0 || mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key();
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let link = target.and_then(|target| target.closest("a[href]:not([target], [download])").ok().flatten());
    let within = |link: &web_sys::Element| link.get_attribute("href").is_some_and(|href| href.starts_with('#'));
    !elsewhere && link.is_some_and(|link| !within(&link))
}
