//! The input of a search form. `/` focuses it from anywhere on the page, Esc empties it.

use leptos::{ev, html, prelude::*};

use super::focus;

/// Element of a [`SearchInput`].
pub type SearchNode = NodeRef<html::Input>;

/// The text in the input, before it reaches the address.
pub fn typed(node: SearchNode) -> String {
    node.get_untracked().map(|input| input.value()).unwrap_or_default()
}

/// The input. Its name in the form is `q`.
#[component]
pub fn SearchInput(
    /// Gives the form access to the text.
    node: SearchNode,
    /// Accessible name and placeholder.
    label: &'static str,
    /// Maximum number of characters.
    max_chars: usize,
    /// Initial text.
    value: String,
    /// Called when the person types.
    #[prop(optional)]
    on_input: Option<Callback<()>>,
    /// Called after Esc has emptied the input.
    #[prop(optional)]
    on_clear: Option<Callback<()>>,
    /// Ids of the elements that describe the input.
    #[prop(optional)]
    described_by: Option<Signal<String>>,
    /// `true` if the search is invalid.
    #[prop(optional)]
    invalid: Option<Signal<Option<&'static str>>>,
) -> impl IntoView {
    focus::on_slash(node);
    let empty = move |event: ev::KeyboardEvent| {
        if event.key() != "Escape" {
            return;
        }
        event.prevent_default();
        if let Some(input) = node.get_untracked() {
            input.set_value("");
        }
        if let Some(on_clear) = on_clear {
            on_clear.run(());
        }
    };
    view! {
        <input
            class="search-input"
            type="search"
            name="q"
            aria-label=label
            aria-keyshortcuts="/"
            aria-describedby=described_by
            aria-invalid=invalid
            placeholder=label
            maxlength=max_chars.to_string()
            autocomplete="off"
            spellcheck="false"
            value=value
            node_ref=node
            on:input=move |_| {
                if let Some(on_input) = on_input {
                    on_input.run(());
                }
            }
            on:keydown=empty
        />
    }
    .into_any()
}
