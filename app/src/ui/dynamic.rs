//! The parts of a view that change, without a type of their own.
//!
//! Each closure written into a view is a type, and the browser gets the whole machinery of hydrating, drawing and redrawing
//! once more for each: some kilobytes for a word. Through these, all of them share one.

use std::sync::Arc;

use leptos::prelude::*;

/// A text that follows its signals.
pub fn dyn_text(text: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    derived(Arc::new(text))
}

/// The value of an attribute that follows its signals; `None` takes the attribute away.
pub fn dyn_attr(value: impl Fn() -> Option<&'static str> + Send + Sync + 'static) -> Signal<Option<&'static str>> {
    derived(Arc::new(value))
}

/// An answer that follows its signals.
pub fn dyn_flag(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    derived(Arc::new(is))
}

fn derived<T: Send + Sync + 'static>(value: Arc<dyn Fn() -> T + Send + Sync>) -> Signal<T> {
    Signal::derive(move || value())
}

/// A part of a view that is drawn anew when its signals change.
pub fn dyn_view(view: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    shared(Arc::new(view))
}

fn shared(view: Arc<dyn Fn() -> AnyView + Send + Sync>) -> AnyView {
    (move || view()).into_any()
}

/// A part for each key, in their order. A key that stays keeps its part, wherever it goes. Keys are numbers, such as ids are,
/// so that all lists share one.
pub fn keyed(keys: Signal<Vec<u128>>, view: impl Fn(u128) -> AnyView + Send + Sync + 'static) -> AnyView {
    keyed_shared(keys, Arc::new(view))
}

fn keyed_shared(keys: Signal<Vec<u128>>, view: Arc<dyn Fn(u128) -> AnyView + Send + Sync>) -> AnyView {
    view! { <For each=move || keys.get() key=|key| *key children=move |key| view(key) /> }.into_any()
}

/// A part that is there, or not. Drawn anew only when that changes.
#[component]
pub fn DynShow(
    /// Is it there?
    #[prop(into)]
    is: Signal<bool>,
    /// What stands there otherwise.
    #[prop(optional, into)]
    otherwise: Option<ViewFn>,
    /// The part.
    children: ChildrenFn,
) -> impl IntoView {
    let is = Memo::new(move |_| is.get());
    dyn_view(move || match &otherwise {
        _ if is.get() => children(),
        Some(otherwise) => otherwise.run(),
        None => ().into_any(),
    })
}
