//! The columns that an administrator has chosen for the list of sessions and for the table of
//! events. The store keeps them.

use serde::{Serialize, de::DeserializeOwned};
use session::{Role, api::Me, audit, columns::Choice};

use crate::{Control, Result, authorization::require};

const SESSIONS: &str = "sessions.columns";
const EVENTS: &str = "events.columns";

impl Control {
    /// The choice of this administrator for the sessions, or the default.
    pub async fn columns(&self, me: &Me) -> Result<Choice> {
        self.choice(me, SESSIONS).await
    }

    /// Stores a choice for the sessions; `None` goes back to the default. Returns the choice that is
    /// now in effect.
    pub async fn set_columns(&self, me: &Me, choice: Option<Choice>) -> Result<Choice> {
        self.set_choice(me, SESSIONS, choice).await
    }

    /// The choice of this administrator for the events, or the default.
    pub async fn event_columns(&self, me: &Me) -> Result<audit::Columns> {
        self.choice(me, EVENTS).await
    }

    /// Stores a choice for the events; `None` goes back to the default. Returns the choice that is
    /// now in effect.
    pub async fn set_event_columns(&self, me: &Me, choice: Option<audit::Columns>) -> Result<audit::Columns> {
        self.set_choice(me, EVENTS, choice).await
    }

    async fn choice<T: DeserializeOwned + Default>(&self, me: &Me, name: &str) -> Result<T> {
        require(me, Role::SystemAdmin)?;
        let stored = self.store.preference(me.user_id, name).await?;
        Ok(stored
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    async fn set_choice<T: Serialize + Default>(&self, me: &Me, name: &str, choice: Option<T>) -> Result<T> {
        require(me, Role::SystemAdmin)?;
        let text = choice.as_ref().and_then(|choice| serde_json::to_string(choice).ok());
        self.store.set_preference(me.user_id, name, text.as_deref()).await?;
        Ok(choice.unwrap_or_default())
    }
}
