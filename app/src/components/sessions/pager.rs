//! The position in the list, and links to the other pages.

use crate::ui::dynamic::{DynShow, dyn_attr, dyn_text};
use leptos::prelude::*;
use session::view::View;

use super::{model::Model, view_url::ViewUrl};
use crate::ui::{
    icon::{Glyph, Icon},
    number::Numbers,
};

/// Page sizes to choose from.
const LIMITS: [u16; 3] = [50, 100, 200];

/// "1–50 of 340", Previous, Next. The links keep search and order and work without JavaScript. They
/// contain a cursor (the row before the page) instead of a page number, so new rows before it do
/// not shift the page.
#[component]
pub fn Pager(
    /// List on screen.
    model: Model,
    /// Address of the list.
    url: ViewUrl,
) -> impl IntoView {
    let numbers = Numbers::here();
    let range = dyn_text(move || {
        let head = model.head.read();
        let rows = u32::try_from(model.order.read().len()).unwrap_or(u32::MAX);
        match rows {
            0 => String::new(),
            _ => format!(
                "{}–{} of {}",
                numbers.text(head.offset + 1),
                numbers.text(head.offset + rows),
                numbers.text(head.total)
            ),
        }
    });
    let to = move |cursor: Option<String>| {
        let view = url.resolved();
        let sort = if cursor.is_some() { view.sort } else { url.get().sort };
        url.link(&View {
            cursor,
            sort,
            page: 1,
            ..view
        })
    };
    let has_previous = Memo::new(move |_| model.head.read().offset > 0);
    let has_next = Memo::new(move |_| model.head.read().next_cursor.is_some());
    let limit = move |limit: u16| {
        let href = dyn_text(move || {
            url.link(&View {
                limit,
                ..url.get().from_the_top()
            })
        });
        let current = dyn_attr(move || (url.get().limit == limit).then_some("true"));
        view! { <a class="limit" href=href aria-current=current data-noscroll="true">{limit}</a> }
    };
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="pager-limits">"Rows " {LIMITS.map(limit).collect_view()}</span>
            <span class="pager-range tabular">{range}</span>
            <DynShow is=has_previous>
                <a class="button" href=dyn_text(move || to(model.head.read().previous_cursor.clone())) rel="prev">
                    <Icon glyph=Glyph::Left />
                    "Previous"
                </a>
            </DynShow>
            <DynShow is=has_next>
                <a class="button" href=dyn_text(move || to(model.head.read().next_cursor.clone())) rel="next">
                    "Next"
                    <Icon glyph=Glyph::Right />
                </a>
            </DynShow>
        </nav>
    }
    .into_any()
}
