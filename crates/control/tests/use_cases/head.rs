//! What the log of events proves, and to whom: somebody who can write the database removes the last events and sets the head back.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use control::{Error, Options};
use environment_simulated::SimulatedPlan;
use session::{Teardown, wire::ExpireRequest};
use store::{
    Hash,
    chain::{Key, parse_hex},
};

use crate::house::{House, PATIENCE};

fn signing() -> Options {
    Options {
        audit_key: Key::new(&[7; 32]),
        ..Options::default()
    }
}

/// Some sessions' lives.
async fn history(house: &House) {
    for _ in 0..3 {
        let id = house.active().await;
        house
            .control
            .expire(&house.admin, id, ExpireRequest::default())
            .await
            .unwrap();
        house.shows(id, |row| row.teardown == Teardown::Confirmed).await;
    }
}

/// Removes the last events, as an administrator of the database can, and leaves a consistent chain.
fn set_back(house: &House, events: u32) {
    let database = rusqlite::Connection::open(house.folder.path().join("cloud-delivery.sqlite3")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    let script = format!(
        "DROP TRIGGER events_are_never_removed;
         DELETE FROM events WHERE id > (SELECT max(id) - {events} FROM events);
         UPDATE log SET head = (SELECT hash FROM events ORDER BY id DESC LIMIT 1);"
    );
    database.execute_batch(&script).unwrap();
}

async fn head(house: &House) -> Hash {
    let proof = house.control.verify_events(&house.admin, None).await.unwrap();
    parse_hex(&proof.verified.head).unwrap()
}

#[tokio::test]
async fn a_head_that_was_kept_elsewhere_proves_that_nothing_before_it_was_removed() {
    let house = House::new().await;
    history(&house).await;
    let kept = head(&house).await;
    let before = house.store.head().await.unwrap().number;
    history(&house).await;
    let proof = house.control.verify_events(&house.admin, Some(kept)).await.unwrap();
    assert_eq!((proof.kept, proof.signed), (Some(before), None));
    assert!(proof.verified.last > before);

    let after = u32::try_from(proof.verified.last - before).unwrap();
    set_back(&house, after + 1);
    let alone = house.control.verify_events(&house.admin, None).await;
    assert_eq!(
        alone.unwrap().verified.last,
        before - 1,
        "by itself the chain is consistent"
    );
    let refused = house.control.verify_events(&house.admin, Some(kept)).await;
    assert!(
        matches!(&refused, Err(Error::Tampered(why)) if why.contains("no event has the hash")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_checkpoint_proves_it_without_a_head() {
    let house = House::reached(SimulatedPlan::default(), signing(), |environment| environment).await;
    history(&house).await;
    house.control.make_checkpoint().await.unwrap();
    let signed = house.store.head().await.unwrap().number;
    history(&house).await;
    let proof = house.control.verify_events(&house.admin, None).await.unwrap();
    assert_eq!(proof.signed.map(|signed| signed.event), Some(signed));

    let after = u32::try_from(proof.verified.last - signed).unwrap();
    set_back(&house, after + 1);
    let refused = house.control.verify_events(&house.admin, None).await;
    let why = format!("event {signed} is not the one that was signed");
    assert!(
        matches!(&refused, Err(Error::Tampered(text)) if text.contains(&why)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_server_whose_log_is_set_back_stops_and_does_not_sign_it() {
    let house = House::reached(SimulatedPlan::default(), signing(), |environment| environment).await;
    history(&house).await;
    house.control.check_head().await.unwrap();
    let checkpoints = house.store.checkpoints().await.unwrap();
    set_back(&house, 5);
    let refused = house.control.make_checkpoint().await;
    assert!(matches!(refused, Err(Error::Tampered(_))), "{refused:?}");
    house.control.broken().await;
    assert!(
        house.control.launch(&house.student, house.desktop).await.is_err(),
        "nothing more is written"
    );
    assert_eq!(house.store.checkpoints().await.unwrap(), checkpoints);
}
