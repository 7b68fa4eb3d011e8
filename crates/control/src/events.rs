//! The log of what happened.

use session::{Role, wire::Me};
use store::Verified;

use crate::{Control, Result, authority::require};

impl Control {
    /// Reads every event and checks that none was changed, added or removed since it was written.
    pub async fn verify_events(&self, me: &Me) -> Result<Verified> {
        require(me, Role::SystemAdmin)?;
        Ok(self.store.verify_events().await?)
    }
}
