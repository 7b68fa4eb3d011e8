//! The sound of a session: only for its tab, and no longer than it.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use control::{Error, Listening, Options};
use environment_simulated::{Simulated, SimulatedPlan};
use environments::{Duplex, Environment, EnvironmentError, Observed, Sound, StartSpec};
use session::{
    ApplicationId, Policy, SessionId,
    notice::{Notice, SoundState},
};
use store::Application;
use tokio::time::timeout;
use uuid::Uuid;

use crate::fixture::{ENVIRONMENT, Fixture, HOME, PASSWORD, PATIENCE, client};

/// An environment whose sessions play nothing, but could.
struct Sounding(Arc<Simulated>);

#[async_trait]
impl Environment for Sounding {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    async fn start(&self, spec: StartSpec) -> Result<(), EnvironmentError> {
        self.0.start(spec).await
    }

    async fn observe(&self) -> Result<Vec<Observed>, EnvironmentError> {
        self.0.observe().await
    }

    async fn stop(&self, id: SessionId) -> Result<(), EnvironmentError> {
        self.0.stop(id).await
    }

    async fn connect(&self, id: SessionId) -> Result<Box<dyn Duplex>, EnvironmentError> {
        self.0.connect(id).await
    }

    fn sound(&self, _id: SessionId) -> Option<Sound> {
        Some(Box::new(tokio::io::empty()))
    }
}

async fn fixture() -> Fixture {
    let through = |inner| Arc::new(Sounding(inner)) as Arc<dyn Environment>;
    Fixture::reached(SimulatedPlan::default(), Options::default(), through).await
}

async fn ended(listening: &Listening) {
    timeout(PATIENCE, listening.ended.cancelled()).await.unwrap();
}

#[tokio::test]
async fn sound_is_for_the_login_that_has_the_tab_open() {
    let fixture = fixture().await;
    let id = fixture.active().await;
    let refused = |me| fixture.control.listen(me, id).map(drop).unwrap_err();
    assert!(matches!(refused(&fixture.student), Error::NotOpen));
    let (mut tab, _bytes) = fixture.open(id).await;
    let limits = timeout(PATIENCE, tab.notices.recv()).await.unwrap().unwrap();
    assert!(
        matches!(
            limits,
            Notice::Limits {
                sound: SoundState::Available,
                ..
            }
        ),
        "{limits:?}"
    );
    assert!(fixture.control.listen(&fixture.student, id).is_ok());
    assert!(matches!(refused(&fixture.other), Error::NoSession(_)));
    assert!(matches!(refused(&fixture.admin), Error::NoSession(_)));

    let token = fixture
        .control
        .sign_in("student", PASSWORD, &client(HOME))
        .await
        .unwrap();
    let elsewhere = fixture.control.authenticate(&token).await.unwrap().unwrap();
    assert!(matches!(refused(&elsewhere), Error::NotOpen));
}

#[tokio::test]
async fn sound_ends_with_its_tab_and_when_the_tab_opens_it_again() {
    let fixture = fixture().await;
    let id = fixture.active().await;
    let (tab, _bytes) = fixture.open(id).await;
    let first = fixture.control.listen(&fixture.student, id).unwrap();
    let second = fixture.control.listen(&fixture.student, id).unwrap();
    assert!(first.ended.is_cancelled() && !second.ended.is_cancelled());

    let (other, _bytes) = fixture.open(id).await;
    assert!(second.ended.is_cancelled(), "another tab has it open");
    let third = fixture.control.listen(&fixture.student, id).unwrap();
    drop(tab);
    assert!(!third.ended.is_cancelled());
    fixture.control.end_own(&fixture.student, id).await.unwrap();
    ended(&third).await;
    assert!(matches!(
        fixture.control.listen(&fixture.student, id).map(drop),
        Err(Error::NotOpen)
    ));
    drop(other);
}

#[tokio::test]
async fn sound_ends_with_the_login() {
    let fixture = fixture().await;
    let id = fixture.active().await;
    let (_tab, _bytes) = fixture.open(id).await;
    let listening = fixture.control.listen(&fixture.student, id).unwrap();
    fixture.control.sign_out(&fixture.student).await.unwrap();
    ended(&listening).await;
}

#[tokio::test]
async fn a_policy_without_sound_is_kept_by_the_server() {
    let fixture = fixture().await;
    let application = Application {
        id: ApplicationId(Uuid::from_u128(77)),
        name: "Quiet".into(),
        launch_text: "Launch".into(),
        appearance: Default::default(),
        environment_id: ENVIRONMENT,
        command: vec!["quiet".into()],
        policy: Policy {
            sound: false,
            ..Policy::default()
        },
        seats: None,
        open: true,
    };
    let added = fixture
        .store
        .add_application(&application, &session::Actor::System, fixture.control.now());
    added.await.unwrap();
    let id = fixture
        .control
        .launch(&fixture.student, application.id)
        .await
        .unwrap()
        .id;
    let (mut tab, _bytes) = fixture.open(id).await;
    let limits = timeout(PATIENCE, tab.notices.recv()).await.unwrap().unwrap();
    assert!(
        matches!(
            limits,
            Notice::Limits {
                sound: SoundState::Off,
                ..
            }
        ),
        "{limits:?}"
    );
    let refused = fixture.control.listen(&fixture.student, id).map(drop);
    assert!(matches!(refused, Err(Error::NoSound(_))));
}
