//! Which rows of how many, and the way to the others.

use crate::ui::dynamic::{When, words};
use leptos::prelude::*;
use session::view::View;

use super::{model::Model, view_url, view_url::ViewUrl};
use crate::ui::{
    icon::{Glyph, Icon},
    number::grouped,
};

/// "1–50 of 340", Previous, Next. The links keep search and order and work without JavaScript.
#[component]
pub fn Pager(
    /// The list.
    model: Model,
    /// The address.
    url: ViewUrl,
) -> impl IntoView {
    let page = move || {
        let view = url.get();
        (view.page, u32::from(view.limit), model.head.read().total)
    };
    let range = words(move || {
        let (page, limit, total) = page();
        let first = (page - 1).saturating_mul(limit);
        let last = first.saturating_add(limit).min(total);
        if first >= total {
            String::new()
        } else {
            format!("{}–{} of {}", grouped(first + 1), grouped(last), grouped(total))
        }
    });
    let to = move |page: Option<u32>| {
        view_url::link(&View {
            page: page.unwrap_or(1),
            cursor: None,
            ..url.get()
        })
    };
    let previous = Memo::new(move |_| {
        let (page, limit, total) = page();
        // From a page beyond the end straight to the last one.
        (page > 1).then(|| (page - 1).min(total.div_ceil(limit)).max(1))
    });
    let next = Memo::new(move |_| {
        let (page, limit, total) = page();
        (page.saturating_mul(limit) < total).then_some(page + 1)
    });
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="pager-range tabular">{range}</span>
            <When is=move || previous.get().is_some()>
                <a class="button" href=words(move || to(previous.get())) rel="prev">
                    <Icon glyph=Glyph::Left />
                    "Previous"
                </a>
            </When>
            <When is=move || next.get().is_some()>
                <a class="button" href=words(move || to(next.get())) rel="next">
                    "Next"
                    <Icon glyph=Glyph::Right />
                </a>
            </When>
        </nav>
    }
    .into_any()
}
