//! Keeps order, focus and scroll position stable while a live table changes.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement};

use super::focus::is_lost;

thread_local! {
    static PENDING: Cell<bool> = const { Cell::new(false) };
}

/// Call this before the rows of a table change. `order` returns the future `data-key` values from
/// top to bottom; `region` is the element id of the scrolling region.
///
/// Before the next frame it repairs three side effects of the change. Order: the keyed list of this
/// Leptos version (tachys 0.2.19, `diff`) leaves a row in place if as many rows before it came as
/// went, even if other rows around it moved. Focus: moving an element blurs it. Scroll: rows that
/// appear or disappear above shift the rows on screen.
pub fn hold(region: &'static str, order: impl Fn() -> Vec<String> + 'static) {
    // If several changes precede one frame, the first call has the original positions.
    if PENDING.with(|pending| pending.replace(true)) {
        return;
    }
    let Some(region) = document().get_element_by_id(region) else {
        PENDING.set(false);
        return;
    };
    let focused = document()
        .active_element()
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
        .filter(|element| element.tag_name() != "BODY");
    let scroller = scroller(&region);
    // At the top of the list, new rows must stay visible, so the scroll position is left alone.
    let scrolled = scroller.filter(|scroller| scroller.scroll_top() > 0).map(|scroller| {
        let top = scroller.scroll_top();
        (scroller, top, places(&region))
    });
    request_animation_frame(move || {
        PENDING.set(false);
        put_in_order(&region, &order());
        if let Some(element) = focused.filter(|element| is_lost() && element.is_connected()) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
        }
        if let Some((scroller, before, places)) = scrolled {
            // If the person has scrolled since, the new position counts.
            let now = scroller.scroll_top();
            let rows = places.iter().filter(|(row, _)| row.is_connected());
            let moved = commonest(rows.map(|(row, top)| place(row) - top)) + now - before;
            if moved != 0 {
                scroller.set_scroll_top(now + moved);
            }
        }
    });
}

/// The scrolling element: the region if its height is limited, otherwise the page.
fn scroller(region: &Element) -> Option<Element> {
    if region.scroll_height() > region.client_height() + 1 {
        Some(region.clone())
    } else {
        document().scrolling_element()
    }
}

/// The visible rows and the position of each.
fn places(region: &Element) -> Vec<(Element, i32)> {
    let (top, height) = (place(region).max(0), window_height());
    rows(region)
        .into_iter()
        .map(|row| {
            let at = place(&row);
            (row, at)
        })
        .filter(|(_, at)| (top..height).contains(at))
        .collect()
}

/// The most common shift. Scrolling by it moves the fewest rows on screen.
fn commonest(distances: impl Iterator<Item = i32>) -> i32 {
    let mut counts: Vec<(i32, usize)> = Vec::new();
    for distance in distances {
        match counts.iter_mut().find(|(known, _)| *known == distance) {
            Some((_, count)) => *count += 1,
            None => counts.push((distance, 1)),
        }
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or(0, |(distance, _)| distance)
}

fn put_in_order(region: &Element, order: &[String]) {
    let mut rows = rows(region);
    for (at, key) in order.iter().enumerate() {
        let has_key = |row: &Element| row.get_attribute("data-key").as_ref() == Some(key);
        let Some(found) = rows.iter().skip(at).position(has_key).filter(|distance| *distance > 0) else {
            continue;
        };
        let row = rows.remove(at + found);
        if let Some(parent) = row.parent_node() {
            // It throws only if one of the two nodes has left the document.
            let _ = parent.insert_before(&row, Some(&rows[at]));
        }
        rows.insert(at, row);
    }
}

fn rows(region: &Element) -> Vec<Element> {
    let Ok(found) = region.query_selector_all("[data-key]") else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
fn place(element: &Element) -> i32 {
    element.get_bounding_client_rect().top().round() as i32
}

#[expect(clippy::cast_possible_truncation, reason = "the height of a window")]
fn window_height() -> i32 {
    window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or_default() as i32
}
