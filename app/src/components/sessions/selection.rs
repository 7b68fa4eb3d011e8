//! The sessions that an administrator selected: either ids, so that the selection survives refresh,
//! sort and paging, or all that match the search, on any page. Ids sort by start.

use leptos::prelude::*;
use session::{
    SessionId, Status,
    api::SessionView,
    batch::{MAX_CHOSEN, Selector},
    view::View,
};

use super::{
    model::{Model, Row},
    view_url::ViewUrl,
};
use crate::ui::{
    dynamic::{DynShow, dyn_attr, dyn_flag, dyn_text},
    number::Numbers,
};

/// Maximum number of individually selected sessions; "all that match" covers more.
const MAX_BY_HAND: usize = 1000;

/// The selection. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Selection {
    picked: RwSignal<Picked>,
    /// The row of the last change; a click with Shift selects from there.
    anchor: StoredValue<Option<SessionId>>,
    model: Model,
}

#[derive(Clone, PartialEq)]
enum Picked {
    /// Sorted.
    These(Vec<SessionId>),
    Matching(View),
}

impl Selection {
    /// An empty selection. "All that match" ends when the search changes.
    pub fn new(model: Model, url: ViewUrl) -> Self {
        let picked = RwSignal::new(Picked::These(Vec::new()));
        Effect::new(move || {
            let now = filter(url.get());
            if matches!(&*picked.read_untracked(), Picked::Matching(then) if *then != now) {
                picked.set(Picked::These(Vec::new()));
            }
        });
        Self {
            picked,
            anchor: StoredValue::new(None),
            model,
        }
    }

    /// Whether this session is selected.
    pub fn has(&self, id: SessionId) -> bool {
        match &*self.picked.read() {
            Picked::These(ids) => ids.binary_search(&id).is_ok(),
            Picked::Matching(_) => true,
        }
    }

    /// Selects or deselects a session.
    pub fn choose(&self, id: SessionId, chosen: bool) {
        self.choose_all(&[id], chosen);
    }

    /// Selects or deselects a session; with Shift, every row from the last change to this one.
    pub fn press(&self, id: SessionId, chosen: bool, shift: bool) {
        let page = untrack(|| self.on_page());
        let place = |id: SessionId| page.iter().position(|known| *known == id);
        let anchor = self.anchor.get_value().filter(|_| shift);
        let range = anchor.and_then(place).zip(place(id));
        match range {
            Some((from, to)) => self.choose_all(&page[from.min(to)..=from.max(to)], chosen),
            None => self.choose(id, chosen),
        }
        self.anchor.set_value(Some(id));
    }

    /// Deselects a session that can no longer be expired.
    pub fn forget(&self, id: SessionId) {
        if matches!(&*self.picked.read_untracked(), Picked::These(ids) if ids.contains(&id)) {
            self.choose(id, false);
        }
    }

    /// Selects or deselects all sessions of the page that can be expired.
    pub fn choose_page(&self, chosen: bool) {
        self.choose_all(&untrack(|| self.on_page()), chosen);
    }

    /// Clears the selection.
    pub fn clear(&self) {
        self.picked.set(Picked::These(Vec::new()));
    }

    /// Selects exactly these sessions.
    pub fn keep(&self, ids: &[SessionId]) {
        self.clear();
        self.choose_all(ids, true);
    }

    /// Drops the subscriptions of removed rows.
    pub fn shed(&self) {
        self.picked.notify();
    }

    /// Whether the selection is empty.
    pub fn is_empty(&self) -> bool {
        matches!(&*self.picked.read(), Picked::These(ids) if ids.is_empty())
    }

    /// The selection in the form that the server expects.
    pub fn selector(&self) -> Selector {
        match &*self.picked.read_untracked() {
            Picked::These(ids) => Selector::Ids(ids.clone()),
            Picked::Matching(view) => Selector::Matching(Box::new(view.clone())),
        }
    }

    /// Sessions of the page that can be expired.
    fn on_page(&self) -> Vec<SessionId> {
        let order = self.model.order.read();
        let can_end = |id: &&SessionId| self.model.row(**id).is_some_and(|row| is_choosable(&row.read()));
        order.iter().filter(can_end).copied().collect()
    }

    /// Number of selected sessions on the page, and of all that can be selected there.
    fn of_page(&self) -> (usize, usize) {
        let page = self.on_page();
        (page.iter().filter(|id| self.has(**id)).count(), page.len())
    }

    /// Selects or deselects these sessions. Deselecting some of "all that match" keeps the others
    /// of the page.
    fn choose_all(&self, which: &[SessionId], chosen: bool) {
        let (mut ids, page) = match &*self.picked.read_untracked() {
            Picked::These(ids) => (ids.clone(), Vec::new()),
            Picked::Matching(_) => (Vec::new(), untrack(|| self.on_page())),
        };
        let each = page
            .iter()
            .map(|id| (id, true))
            .chain(which.iter().map(|id| (id, chosen)));
        for (id, chosen) in each {
            match ids.binary_search(id) {
                Ok(place) if !chosen => _ = ids.remove(place),
                Err(place) if chosen => ids.insert(place, *id),
                _ => {}
            }
        }
        if ids.len() <= MAX_BY_HAND {
            self.picked.set(Picked::These(ids));
        }
    }
}

