//! Checks of the role. Every use-case calls [`require`] first.

use session::{Actor, Role, api::Me};

use crate::{Error, Result};

/// Refuses a person whose role is lower than `role`.
pub const fn require(me: &Me, role: Role) -> Result<()> {
    if me.role as u8 >= role as u8 {
        Ok(())
    } else {
        Err(Error::Forbidden(role))
    }
}

/// The person as the actor of an event.
pub fn actor(me: &Me) -> Actor {
    Actor::Person {
        user_id: me.user_id,
        username: me.username.clone(),
        origin: me.origin.clone(),
    }
}
