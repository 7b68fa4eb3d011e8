//! Random applications and pictures.

use std::num::NonZeroU32;

use session::{
    ApplicationId, EnvironmentId, Policy,
    catalogue::{
        ApplicationSpec,
        appearance::{Appearance, hex},
    },
};
use store::Application;
use uuid::Uuid;

use super::Draw;

impl Draw {
    pub(super) fn spec(&mut self, n: u128) -> ApplicationSpec {
        let name = if self.one_in(5) { n + 1 } else { n };
        ApplicationSpec {
            name: format!("Program {name}").into(),
            launch_text: self.words().into(),
            environment_id: if self.one_in(12) {
                self.place()
            } else {
                EnvironmentId(Uuid::from_u128(200 + n % 2))
            },
            command: self.pick(&[vec![], vec!["xterm".to_owned(), "a b".to_owned()]]),
            seats: self.pick(&[None, Some(1), Some(2), Some(0)]),
            policy: Policy {
                total_seconds: self.pick(&[None, NonZeroU32::new(600), NonZeroU32::new(u32::MAX)]),
                ..Policy::default()
            },
            appearance: self.appearance(),
        }
    }

    fn appearance(&mut self) -> Appearance {
        let icon = match self.below(4) {
            0 => Some(hex(&self.picture()).into()),
            1 => Some("terminal".into()),
            _ => None,
        };
        Appearance {
            description: self.words().into(),
            category: self.words().into(),
            icon,
        }
    }

    pub(super) fn picture(&mut self) -> [u8; 32] {
        [u8::try_from(self.below(3)).unwrap(); 32]
    }

    pub(super) fn application(&mut self, n: u128) -> Application {
        Application::new(ApplicationId(Uuid::from_u128(100 + n)), self.spec(n), !self.one_in(8))
    }
}
