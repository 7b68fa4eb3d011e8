//! The refresh that all administrators share, and watching the list.

use crate::house::{House, PATIENCE};
use chrono::TimeDelta;
use control::{Error, Message, REFRESH_INTERVAL};
use session::{
    Status,
    view::View,
    wire::{ExpireRequest, Problem},
};
use tokio::time::timeout;

#[tokio::test]
async fn one_refresh_each_30_seconds_for_all_administrators() {
    let house = House::new().await;
    // The start has swept; its turn counts.
    house.pass(REFRESH_INTERVAL);
    let first = house.control.refresh(&house.admin).await.unwrap();
    house.pass(TimeDelta::milliseconds(11_500));
    let refused = house.control.refresh(&house.admin).await.unwrap_err();
    assert!(matches!(&refused, Error::TooSoon { until, .. } if *until == first.next_refresh_at));
    let problem = Problem::from(refused);
    assert_eq!(
        (problem.status, problem.retry_after),
        (429, Some(19)),
        "rounded up: waiting so long is enough"
    );
    house.pass(TimeDelta::milliseconds(18_500));
    assert!(house.control.refresh(&house.admin).await.is_ok());
}

#[tokio::test]
async fn a_sweep_finds_what_vanished_and_stops_what_should_not_run() {
    let house = House::new().await;
    let vanished = house.active().await;
    assert!(house.environment.vanish(vanished));
    house.pass(REFRESH_INTERVAL);
    house.control.refresh(&house.admin).await.unwrap();
    assert_eq!(house.row(vanished).status, Status::Error);
}

#[tokio::test]
async fn an_environment_that_does_not_answer_keeps_its_rows_and_is_named() {
    let house = House::new().await;
    let id = house.active().await;
    house.environment.set_unreachable(true);
    house.pass(REFRESH_INTERVAL);
    house.control.refresh(&house.admin).await.unwrap();
    let list = house.control.list(&house.admin, &View::default()).unwrap();
    assert_eq!(
        list.head
            .stale
            .iter()
            .map(|stale| &*stale.environment)
            .collect::<Vec<_>>(),
        ["Lab"]
    );
    assert!(
        list.head.stale[0].as_of < list.head.as_of,
        "it says how old its rows are"
    );
    assert_eq!(house.row(id).status, Status::Active);
}

#[tokio::test]
async fn a_watch_tells_everything_once_then_only_what_changed() {
    let house = House::new().await;
    let id = house.active().await;
    let mut watch = house.control.watch(&house.admin, View::default()).unwrap();
    let Ok(Message::Snapshot(list)) = watch.next().await else {
        panic!("the snapshot comes first")
    };
    assert_eq!(list.items.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);

    house
        .control
        .expire(&house.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    let told = timeout(PATIENCE, async {
        loop {
            if let Message::Delta(delta) = watch.next().await.unwrap() {
                assert_eq!(delta.order, None, "no row came or went");
                if let Some(row) = delta.changed.first() {
                    return (row.id, row.status, delta.head.counts.expired);
                }
            }
        }
    });
    assert_eq!(told.await.unwrap(), (id, Status::Expired, 1));
}

#[tokio::test]
async fn what_the_command_line_writes_reaches_the_server() {
    let house = House::new().await;
    let id = house.active().await;
    let (mut tab, _bytes) = house.open(id).await;
    let tool = control::Control::open(
        std::sync::Arc::new(store_sqlite::Sqlite::open(house.folder.path()).await.unwrap()),
        control::Environments::new(),
        house.clock.clone(),
        control::Options::default(),
    );
    let tool = tool.await.unwrap();
    let operator = tool.operator().await.unwrap();
    tool.expire(&operator, id, ExpireRequest::default()).await.unwrap();
    assert_eq!(
        timeout(PATIENCE, &mut tab.closed).await.unwrap(),
        Ok(control::Close::Expired)
    );
    assert_eq!(house.row(id).ended_by.as_deref(), Some("admin (command line)"));
}
