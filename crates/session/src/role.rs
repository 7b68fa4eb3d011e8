//! The roles. Each includes the permissions of those below it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::code::UnknownCode;

/// A person's permissions. Ordered, so compare with `role >= Role::AppAdmin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Launch, resume and end own sessions. Also the fallback for an unknown role.
    #[default]
    User,
    /// View aggregated numbers only.
    Reporter,
    /// Manage applications and delivery methods.
    AppAdmin,
    /// Everything. The only role with access to the Sessions page.
    SystemAdmin,
}

impl Role {
    /// All roles, lowest first.
    pub const ALL: [Self; 4] = [Self::User, Self::Reporter, Self::AppAdmin, Self::SystemAdmin];

    /// Label for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Reporter => "Reporter",
            Self::AppAdmin => "App Admin",
            Self::SystemAdmin => "System Admin",
        }
    }

    /// Code on the command line and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Reporter => "reporter",
            Self::AppAdmin => "app-admin",
            Self::SystemAdmin => "system-admin",
        }
    }

    /// The role for a stored code; User if it is unknown or missing.
    pub fn from_stored(code: &str) -> Self {
        code.parse().unwrap_or_default()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Role {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .into_iter()
            .find(|role| role.code() == text)
            .ok_or_else(|| UnknownCode::new(text, "a role; use user, reporter, app-admin or system-admin"))
    }
}
