//! The sweep that all administrators share, and watches of the list.

use crate::fixture::{Fixture, PATIENCE};
use chrono::TimeDelta;
use control::{Error, Message, SWEEP_INTERVAL};
use session::{
    Status,
    api::{ExpireRequest, Problem},
    view::View,
};
use tokio::time::timeout;

#[tokio::test]
async fn one_refresh_each_30_seconds_for_all_administrators() {
    let fixture = Fixture::new().await;
    // The start has swept, and its turn counts.
    fixture.advance(SWEEP_INTERVAL);
    let first = fixture.control.request_sweep(&fixture.admin).await.unwrap();
    fixture.advance(TimeDelta::milliseconds(11_500));
    let refused = fixture.control.request_sweep(&fixture.admin).await.unwrap_err();
    assert!(matches!(&refused, Error::TooSoon { until, .. } if *until == first.next_refresh_at));
    let problem = Problem::from(refused);
    assert_eq!(
        (problem.status, problem.retry_after),
        (429, Some(19)),
        "rounded up, so waiting this long is enough"
    );
    fixture.advance(TimeDelta::milliseconds(18_500));
    assert!(fixture.control.request_sweep(&fixture.admin).await.is_ok());
}

#[tokio::test]
async fn a_sweep_finds_lost_sessions_and_stops_orphans() {
    let fixture = Fixture::new().await;
    let vanished = fixture.active().await;
    assert!(fixture.environment.vanish(vanished));
    fixture.advance(SWEEP_INTERVAL);
    fixture.control.request_sweep(&fixture.admin).await.unwrap();
    assert_eq!(fixture.row(vanished).status, Status::Error);
}

#[tokio::test]
async fn an_environment_that_does_not_answer_keeps_its_rows_and_is_named() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    fixture.environment.set_unreachable(true);
    fixture.advance(SWEEP_INTERVAL);
    fixture.control.request_sweep(&fixture.admin).await.unwrap();
    let list = fixture.control.list(&fixture.admin, &View::default()).unwrap();
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
        "it shows the age of its rows"
    );
    assert_eq!(fixture.row(id).status, Status::Active);
}

#[tokio::test]
async fn a_watch_sends_a_snapshot_once_and_then_only_changes() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let mut watch = fixture.control.watch(&fixture.admin, View::default()).unwrap();
    let Ok(Message::Snapshot(list)) = watch.next().await else {
        panic!("the snapshot comes first")
    };
    assert_eq!(list.items.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);

    fixture
        .control
        .expire(&fixture.admin, id, ExpireRequest::default())
        .await
        .unwrap();
    let notified = timeout(PATIENCE, async {
        loop {
            if let Message::Delta(delta) = watch.next().await.unwrap() {
                assert_eq!(delta.order, None, "no row came or went");
                if let Some(row) = delta.changed.first() {
                    return (row.id, row.status, delta.head.counts.expired);
                }
            }
        }
    });
    assert_eq!(notified.await.unwrap(), (id, Status::Expired, 1));
}

#[tokio::test]
async fn a_write_of_the_command_line_reaches_the_server() {
    let fixture = Fixture::new().await;
    let id = fixture.active().await;
    let (mut tab, _bytes) = fixture.open(id).await;
    let tool = control::Control::open(
        std::sync::Arc::new(store_sqlite::Sqlite::open(fixture.folder.path()).await.unwrap()),
        control::Environments::new(),
        fixture.clock.clone(),
        control::Options::default(),
    );
    let tool = tool.await.unwrap();
    let operator = tool.operator().await.unwrap();
    tool.expire(&operator, id, ExpireRequest::default()).await.unwrap();
    assert_eq!(
        timeout(PATIENCE, &mut tab.closed).await.unwrap(),
        Ok(control::Close::Expired)
    );
    assert_eq!(fixture.row(id).ended_by.as_deref(), Some("admin (command line)"));
}
