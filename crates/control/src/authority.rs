//! Who may do what: asked first by every use-case.

use session::{Actor, Role, wire::Me};

use crate::{Error, Result};

/// Refuses whoever has not at least this role.
pub const fn require(me: &Me, role: Role) -> Result<()> {
    if me.role as u8 >= role as u8 {
        Ok(())
    } else {
        Err(Error::Forbidden(role))
    }
}

/// The person as the log names them.
pub fn actor(me: &Me) -> Actor {
    Actor::Person {
        user_id: me.user_id,
        username: me.username.clone(),
        origin: me.origin.clone(),
    }
}
