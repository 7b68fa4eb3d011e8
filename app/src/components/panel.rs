//! The panel with the details of one row, beside a list.

use leptos::{ev, prelude::*};

use crate::ui::{
    focus,
    icon::{Glyph, Icon},
};

/// State of the history entry of a session that was opened from Audit.
pub const FROM_AUDIT: &str = "audit";

/// A panel with a heading and a link that closes it. It takes the focus when it opens; Esc closes it.
#[component]
pub fn Panel(
    /// Name of the row, the start of the element ids.
    name: &'static str,
    /// Heading.
    title: &'static str,
    /// The row whose details are shown.
    opened: Memo<String>,
    /// Address of the list without details.
    list: Signal<String>,
    /// Follows the link to the list and returns the focus to the row.
    #[prop(into)]
    on_close: Callback<()>,
    /// Replaces `on_close` for Esc.
    #[prop(optional, into)]
    on_escape: Option<Callback<()>>,
    /// The details.
    children: Children,
) -> impl IntoView {
    let (id, heading) = (format!("{name}-details"), format!("{name}-details-title"));
    let (panel, labelled_by) = (id.clone(), heading.clone());
    Effect::new(move || {
        opened.track();
        let panel = panel.clone();
        request_animation_frame(move || focus::focus_id(&panel));
        let escape = window_event_listener(ev::keydown, move |event| {
            // In the search box and in dialogs, Esc has another meaning.
            if event.key() == "Escape" && !focus::is_writing() && !event.default_prevented() {
                on_escape.unwrap_or(on_close).run(());
            }
        });
        on_cleanup(move || escape.remove());
    });
    view! {
        <section class="panel" id=id aria-labelledby=labelled_by tabindex="-1">
            <header class="panel-head">
                <h2 id=heading>{title}</h2>
                <a
                    class="button button-icon"
                    aria-label="Close details"
                    href=list
                    data-noscroll="true"
                    on:click=move |event| {
                        event.prevent_default();
                        on_close.run(());
                    }
                >
                    <Icon glyph=Glyph::Close />
                </a>
            </header>
            {children()}
        </section>
    }
    .into_any()
}

/// Goes back to Audit if the current page was opened from there.
pub fn back_to_audit() -> bool {
    let history = window().history().ok();
    let from = history.as_ref().and_then(|history| history.state().ok()?.as_string());
    from.as_deref() == Some(FROM_AUDIT) && history.is_some_and(|history| history.back().is_ok())
}
