//! The integrity of the log of events, against an attacker who can write the database, removes the
//! last events and sets the head back.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use control::{Error, Options};
use environment_simulated::SimulatedPlan;
use session::{Teardown, Timestamp, api::ExpireRequest};
use store::{
    Hash,
    chain::{Key, parse_hex},
};

use crate::fixture::{Fixture, PATIENCE};

fn signing() -> Options {
    Options {
        audit_key: Key::new(&[7; 32]),
        ..Options::default()
    }
}

/// Adds the events of some sessions.
async fn history(fixture: &Fixture) {
    for _ in 0..3 {
        let id = fixture.active().await;
        fixture
            .control
            .expire(&fixture.admin, id, ExpireRequest::default())
            .await
            .unwrap();
        fixture.wait_for(id, |row| row.teardown == Teardown::Confirmed).await;
    }
}

/// Removes the last events, as a database administrator can, and leaves a consistent chain.
fn set_back(fixture: &Fixture, events: u32) {
    let database = rusqlite::Connection::open(fixture.folder.path().join("cloud-delivery.sqlite3")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    let script = format!(
        "DROP TRIGGER events_are_never_removed;
         DELETE FROM events WHERE id > (SELECT max(id) - {events} FROM events);
         UPDATE log SET head = (SELECT hash FROM events ORDER BY id DESC LIMIT 1);"
    );
    database.execute_batch(&script).unwrap();
}

async fn head(fixture: &Fixture) -> Hash {
    let proof = fixture.control.verify_events(&fixture.admin, None).await.unwrap();
    parse_hex(&proof.verified.head).unwrap()
}

#[tokio::test]
async fn a_head_that_was_kept_elsewhere_proves_that_nothing_before_it_was_removed() {
    let fixture = Fixture::new().await;
    history(&fixture).await;
    let kept = head(&fixture).await;
    let before = fixture.store.head().await.unwrap().number;
    history(&fixture).await;
    let proof = fixture.control.verify_events(&fixture.admin, Some(kept)).await.unwrap();
    assert_eq!((proof.kept, proof.signed), (Some(before), None));
    assert!(proof.verified.last > before);

    let after = u32::try_from(proof.verified.last - before).unwrap();
    set_back(&fixture, after + 1);
    let alone = fixture.control.verify_events(&fixture.admin, None).await;
    assert_eq!(
        alone.unwrap().verified.last,
        before - 1,
        "by itself the chain is consistent"
    );
    let refused = fixture.control.verify_events(&fixture.admin, Some(kept)).await;
    assert!(
        matches!(&refused, Err(Error::Tampered(why)) if why.contains("no event has the hash")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_proves_it_without_a_head() {
    let fixture = Fixture::reached(SimulatedPlan::default(), signing(), |environment| environment).await;
    history(&fixture).await;
    fixture.control.make_checkpoint().await.unwrap();
    let signed = fixture.store.head().await.unwrap().number;
    history(&fixture).await;
    let proof = fixture.control.verify_events(&fixture.admin, None).await.unwrap();
    assert_eq!(proof.signed.map(|signed| signed.event), Some(signed));

    let after = u32::try_from(proof.verified.last - signed).unwrap();
    set_back(&fixture, after + 1);
    let refused = fixture.control.verify_events(&fixture.admin, None).await;
    let why = format!("event {signed} is not the one that was signed");
    assert!(
        matches!(&refused, Err(Error::Tampered(text)) if text.contains(&why)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_that_was_signed_with_another_key_is_refused() {
    let fixture = Fixture::reached(SimulatedPlan::default(), signing(), |environment| environment).await;
    history(&fixture).await;
    let head = fixture.store.head().await.unwrap();
    // An attacker can write the database but does not have the key.
    let forger = Key::new(&[8; 32]).unwrap();
    let forged = forger.sign(head, Timestamp::default()).unwrap();
    fixture.store.add_checkpoint(&forged).await.unwrap();
    let refused = fixture.control.verify_events(&fixture.admin, None).await;
    let why = format!("the checkpoint of event {} was signed with another key", head.number);
    assert!(
        matches!(&refused, Err(Error::Tampered(text)) if text.contains(&why)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_whose_log_is_set_back_stops_and_does_not_sign_it() {
    let fixture = Fixture::reached(SimulatedPlan::default(), signing(), |environment| environment).await;
    history(&fixture).await;
    fixture.control.check_head().await.unwrap();
    let checkpoints = fixture.store.checkpoints().await.unwrap();
    set_back(&fixture, 5);
    let refused = fixture.control.make_checkpoint().await;
    assert!(matches!(refused, Err(Error::Tampered(_))), "{refused:?}");
    let broken = fixture.control.wait_until_broken();
    tokio::time::timeout(PATIENCE, broken).await.expect("the server stops");
    assert!(
        fixture.control.launch(&fixture.student, fixture.desktop).await.is_err(),
        "nothing more is written"
    );
    assert_eq!(fixture.store.checkpoints().await.unwrap(), checkpoints);
}