/// Whether the session can be selected, which needs a session that can still be expired.
pub fn is_choosable(session: &SessionView) -> bool {
    session.status != Status::Expired
}

/// The parts of a view that decide which sessions match.
fn filter(view: View) -> View {
    View {
        q: view.q,
        status: view.status,
        connected: view.connected,
        ..View::default()
    }
}

/// The check box of a row.
#[component]
pub fn SelectRow(
    /// Row to select.
    row: Row,
    /// Selection to change.
    selection: Selection,
) -> impl IntoView {
    let session = RwSignal::from(row);
    let id = session.read_untracked().id;
    let choosable = Memo::new(move |_| is_choosable(&session.read()));
    Effect::new(move || {
        if !choosable.get() {
            selection.forget(id);
        }
    });
    let name = dyn_text(move || {
        let session = session.read();
        format!("Select session of {} in {}", session.username, session.environment)
    });
    view! {
        <td class="col-select needs-js">
            <DynShow is=choosable>
                <input
                    type="checkbox"
                    class="select"
                    aria-label=name
                    aria-description=dyn_text(move || session.read().application.to_string())
                    prop:checked=Signal::derive(move || selection.has(id))
                    on:click=move |event| selection.press(id, event_target_checked(&event), event.shift_key())
                />
            </DynShow>
        </td>
    }
    .into_any()
}

/// The check box that selects the page.
#[component]
pub fn SelectPage(
    /// Selection to change.
    selection: Selection,
) -> impl IntoView {
    let of_page = Memo::new(move |_| selection.of_page());
    let all = move || matches!(of_page.get(), (chosen, page) if page > 0 && chosen == page);
    let some = move || matches!(of_page.get(), (chosen, page) if chosen > 0 && chosen < page);
    view! {
        <td class="col-select needs-js">
            <input
                type="checkbox"
                class="select"
                aria-label="Select all sessions on this page"
                disabled=dyn_flag(move || of_page.get().1 == 0)
                prop:checked=Signal::derive(all)
                prop:indeterminate=Signal::derive(some)
                on:change=move |event| selection.choose_page(event_target_checked(&event))
            />
        </td>
    }
    .into_any()
}

/// The number of selected sessions and the actions on them. Always present, so that the first
/// selection moves nothing.
#[component]
pub fn SelectionBar(
    /// Selection to show.
    selection: Selection,
    /// List on screen.
    model: Model,
    /// Address of the list.
    url: ViewUrl,
    /// Whether actions are likely to reach the server.
    #[prop(into)]
    reachable: Signal<bool>,
    /// Opens the question for the selection.
    #[prop(into)]
    on_expire: Callback<()>,
) -> impl IntoView {
    let numbers = Numbers::here();
    let some = Memo::new(move |_| !selection.is_empty());
    let matching = move || {
        let head = model.head.read();
        let shown = url.get();
        let (live, counts) = (shown.status != Some(Status::Expired), head.counts);
        let ended = if shown.status.is_none() && !shown.connected {
            counts.expired
        } else {
            0
        };
        if live { head.total - ended.min(head.total) } else { 0 }
    };
    let text = dyn_text(move || match &*selection.picked.read() {
        Picked::These(ids) if ids.len() >= MAX_BY_HAND => format!("{MAX_BY_HAND} selected, the most by hand"),
        Picked::These(ids) => format!("{} selected", ids.len()),
        Picked::Matching(_) => format!("All {} that match selected", numbers.text(matching())),
    });
    // Offered if the whole page is selected and more sessions match.
    let offers_all = Memo::new(move |_| {
        let (chosen, page) = selection.of_page();
        let more = matching() as usize;
        matches!(&*selection.picked.read(), Picked::These(_))
            && page > 0
            && chosen == page
            && more > page
            && more <= MAX_CHOSEN
    });
    let choose_all = move |_| selection.picked.set(Picked::Matching(filter(url.get_untracked())));
    let expire = move |_| {
        if reachable.get_untracked() {
            on_expire.run(());
        }
    };
    view! {
        <div class="selection needs-js" role="group" aria-label="Selection">
            <DynShow is=some>
                <span class="tabular" role="status">{text}</span>
                <DynShow is=offers_all>
                    <button type="button" class="button button-small" on:click=choose_all>
                        {dyn_text(move || format!("Select all {} that match", numbers.text(matching())))}
                    </button>
                </DynShow>
                <button type="button" class="button button-small" on:click=move |_| selection.clear()>
                    "Clear selection"
                </button>
                <button
                    type="button"
                    class="button button-small button-danger"
                    aria-haspopup="dialog"
                    aria-disabled=dyn_attr(move || (!reachable.get()).then_some("true"))
                    on:click=expire
                >
                    "Expire selected"
                </button>
            </DynShow>
        </div>
    }
    .into_any()
}
