//! Homes: the folders of people's files in an environment, and their fate at the end of a session.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{code::UnknownCode, format};

/// The limit of a new environment, in MiB.
const DEFAULT_LIMIT_MIB: u32 = 2048;

/// From this share of the limit on, a tab shows a warning; in percent (docs/spec.md §5).
const WARNED_AT_PERCENT: u64 = 90;

/// The fate of the files in the home of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HomeKind {
    /// All sessions of a person have one home, and it stays after their end.
    Kept,
    /// Each session has a home of its own, which is deleted at its end.
    Scratch,
}

impl HomeKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Kept, Self::Scratch];

    /// Code in JSON, at the command line and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Scratch => "scratch",
        }
    }
}

impl fmt::Display for HomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for HomeKind {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.code() == text)
            .ok_or_else(|| UnknownCode::new(text, "a kind of homes; use kept or scratch"))
    }
}

/// The fate of files, for people who decide about a launch.
pub const fn outlook(home: Option<HomeKind>) -> &'static str {
    match home {
        Some(HomeKind::Scratch) => "When the session ends, its files are deleted.",
        Some(HomeKind::Kept) => "When the session ends, saved files stay and unsaved work is lost.",
        None => "When the session ends, unsaved work is lost.",
    }
}

/// The consequence of the end of a session, for its user.
pub const fn end_consequence(home: Option<HomeKind>) -> &'static str {
    match home {
        Some(HomeKind::Scratch) => "The application closes. Its files are deleted, and unsaved work is lost.",
        Some(HomeKind::Kept) => "The application closes. Unsaved work is lost. Saved files stay.",
        None => "The application closes. Unsaved work is lost.",
    }
}

/// The homes of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Homes {
    /// The fate of files.
    pub kind: HomeKind,
    /// The most that the kept home of one person may use, in MiB; `None` = no limit. Without effect
    /// on scratch homes.
    pub limit_mib: Option<NonZeroU32>,
}

impl Default for Homes {
    fn default() -> Self {
        Self {
            kind: HomeKind::Kept,
            limit_mib: NonZeroU32::new(DEFAULT_LIMIT_MIB),
        }
    }
}

impl Homes {
    /// The limit of a kept home in bytes.
    pub fn limit(self) -> Option<u64> {
        let limit = self.limit_mib.filter(|_| self.kind == HomeKind::Kept)?;
        Some(u64::from(limit.get()) << 20)
    }

    /// For administrators: `Kept, at most 2 GiB a person`.
    pub fn words(self) -> String {
        match (self.kind, self.limit()) {
            (HomeKind::Scratch, _) => "Deleted with the session".to_owned(),
            (HomeKind::Kept, None) => "Kept, without a limit".to_owned(),
            (HomeKind::Kept, Some(limit)) => format!("Kept, at most {} a person", format::bytes(limit)),
        }
    }
}

/// The size of a kept home beside its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeUse {
    /// Bytes in use. A measurement stops above the limit.
    pub used: u64,
    /// The limit in bytes.
    pub limit: u64,
}

impl HomeUse {
    /// True if launches are refused.
    pub const fn is_full(self) -> bool {
        self.used >= self.limit
    }

    /// True if the person must be warned.
    pub const fn is_nearly_full(self) -> bool {
        self.used >= self.limit / 100 * WARNED_AT_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kept_homes_have_a_limit() {
        let homes = Homes::default();
        assert_eq!(homes.limit(), Some(2 << 30));
        assert_eq!(homes.words(), "Kept, at most 2 GiB a person");
        let scratch = Homes {
            kind: HomeKind::Scratch,
            ..homes
        };
        assert_eq!((scratch.limit(), &*scratch.words()), (None, "Deleted with the session"));
        let free = Homes {
            limit_mib: None,
            ..homes
        };
        assert_eq!((free.limit(), &*free.words()), (None, "Kept, without a limit"));
    }

    #[test]
    fn the_warning_comes_before_the_refusal() {
        let at = |used| HomeUse { used, limit: 1000 };
        assert!(!at(899).is_nearly_full() && at(900).is_nearly_full() && !at(999).is_full() && at(1000).is_full());
    }
}
