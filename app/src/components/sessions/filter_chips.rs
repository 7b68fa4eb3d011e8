//! Filter chips, each with its number of matching sessions.

use leptos::prelude::*;
use session::{Status, api::Counts, view::View};

use super::{model::Model, view_url::ViewUrl};
use crate::ui::{
    dynamic::{dyn_attr, dyn_text},
    number::Numbers,
};

/// The filter of a chip.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chip {
    All,
    Only(Status),
    Connected,
}

impl Chip {
    const EACH: [Self; 6] = [
        Self::All,
        Self::Only(Status::Pending),
        Self::Only(Status::Active),
        Self::Only(Status::Expired),
        Self::Only(Status::Error),
        Self::Connected,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Only(status) => status.label(),
            Self::Connected => "Connected",
        }
    }

    const fn count(self, counts: &Counts) -> u32 {
        match self {
            Self::All => counts.all,
            Self::Only(status) => counts.of(status),
            Self::Connected => counts.connected,
        }
    }

    fn of(view: &View) -> Self {
        match (view.connected, view.status) {
            (true, _) => Self::Connected,
            (false, Some(status)) => Self::Only(status),
            (false, None) => Self::All,
        }
    }

    fn view(self, view: View) -> View {
        let status = if let Self::Only(status) = self {
            Some(status)
        } else {
            None
        };
        View {
            status,
            connected: self == Self::Connected,
            ..view.from_the_top()
        }
    }
}

/// Chips for All, each status and Connected: links that keep search and order and work without
/// JavaScript.
#[component]
pub fn Chips(
    /// List on screen.
    model: Model,
    /// Address of the list.
    url: ViewUrl,
) -> impl IntoView {
    let numbers = Numbers::here();
    let chip = move |chip: Chip| {
        let on = Memo::new(move |_| Chip::of(&url.get()) == chip);
        let count = dyn_text(move || numbers.text(chip.count(&model.head.read().counts)));
        view! {
            <li>
                <a
                    class="chip"
                    href=dyn_text(move || url.link(&chip.view(url.get())))
                    aria-current=dyn_attr(move || on.get().then_some("true"))
                    data-noscroll="true"
                >
                    {chip.label()} " " <span class="chip-count tabular">{count}</span>
                </a>
            </li>
        }
    };
    view! {
        <ul class="chips" aria-label="Show">
            {Chip::EACH.map(chip).collect_view()}
        </ul>
    }
    .into_any()
}
