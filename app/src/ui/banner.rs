//! A banner across the page: a problem and its consequence.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// Severity of a banner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Information.
    Info,
    /// The page may show outdated or incomplete data.
    Warning,
    /// A failure.
    Danger,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Info => "banner banner-info",
            Self::Warning => "banner banner-warning",
            Self::Danger => "banner banner-danger",
        }
    }

    /// Screen readers announce a failure immediately, anything else at the next pause.
    const fn role(self) -> &'static str {
        if matches!(self, Self::Danger) {
            "alert"
        } else {
            "status"
        }
    }
}

/// A banner. Its ARIA role makes screen readers announce it when it appears.
#[component]
pub fn Banner(
    /// Severity.
    tone: Tone,
    /// Element id, for the `aria-describedby` of the control that the banner explains.
    #[prop(optional)]
    id: Option<&'static str>,
    /// Replaces the tone's default icon.
    #[prop(optional)]
    glyph: Option<Glyph>,
    /// Message.
    children: Children,
) -> impl IntoView {
    let glyph = glyph.unwrap_or(if tone == Tone::Info {
        Glyph::Info
    } else {
        Glyph::Warning
    });
    view! {
        <div class=tone.class() role=tone.role() id=id>
            <Icon glyph />
            <div class="banner-text">{children()}</div>
        </div>
    }
}
