//! The directions in which data may cross the border of a session.

use serde::{Deserialize, Serialize};

/// The permitted directions of a kind of data, e.g. of the clipboard, seen from the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// Into the session and out of it.
    #[default]
    Both,
    /// Only from the user's device into the session.
    In,
    /// Only from the session to the user's device.
    Out,
    /// In no direction.
    Off,
}

impl Transfer {
    /// All values, in the order of a form.
    pub const ALL: [Self; 4] = [Self::Both, Self::In, Self::Out, Self::Off];

    /// Name in forms, on the command line and in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::In => "in",
            Self::Out => "out",
            Self::Off => "off",
        }
    }

    /// The value with this [`code`](Self::code).
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transfer| transfer.code() == code)
    }

    /// Label for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Both => "Both ways",
            Self::In => "Into the session only",
            Self::Out => "Out of the session only",
            Self::Off => "Off",
        }
    }

    /// Whether data may go from the user's device into the session.
    pub const fn allows_in(self) -> bool {
        matches!(self, Self::Both | Self::In)
    }

    /// Whether data may go from the session to the user's device.
    pub const fn allows_out(self) -> bool {
        matches!(self, Self::Both | Self::Out)
    }

    /// The directions that both permit.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (
            self.allows_in() && other.allows_in(),
            self.allows_out() && other.allows_out(),
        ) {
            (true, true) => Self::Both,
            (true, false) => Self::In,
            (false, true) => Self::Out,
            (false, false) => Self::Off,
        }
    }

    /// Whether this is the default.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_restrictions_permit_the_directions_of_both() {
        for one in Transfer::ALL {
            assert_eq!(one.and(Transfer::Both), one);
            assert_eq!(one.and(one), one);
            assert_eq!(one.and(Transfer::Off), Transfer::Off);
        }
        assert_eq!(Transfer::In.and(Transfer::Out), Transfer::Off);
    }

    #[test]
    fn each_value_is_found_by_its_code_and_has_the_same_name_in_json() {
        for transfer in Transfer::ALL {
            assert_eq!(Transfer::of_code(transfer.code()), Some(transfer));
            let json = serde_json::to_string(&transfer).unwrap();
            assert_eq!(json, format!("\"{}\"", transfer.code()));
        }
        assert_eq!(Transfer::of_code("Both"), None);
    }
}
