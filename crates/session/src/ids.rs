//! Newtypes for the kinds of identifier, so that none can stand in for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// As one number.
            pub const fn number(&self) -> u128 {
                self.0.as_u128()
            }

            /// From [`Self::number`].
            pub const fn numbered(number: u128) -> Self {
                Self(Uuid::from_u128(number))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// One delivered application. Version 7, so ids sort by the time of launch.
    SessionId
);
id!(
    /// A place where sessions run.
    EnvironmentId
);
id!(
    /// What a user launches.
    ApplicationId
);
id!(
    /// A person with a login.
    UserId
);
id!(
    /// Sessions that an administrator expired together.
    BatchId
);

/// A login: the SHA-256 of the token in its cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginId(pub [u8; 32]);
