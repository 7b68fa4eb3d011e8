//! Newtypes for ids, so that one kind can't be used in place of another.

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
            /// The id as an integer.
            pub const fn number(&self) -> u128 {
                self.0.as_u128()
            }

            /// The inverse of [`Self::number`].
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
    /// Id of a session, one delivered application. Version 7, so ids sort by launch time.
    SessionId
);
id!(
    /// Id of an environment, which runs sessions.
    EnvironmentId
);
id!(
    /// Id of an application, which users launch.
    ApplicationId
);
id!(
    /// Id of a user, a person with an account.
    UserId
);
id!(
    /// Id of a batch of sessions that an administrator expired together.
    BatchId
);

/// Id of a login: the SHA-256 of its cookie's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginId(pub [u8; 32]);
