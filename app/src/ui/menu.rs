//! A button that opens a list below it, based on the browser's popover: it opens without
//! JavaScript, closes on Esc or an outside click, and returns the focus to the button.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::dynamic::dyn_text;

/// A button and its popover. Up, Down, Home and End move between the items.
#[component]
pub fn Menu(
    /// Element id of the popover; unique on the page.
    id: &'static str,
    /// ARIA role: `menu` for actions, `group` for controls.
    role: &'static str,
    /// Accessible name of the popover.
    name: &'static str,
    /// CSS class of the button.
    button_class: &'static str,
    /// Content of the button.
    button: AnyView,
    /// Items.
    children: Children,
) -> impl IntoView {
    let list = NodeRef::<html::Div>::new();
    let open = RwSignal::new(false);
    let toggled = move |_: ev::Event| {
        // Removing an open popover fires this event after its signals are disposed.
        let Some(list) = list.try_get_untracked().flatten() else {
            return;
        };
        let is_open = list.matches(":popover-open").unwrap_or_default();
        open.try_set(is_open);
        if is_open {
            step(&list, Step::First);
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        let Some(list) = list.get_untracked().filter(|_| !event.alt_key()) else {
            return;
        };
        let to = match event.key().as_str() {
            "ArrowDown" => Step::By(1),
            "ArrowUp" => Step::By(-1),
            "Home" => Step::First,
            "End" => Step::Last,
            _ => return,
        };
        event.prevent_default();
        step(&list, to);
    };
    view! {
        <div class="menu">
            <button
                type="button"
                class=button_class
                popovertarget=id
                aria-haspopup=(role == "menu").then_some("menu")
                aria-expanded=dyn_text(move || open.get().to_string())
                aria-controls=id
            >
                {button}
            </button>
            <div
                class="menu-list"
                id=id
                popover="auto"
                role=role
                aria-label=name
                node_ref=list
                on:toggle=toggled
                on:keydown=key
            >
                {children()}
            </div>
        </div>
    }
    .into_any()
}

/// Closes a menu from within.
pub fn close(id: &str) {
    if let Some(list) = document()
        .get_element_by_id(id)
        .and_then(|e| e.dyn_into::<HtmlElement>().ok())
    {
        // It throws only if the popover is already closed.
        let _ = list.hide_popover();
    }
}

#[derive(Clone, Copy)]
enum Step {
    First,
    Last,
    By(i32),
}

fn step(list: &HtmlElement, to: Step) {
    let Ok(found) = list.query_selector_all("a[href], button, input") else {
        return;
    };
    let items: Vec<HtmlElement> = (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect();
    let focused = document().active_element();
    let here = items.iter().position(|item| focused.as_ref() == Some(item.as_ref()));
    let count = items.len();
    let next = match (to, here) {
        (Step::First, _) | (Step::By(1..), None) => 0,
        (Step::Last, _) | (Step::By(_), None) => count.saturating_sub(1),
        (Step::By(1..), Some(at)) => (at + 1) % count,
        (Step::By(_), Some(at)) => (at + count - 1) % count,
    };
    if let Some(item) = items.get(next) {
        let _ = item.focus();
    }
}
