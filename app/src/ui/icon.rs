//! The icon set: 16 px, one stroke, in the text colour. A label always accompanies an icon, so
//! screen readers skip it.

use leptos::prelude::*;

/// An icon, named by its meaning rather than by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// In progress.
    Waiting,
    /// Running.
    Running,
    /// Ended.
    Ended,
    /// Failed.
    Failed,
    /// Yes.
    Check,
    /// No.
    Dash,
    /// Opens a menu.
    Down,
    /// Sorted in ascending order.
    Up,
    /// Sortable.
    Sort,
    /// Search.
    Search,
    /// Favourite.
    Star,
    /// Refresh.
    Refresh,
    /// Columns of a table.
    Columns,
    /// Copy to the clipboard.
    Copy,
    /// Warning.
    Warning,
    /// Information.
    Info,
    /// Help.
    Help,
    /// Not connected to the server.
    Offline,
    /// A person.
    Person,
    /// Opens in a new tab.
    NewTab,
    /// Previous page.
    Left,
    /// Next page.
    Right,
    /// Close a side panel.
    Close,
    /// Download.
    Download,
    /// Details.
    Details,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Waiting => "M8 1.75a6.25 6.25 0 1 1-6.25 6.25M8 4.5V8l2.25 1.75",
            Self::Running => "M5 3.25v9.5L12.75 8Z",
            Self::Ended => "M4 4h8v8H4Z",
            Self::Failed => {
                "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M5.75 5.75l4.5 4.5M10.25 5.75l-4.5 4.5"
            }
            Self::Check => "M2.75 8.5 6.25 12l7-7.75",
            Self::Dash => "M3.5 8h9",
            Self::Down => "M3.5 6 8 10.5 12.5 6",
            Self::Up => "M3.5 10 8 5.5 12.5 10",
            Self::Sort => "M5 6.25 8 3.25l3 3M5 9.75l3 3 3-3",
            Self::Search => "M7 2.25a4.75 4.75 0 1 1 0 9.5a4.75 4.75 0 0 1 0-9.5M10.5 10.5 14 14",
            Self::Star => "M8 1.75l1.9 4 4.35.55-3.2 3 .85 4.3L8 11.5l-3.9 2.1.85-4.3-3.2-3 4.35-.55Z",
            Self::Refresh => "M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 1.75V4.5h-2.75",
            Self::Columns => "M2 2.75h12v10.5H2ZM6 2.75v10.5M10 2.75v10.5",
            Self::Copy => "M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3",
            Self::Warning => "M8 2 14.5 13.5h-13ZM8 6.5v3.25M8 11.75v.01",
            Self::Info => "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M8 7.25v4M8 4.75v.01",
            Self::Help => {
                "M8 1.75a6.25 6.25 0 1 1 0 12.5a6.25 6.25 0 0 1 0-12.5M6 6.5a2 2 0 1 1 2.8 1.8c-.5.2-.8.5-.8 1.2M8 11.75v.01"
            }
            Self::Offline => {
                "M2 2l12 12M5 8.5a4.5 4.5 0 0 1 2-1.1M11 8.5a4.5 4.5 0 0 0-1-.7M2.5 6a8 8 0 0 1 2.2-1.5M13.5 6A8 8 0 0 0 7 3.8M8 12v.01"
            }
            Self::Person => "M8 2a3 3 0 1 1 0 6a3 3 0 0 1 0-6M2.5 14a5.5 4.75 0 0 1 11 0",
            Self::NewTab => "M6.5 3H3v10h10V9.5M9.5 2.5h4v4M13.25 2.75 7.5 8.5",
            Self::Left => "M10 3.5 5.5 8l4.5 4.5",
            Self::Right => "M6 3.5 10.5 8 6 12.5",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Download => "M8 2v8M4.75 7 8 10.25 11.25 7M2.5 13.5h11",
            Self::Details => "M2.25 3h11.5v10H2.25ZM9.5 3v10M11.25 6h1M11.25 8.5h1",
        }
    }
}

/// A single icon. The label beside it carries the meaning.
#[component]
pub fn Icon(
    /// Icon.
    #[prop(into)]
    glyph: Signal<Glyph>,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d=Signal::derive(move || Some(glyph.get().path())) />
        </svg>
    }
}
