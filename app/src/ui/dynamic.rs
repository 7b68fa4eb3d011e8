//! Reactive parts of a view that share one type.
//!
//! Each closure in a view is a type of its own. The compiler generates the code to hydrate, build
//! and rebuild a view for each of them, some kilobytes per closure in the browser. These helpers
//! erase the type, so all closures share one copy.

use std::sync::Arc;

use leptos::prelude::*;

/// A reactive text.
pub fn dyn_text(text: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    derived(Arc::new(text))
}

/// A reactive attribute; `None` removes it.
pub fn dyn_attr(value: impl Fn() -> Option<&'static str> + Send + Sync + 'static) -> Signal<Option<&'static str>> {
    derived(Arc::new(value))
}

/// A reactive boolean.
pub fn dyn_flag(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    derived(Arc::new(is))
}

fn derived<T: Send + Sync + 'static>(value: Arc<dyn Fn() -> T + Send + Sync>) -> Signal<T> {
    Signal::derive(move || value())
}

/// A part of a view that is rebuilt when its signals change.
pub fn dyn_view(view: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    shared(Arc::new(view))
}

fn shared(view: Arc<dyn Fn() -> AnyView + Send + Sync>) -> AnyView {
    (move || view()).into_any()
}

/// A view for each key, in the order of the keys. A key that stays keeps its view when it moves.
/// Keys are integers, like ids, so that all lists share one type.
pub fn keyed(keys: Signal<Vec<u128>>, view: impl Fn(u128) -> AnyView + Send + Sync + 'static) -> AnyView {
    keyed_shared(keys, Arc::new(view))
}

fn keyed_shared(keys: Signal<Vec<u128>>, view: Arc<dyn Fn(u128) -> AnyView + Send + Sync>) -> AnyView {
    view! { <For each=move || keys.get() key=|key| *key children=move |key| view(key) /> }.into_any()
}

/// Shows or hides a part of a view. Rebuilds it only when the condition changes.
#[component]
pub fn DynShow(
    /// Condition.
    #[prop(into)]
    is: Signal<bool>,
    /// Content while the condition is false.
    #[prop(optional, into)]
    otherwise: Option<ViewFn>,
    /// Content while the condition is true.
    children: ChildrenFn,
) -> impl IntoView {
    let is = Memo::new(move |_| is.get());
    dyn_view(move || match &otherwise {
        _ if is.get() => children(),
        Some(otherwise) => otherwise.run(),
        None => ().into_any(),
    })
}
