//! The sound of a session, for the tab that has it open.

use environments::{Environment, Sound};
use session::{Session, SessionId, api::Me, notice::SoundState};
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{Control, Error, Result};

/// The sound of a session while its tab is open.
pub struct Listening {
    /// The sound as it plays.
    pub sound: Sound,
    /// Cancelled when the tab is closed in any way, or opens its sound again. The relay checks it before each
    /// forward.
    pub ended: CancellationToken,
    /// The shutdown waits for this token: the relay still has to close its connection.
    _token: TaskTrackerToken,
}

impl Control {
    /// Opens the sound of a session, for the owner and only beside a tab of the same login that has
    /// the session open. So the end of a session, of a login or of the access ends its sound with
    /// its tab.
    pub fn listen(&self, me: &Me, id: SessionId) -> Result<Listening> {
        let session = self.own_session(me, id)?;
        if !session.policy.sound {
            return Err(Error::NoSound("an administrator has turned it off"));
        }
        let environment = self.environments.get(&session.environment_id);
        let sound = environment
            .and_then(|environment| environment.sound(id))
            .ok_or(Error::NoSound("its environment can play none"))?;
        Ok(Listening {
            sound,
            ended: self.tabs.listen(id, me.login).ok_or(Error::NotOpen)?,
            _token: self.tab_tracker.token(),
        })
    }
}

/// The sound that a tab of this session can expect.
pub(crate) fn state(session: &Session, environment: &dyn Environment) -> SoundState {
    if !session.policy.sound {
        SoundState::Off
    } else if environment.sound(session.id).is_some() {
        SoundState::Available
    } else {
        SoundState::Missing
    }
}
