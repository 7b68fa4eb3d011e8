//! A modal dialog: the browser's own `<dialog>`, which traps the focus, closes on Esc and gives the focus back.

use super::dynamic::DynShow;
use leptos::{html, prelude::*};

use super::clock::later;

/// A modal dialog. Its children are made anew each time it opens; the one marked `autofocus` gets the focus.
#[component]
pub fn Dialog(
    /// Is it open?
    #[prop(into)]
    open: Signal<bool>,
    /// It was closed, by Esc or by [`RwSignal::set`] of `open`.
    #[prop(into)]
    on_close: Callback<()>,
    /// Id of its heading.
    labelled_by: &'static str,
    /// Id of the text that says what is at stake.
    described_by: &'static str,
    /// What it shows while it is open.
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let open = open.get();
        // After this turn, when the children are in the document and `autofocus` can be found.
        later(0, move || {
            let Some(dialog) = node.try_get_untracked().flatten() else {
                return;
            };
            if open && !dialog.open() {
                // It throws only when the dialog has left the document.
                let _ = dialog.show_modal();
            } else if !open && dialog.open() {
                dialog.close();
            }
        });
    });
    view! {
        <dialog
            class="dialog"
            node_ref=node
            aria-labelledby=labelled_by
            aria-describedby=described_by
            on:close=move |_| on_close.run(())
        >
            <DynShow is=move || open.get()>{children()}</DynShow>
        </dialog>
    }
}
