//! Which columns an administrator shows, kept on the server.

use session::{Role, columns::Choice, wire::Me};

use crate::{Control, Result, authority::require};

const NAME: &str = "sessions.columns";

impl Control {
    /// The administrator's choice, or the default.
    pub async fn columns(&self, me: &Me) -> Result<Choice> {
        require(me, Role::SystemAdmin)?;
        let stored = self.store.preference(me.user_id, NAME).await?;
        Ok(stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// Keeps a choice; `None` goes back to the default. Answers what holds now.
    pub async fn set_columns(&self, me: &Me, choice: Option<Choice>) -> Result<Choice> {
        require(me, Role::SystemAdmin)?;
        let text = choice.as_ref().and_then(|choice| serde_json::to_string(choice).ok());
        self.store.set_preference(me.user_id, NAME, text.as_deref()).await?;
        Ok(choice.unwrap_or_default())
    }
}
