//! The columns that an administrator has chosen for the list of sessions. The store keeps them.

use session::{Role, api::Me, columns::Choice};

use crate::{Control, Result, authorization::require};

const NAME: &str = "sessions.columns";

impl Control {
    /// The choice of this administrator, or the default.
    pub async fn columns(&self, me: &Me) -> Result<Choice> {
        require(me, Role::SystemAdmin)?;
        let stored = self.store.preference(me.user_id, NAME).await?;
        Ok(stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Stores a choice; `None` goes back to the default. Returns the choice that is now in effect.
    pub async fn set_columns(&self, me: &Me, choice: Option<Choice>) -> Result<Choice> {
        require(me, Role::SystemAdmin)?;
        let text = choice.as_ref().and_then(|choice| serde_json::to_string(choice).ok());
        self.store.set_preference(me.user_id, NAME, text.as_deref()).await?;
        Ok(choice.unwrap_or_default())
    }
}
