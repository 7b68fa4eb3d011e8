//! My apps as the page polls it: the cards of the catalogue, which seldom change, apart from what
//! changes while a person uses them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{LastFailure, SessionView};
use crate::{ApplicationId, HomeKind, Timestamp, catalogue::appearance::Appearance};

/// The most applications that My apps shows as recently used.
pub const MAX_RECENT: usize = 6;

/// An application on My apps, the same for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCard {
    /// Id that a launch sends.
    pub id: ApplicationId,
    /// Name on “My apps”.
    pub name: Arc<str>,
    /// Text of the launch button.
    pub launch_text: Arc<str>,
    /// The fate of the files of a new session; `None` = it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<HomeKind>,
    /// Whether it can be launched now.
    pub open: bool,
    /// Description, category and icon. Applications of one category have it in the same spelling.
    #[serde(default, skip_serializing_if = "Appearance::is_default")]
    pub appearance: Appearance,
}

/// All cards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCards {
    /// The cards, by name.
    pub items: Vec<AppCard>,
    /// The categories in the order of their sections, which accents and case do not change.
    pub categories: Vec<Arc<str>>,
}

/// My apps of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyApps {
    /// Version of the cards: equal versions are equal cards.
    pub version: Arc<str>,
    /// The cards; `None` if the caller has those of this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cards: Option<Arc<AppCards>>,
    /// The person's live sessions.
    pub sessions: Vec<SessionView>,
    /// The failures of the person's last sessions, except where a live session follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<(ApplicationId, LastFailure)>,
    /// The applications that the person has marked, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub favourites: Vec<ApplicationId>,
    /// The applications that the person launched last, the newest first; at most [`MAX_RECENT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<ApplicationId>,
}

/// An application on "My apps", with the user's live session of it, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyApplication {
    /// Id that a launch sends.
    pub id: ApplicationId,
    /// Name on “My apps”.
    pub name: Arc<str>,
    /// Text of the launch button.
    pub launch_text: Arc<str>,
    /// The fate of the files of a new session; `None` = it has none.
    #[serde(default)]
    pub home: Option<HomeKind>,
    /// Whether it can be launched now.
    #[serde(default)]
    pub open: bool,
    /// Description, category and icon.
    #[serde(default)]
    pub appearance: Appearance,
    /// Whether the user marked it.
    #[serde(default)]
    pub favourite: bool,
    /// Time of the user's last launch of it; `None` = never launched.
    #[serde(default)]
    pub used_at: Option<Timestamp>,
    /// The live session, if there is one.
    pub session: Option<SessionView>,
    /// Without a live session: the failure of the user's previous one, until the next launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<LastFailure>,
}
