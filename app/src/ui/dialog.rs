//! A modal dialog, based on the browser's `<dialog>`: it traps the focus, closes on Esc and
//! restores the focus.

use super::dynamic::DynShow;
use leptos::{html, prelude::*};

use super::clock::later;

/// A modal dialog. It builds its children each time it opens; the child marked `autofocus` gets the
/// focus.
#[component]
pub fn Dialog(
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Called after Esc closed it, or after `open` turned false.
    #[prop(into)]
    on_close: Callback<()>,
    /// Element id of the heading.
    labelled_by: &'static str,
    /// Element id of the text that states the consequence.
    described_by: &'static str,
    /// Content while open.
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let open = open.get();
        // Deferred until the children are in the document, so that the browser finds `autofocus`.
        later(0, move || {
            let Some(dialog) = node.try_get_untracked().flatten() else {
                return;
            };
            if open && !dialog.open() {
                // It throws only once the dialog has left the document.
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
