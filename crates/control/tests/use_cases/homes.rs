//! Kept homes: their limit refuses launches, and a tab is warned before.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::num::NonZeroU32;

use control::Error;
use session::{ApplicationId, HomeKind, Homes, Role, api::Me, notice::Notice, refusal::LaunchRefusal, timeline};
use store_testing::conformance::{catalogue_events, denials};
use tokio::time::timeout;

use crate::fixture::{ENVIRONMENT, Fixture, PATIENCE};

const MIB: u64 = 1 << 20;

fn at_most(mib: u32) -> Homes {
    Homes {
        kind: HomeKind::Kept,
        limit_mib: NonZeroU32::new(mib),
    }
}

async fn with_homes(homes: Homes) -> Fixture {
    let fixture = Fixture::new().await;
    // Its environment is a simulated one, which has no homes by itself.
    let by = session::Actor::System;
    let set = fixture.store.set_homes(ENVIRONMENT, homes, &by, fixture.control.now());
    assert!(set.await.unwrap());
    fixture
        .control
        .set_homes(&fixture.admin, ENVIRONMENT, homes)
        .await
        .unwrap();
    fixture
}

async fn next_home(fixture: &Fixture, notices: &mut tokio::sync::mpsc::UnboundedReceiver<Notice>) -> (u64, bool, bool) {
    fixture.control.warn_of_full_homes().await.unwrap();
    loop {
        let notice = timeout(PATIENCE, notices.recv()).await.unwrap().unwrap();
        if let Notice::Home { size, warn, full } = notice {
            return (size.used / MIB, warn, full);
        }
    }
}

#[tokio::test]
async fn a_full_home_refuses_new_sessions_and_no_resume() {
    let fixture = with_homes(at_most(100)).await;
    let live = fixture.active().await;
    fixture.environment.set_home_size(100 * MIB);
    let resumed = fixture.control.launch(&fixture.student, fixture.desktop).await.unwrap();
    assert_eq!(resumed.id, live, "a live session is resumed");
    for _ in 0..2 {
        let refused = fixture.control.launch(&fixture.other, fixture.desktop).await;
        assert!(
            matches!(refused, Err(Error::Denied(LaunchRefusal::HomeFull))),
            "{refused:?}"
        );
    }
    let stored = denials(&*fixture.store).await;
    assert_eq!(stored.len(), 1, "equal refusals are counted");
    assert!(timeline::sentence(&stored[0]).contains("Desktop refused: Your files have reached their size limit"));
    fixture.environment.set_home_size(100 * MIB - 1);
    fixture.control.launch(&fixture.other, fixture.desktop).await.unwrap();
}

#[tokio::test]
async fn a_home_that_cannot_be_measured_refuses_nothing() {
    let fixture = with_homes(at_most(1)).await;
    fixture.environment.set_home_size(100 * MIB);
    fixture.environment.set_unreachable(true);
    fixture.control.launch(&fixture.student, fixture.desktop).await.unwrap();
}

#[tokio::test]
async fn a_tab_is_warned_at_nine_tenths_and_relieved_again() {
    let fixture = with_homes(at_most(100)).await;
    let id = fixture.active().await;
    fixture.environment.set_home_size(90 * MIB);
    let (mut attachment, _stream) = fixture.open(id).await;
    assert_eq!(next_home(&fixture, &mut attachment.notices).await, (90, true, false));
    fixture.environment.set_home_size(100 * MIB);
    assert_eq!(next_home(&fixture, &mut attachment.notices).await, (100, true, true));
    fixture.environment.set_home_size(10 * MIB);
    assert_eq!(next_home(&fixture, &mut attachment.notices).await, (10, false, false));
}

#[tokio::test]
async fn administrators_choose_homes_and_everybody_sees_them() {
    let fixture = with_homes(at_most(100)).await;
    let scratch = Homes {
        kind: HomeKind::Scratch,
        limit_mib: None,
    };
    let app_admin = Me {
        role: Role::AppAdmin,
        ..fixture.student.clone()
    };
    let refused = fixture.control.set_homes(&app_admin, ENVIRONMENT, scratch).await;
    assert!(
        matches!(refused, Err(Error::Forbidden(Role::SystemAdmin))),
        "{refused:?}"
    );
    let before = fixture.active().await;
    let view = fixture
        .control
        .set_homes(&fixture.admin, ENVIRONMENT, scratch)
        .await
        .unwrap();
    assert_eq!(view.homes, Some(scratch));
    let newest = &catalogue_events(&*fixture.store).await[0];
    assert_eq!(
        timeline::sentence(newest),
        "Homes of environment Lab changed by admin: Deleted with the session"
    );
    let mine = fixture.control.my_applications(&fixture.other).await.unwrap();
    assert_eq!(mine[0].home, Some(HomeKind::Scratch));
    assert_eq!(fixture.row(before).home, Some(HomeKind::Kept), "of its launch");
    fixture.environment.set_home_size(u64::MAX);
    let launched = fixture.control.launch(&fixture.other, fixture.desktop).await.unwrap();
    assert_eq!(launched.home, Some(HomeKind::Scratch), "a scratch home has no limit");
    let unknown = session::EnvironmentId::numbered(99);
    let missing = fixture.control.set_homes(&fixture.admin, unknown, scratch).await;
    assert!(matches!(missing, Err(Error::NoEnvironment(_))), "{missing:?}");
    let none = ApplicationId::numbered(99);
    let refused = fixture.control.launch(&fixture.other, none).await;
    assert!(
        matches!(refused, Err(Error::Denied(LaunchRefusal::UnknownApplication))),
        "{refused:?}"
    );
}
