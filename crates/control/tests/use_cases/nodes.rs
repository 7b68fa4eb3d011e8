//! Several nodes on one log. Time is the runtime's virtual time, which jumps as soon as every task
//! waits.

use std::time::Duration;

use chrono::TimeDelta;
use control::{Clock, Close, Error, Host, PEER_TIMEOUT, SWEEP_INTERVAL, Tab};
use environments::Environment;
use session::{
    EventKind, Role, Status, Teardown,
    batch::{ExpireMany, Selector, Target},
    view::View,
};
use tokio::time::{sleep, timeout};

use crate::{
    cluster::{Cluster, Node},
    fixture::{DESKTOP, HOME, PASSWORD, client},
};

/// Longer than anything here takes, except waiting for [`PEER_TIMEOUT`].
const SOON: Duration = Duration::from_secs(4);

#[tokio::test(start_paused = true)]
async fn an_expire_on_one_node_closes_the_tab_on_another() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let tab = cluster.open_on(0, id).await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    let expired = cluster
        .node(1)
        .expire(&cluster.admin, id, Default::default())
        .await
        .unwrap();
    assert_eq!(expired.status, Status::Expired);
    // This store sends no notifications: the next poll finds the change, within a second.
    let (closed, within) = (timeout(SOON, tab.closed).await.unwrap(), Duration::from_millis(1500));
    assert_eq!(closed, Ok(Close::Expired));
    assert!(expired.ended_at.unwrap() + TimeDelta::from_std(within).unwrap() > cluster.clock.now());
    // Only the host closes the session in its environment.
    cluster
        .wait_for(1, |cluster| {
            let row = cluster.node(1).session(&cluster.admin, id).unwrap();
            row.teardown == Teardown::Confirmed
        })
        .await;
    assert!(cluster.nodes[0].environment.observe().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_end_is_answered_when_the_tab_on_another_node_is_closed() {
    let cluster = Cluster::new().await;
    cluster.connect(0);
    let (b, admin) = (&cluster.nodes[1].control, &cluster.admin);
    for way in ["expire", "many", "own", "block"] {
        let id = cluster.active_on(0).await;
        let mut tab = cluster.open_on(0, id).await;
        cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
        let began = cluster.clock.now();
        match way {
            "expire" => drop(b.expire(admin, id, Default::default()).await.unwrap()),
            "own" => drop(b.end_own(&cluster.student, id).await.unwrap()),
            "block" => b.block_user(admin, "student", true).await.unwrap(),
            _ => {
                let selection = b.selection(admin, &Selector::Ids(vec![id])).await.unwrap();
                let request = ExpireMany {
                    batch: selection.batch,
                    size: 1,
                    reason: None,
                    block_relaunch: false,
                    sessions: vec![Target { id, seen: None }],
                };
                drop(b.expire_many(admin, request).await.unwrap());
            }
        }
        assert_eq!(tab.closed.try_recv(), Ok(Close::Expired), "{way}");
        assert_eq!(
            cluster.clock.now(),
            began,
            "{way}: the caller need not wait for the next poll"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_waits_for_a_node_that_does_not_answer_for_a_second_and_no_longer() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    cluster.wait_for(1, |cluster| cluster.status(1, id).is_some()).await;
    let began = cluster.clock.now();
    let expired = cluster.node(1).expire(&cluster.admin, id, Default::default()).await;
    assert_eq!(expired.unwrap().status, Status::Expired);
    assert_eq!(cluster.clock.now() - began, TimeDelta::seconds(1));
    // An ended session needs no host: this node refuses the tab itself, with the reason.
    let control = &cluster.nodes[1].control;
    assert_eq!(control.host(&cluster.student, id).await.unwrap(), Host::Here);
    let refused = control.attach(&cluster.student, id).await.err();
    assert!(matches!(refused, Some(Error::Ended(_))));
}

#[tokio::test(start_paused = true)]
async fn a_tab_is_sent_to_the_node_that_hosts_its_session_and_opened_nowhere_else() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let host = async |node: usize| cluster.nodes[node].control.host(&cluster.student, id).await;
    assert_eq!(host(0).await.unwrap(), Host::Here);
    // Also before this node has polled the log.
    let Host::There(relay) = host(1).await.unwrap() else {
        panic!("it is not there")
    };
    assert_eq!((&*relay.node, &*relay.url), ("a", "http://a"));
    assert!(cluster.node(0).is_node(&relay.secret) && !cluster.node(1).is_node(&relay.secret));
    let refused = cluster.nodes[1].control.attach(&cluster.student, id).await.err();
    assert!(matches!(refused, Some(Error::NodeAway(node)) if &*node == "a"));
}

#[tokio::test(start_paused = true)]
async fn a_tab_that_was_closed_on_one_node_reads_why_on_another() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let tab = cluster.open_on(0, id).await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    let expired = cluster.node(0).expire(&cluster.admin, id, Default::default()).await;
    assert_eq!(expired.unwrap().status, Status::Expired);
    assert_eq!(tab.closed.await, Ok(Close::Expired));
    // The tab reloads at once, through any node. That node has not polled the log since.
    assert_eq!(cluster.status(1, id), Some(Status::Active));
    let shown = cluster.node(1).tab(&cluster.student, id).await.unwrap();
    assert!(
        matches!(&shown, Tab::Over(session) if session.status == Status::Expired),
        "{shown:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_just_launched_can_be_read_and_chosen_on_another_node() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    assert_eq!(cluster.status(1, id), None, "it has not polled the log since");
    let details = cluster.node(1).session_details(&cluster.admin, id).await.unwrap();
    assert_eq!(details.session.map(|row| row.status), Some(Status::Active));
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let chosen = Selector::Ids(vec![id]);
    let selection = cluster.node(1).selection(&cluster.admin, &chosen).await.unwrap();
    assert_eq!((selection.sessions.len(), selection.ended), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_shuts_down_records_that_its_tabs_are_closed() {
    let mut cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let tab = cluster.open_on(0, id).await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    let shutdown_at = cluster.clock.now();
    cluster.node(0).begin_shutdown();
    assert_eq!(tab.closed.await, Ok(Close::Restart));
    cluster.nodes[0].freeze().await;
    cluster.node(0).flush().await;
    cluster.wait_for(1, |cluster| !cluster.connected(1, id)).await;
    assert!(cluster.clock.now() - shutdown_at < TimeDelta::seconds(2));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_reads_no_heartbeats_takes_no_peer_for_away() {
    let mut cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let _tab = cluster.open_on(0, id).await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    cluster.nodes[1].freeze().await;
    sleep(2 * PEER_TIMEOUT.to_std().unwrap()).await;
    let list = cluster.node(1).list(&cluster.admin, &View::default()).unwrap();
    assert_eq!(list.head.stale, []);
    let host = cluster.node(1).host(&cluster.student, id).await;
    assert!(matches!(host, Ok(Host::There(_))), "{host:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_is_ready_without_waiting_for_the_others() {
    let cluster = Cluster::new().await;
    // The turn is free, and the other nodes do not know yet that it is taken.
    sleep(SWEEP_INTERVAL.to_std().unwrap()).await;
    let began = cluster.clock.now();
    let _c = Node::new("c", &cluster.store, &cluster.clock, &cluster.network).await;
    assert!(cluster.clock.now() - began < TimeDelta::seconds(1));
}

#[tokio::test(start_paused = true)]
async fn the_tabs_of_a_node_that_hangs_lapse_and_are_back_with_it() {
    let mut cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let mut tab = cluster.open_on(0, id).await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    let hung_at = cluster.clock.now();
    cluster.nodes[0].freeze().await;
    cluster.wait_for(1, |cluster| !cluster.connected(1, id)).await;
    let after = cluster.clock.now() - hung_at;
    // Its last heartbeat was up to a second before it froze.
    let last_beat = PEER_TIMEOUT - TimeDelta::seconds(1);
    assert!(
        after >= last_beat && after < PEER_TIMEOUT + TimeDelta::seconds(4),
        "{after}"
    );
    let host = cluster.nodes[1].control.host(&cluster.student, id).await;
    assert!(matches!(host, Err(Error::NodeAway(_))), "{host:?}");
    let stale = cluster
        .node(1)
        .list(&cluster.admin, &View::default())
        .unwrap()
        .head
        .stale;
    assert_eq!(
        stale.iter().map(|stale| stale.node.as_deref()).collect::<Vec<_>>(),
        [Some("a")]
    );

    cluster.nodes[0].thaw().await;
    cluster.wait_for(1, |cluster| cluster.connected(1, id)).await;
    assert!(tab.closed.try_recv().is_err(), "the tab was attached and stays");
    let list = cluster.node(1).list(&cluster.admin, &View::default()).unwrap();
    assert_eq!(list.head.stale, []);
    assert_eq!(
        cluster.count_events(id, |what| *what == EventKind::Disconnected).await,
        1
    );
    assert_eq!(cluster.count_events(id, |what| *what == EventKind::Connected).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_a_node_that_is_away_go_on_counting() {
    let mut cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    let _tab = cluster.open_on(0, id).await;
    cluster.nodes[0].freeze().await;
    // 15 min after the tab counted as disconnected.
    sleep(Duration::from_secs(17 * 60)).await;
    assert_eq!(cluster.status(1, id), Some(Status::Expired));
    let row = cluster.node(1).session(&cluster.admin, id).unwrap();
    assert_eq!(
        row.teardown,
        Teardown::Wanted,
        "no other node can tell whether it still runs"
    );
    // The node closes the tab and the application as soon as it is back.
    cluster.nodes[0].thaw().await;
    cluster
        .wait_for(1, |cluster| {
            cluster.node(1).session(&cluster.admin, id).unwrap().teardown == Teardown::Confirmed
        })
        .await;
    assert_eq!(
        cluster
            .count_events(id, |what| matches!(what, EventKind::Expired { .. }))
            .await,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_again_leaves_the_sessions_of_others_alone() {
    let mut cluster = Cluster::new().await;
    let (here, there) = (cluster.active_on(0).await, {
        let other = cluster.nodes[0].control.add_user("other", PASSWORD, Role::User).await;
        other.unwrap();
        let token = cluster.nodes[0]
            .control
            .sign_in("other", PASSWORD, &client(HOME))
            .await
            .unwrap();
        let other = cluster.nodes[0].control.authenticate(&token).await.unwrap().unwrap();
        let id = cluster.nodes[1].control.launch(&other, DESKTOP).await.unwrap().id;
        cluster
            .wait_for(1, |cluster| cluster.status(1, id) == Some(Status::Active))
            .await;
        id
    });
    let _tab = cluster.open_on(0, here).await;
    // Simulated applications end with their server.
    cluster.nodes[1] = Node::new("b", &cluster.store, &cluster.clock, &cluster.network).await;
    cluster
        .wait_for(0, |cluster| cluster.status(0, there) == Some(Status::Error))
        .await;
    assert_eq!(cluster.status(0, here), Some(Status::Active));
    assert_eq!(cluster.status(1, here), Some(Status::Active));
    let left = cluster
        .count_events(here, |what| *what == EventKind::Disconnected)
        .await;
    assert_eq!(left, 0, "its tab was never gone");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_on_one_node_is_a_sweep_of_all_and_counts_for_all() {
    let cluster = Cluster::new().await;
    let id = cluster.active_on(0).await;
    sleep(Duration::from_secs(31)).await;
    assert!(cluster.nodes[0].environment.vanish(id));
    let asked_at = cluster.clock.now();
    let done = cluster.nodes[1].control.request_sweep(&cluster.admin).await.unwrap();
    assert!(done.as_of >= asked_at, "complete when all nodes have swept");
    cluster
        .wait_for(1, |cluster| cluster.status(1, id) == Some(Status::Error))
        .await;
    for node in [0, 1] {
        let refused = cluster.nodes[node].control.request_sweep(&cluster.admin).await;
        assert!(matches!(refused, Err(Error::TooSoon { .. })), "{refused:?}");
        let head = cluster.node(node).list(&cluster.admin, &View::default()).unwrap().head;
        assert_eq!(head.next_refresh_at, done.next_refresh_at, "on node {node}");
        assert_eq!(head.as_of, Some(done.as_of), "on node {node}");
    }
}
