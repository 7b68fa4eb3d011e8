//! Synthetic history for trials and benchmarks. All sessions have ended: a synthetic row must not
//! claim that an application runs.

use std::sync::Arc;

use chrono::TimeDelta;
use session::{
    ApplicationId, End, EndReason, EnvironmentId, ONLY_NODE, Policy, Session, SessionId, Status, Teardown, Timestamp,
    UserId,
};
use uuid::Uuid;

use crate::{Control, Result};

const ENVIRONMENTS: [&str; 5] = [
    "Lab A",
    "Lab B",
    "Engineering cluster",
    "Library pool",
    "Medical school",
];
const APPLICATIONS: [&str; 8] = [
    "MATLAB",
    "SPSS",
    "AutoCAD",
    "ArcGIS Pro",
    "Stata",
    "LabVIEW",
    "ANSYS",
    "Adobe Premiere",
];
const NAMES: [&str; 12] = [
    "amara", "björn", "chen", "dana", "elif", "femi", "grace", "hiro", "ines", "jonas", "kofi", "léa",
];
const PEOPLE: u64 = 5000;
/// The ends are spread over this time before now, within the 48 h for which ended sessions are
/// kept.
const SPAN_SECONDS: u64 = 47 * 3600;

impl Control {
    /// Fills an empty store with `count` ended sessions. The same time and count give the same
    /// sessions.
    pub async fn seed(&self, count: u32) -> Result<()> {
        let now = self.clock.now();
        let names = Names::new();
        let sessions: Vec<_> = (0..u64::from(count))
            .map(|n| synthetic(n, u64::from(count), now, &names))
            .collect();
        Ok(self.store.seed(&sessions).await?)
    }
}

struct Names {
    environments: Vec<Arc<str>>,
    applications: Vec<Arc<str>>,
    people: Vec<Arc<str>>,
    node: Arc<str>,
}

impl Names {
    fn new() -> Self {
        let person = |n: u64| format!("{}{:04}", NAMES[n as usize % NAMES.len()], n).into();
        Self {
            environments: ENVIRONMENTS.map(Into::into).into(),
            applications: APPLICATIONS.map(Into::into).into(),
            people: (0..PEOPLE).map(person).collect(),
            node: ONLY_NODE.into(),
        }
    }
}

fn synthetic(n: u64, count: u64, now: Timestamp, names: &Names) -> Session {
    let dice = mix(n);
    let pick = |shift: u32, of: u64| (dice >> shift) % of;
    let (environment, application, person) = (pick(0, 5), pick(8, 8), pick(16, PEOPLE));
    let ended_at = now - TimeDelta::seconds(i64::try_from(SPAN_SECONDS * (count - n) / count).unwrap_or(0));
    let lasted = TimeDelta::seconds(30 + i64::try_from(pick(32, 7 * 3600)).unwrap_or(0));
    let started_at = ended_at - lasted;
    let reason = [
        EndReason::User,
        EndReason::Disconnected,
        EndReason::ValidUntil,
        EndReason::Admin,
    ][pick(48, 4) as usize];
    let by: Arc<str> = match reason {
        EndReason::User => names.people[person as usize].clone(),
        EndReason::Admin => "admin".into(),
        _ => "system".into(),
    };
    let failed = pick(56, 40) == 0;
    Session {
        id: SessionId(id(0x7000, u64::try_from(started_at.timestamp_millis()).unwrap_or(0), n)),
        environment_id: EnvironmentId(id(0x8000, 1, environment)),
        environment: names.environments[environment as usize].clone(),
        application_id: ApplicationId(id(0x8000, 2, application)),
        application: names.applications[application as usize].clone(),
        user_id: UserId(id(0x8000, 3, person)),
        username: names.people[person as usize].clone(),
        status: Status::Expired,
        access_epoch: 1,
        started_at,
        ready_at: (!failed).then(|| started_at + TimeDelta::milliseconds(300)),
        valid_until: ended_at,
        connected_since: None,
        disconnected_at: Some(ended_at),
        end: Some(End {
            at: ended_at,
            by,
            reason,
            note: None,
        }),
        error: failed.then(|| "The application was not ready in time.".into()),
        teardown: Teardown::Confirmed,
        blocked_until: None,
        policy: Policy::default(),
        home: None,
        node: names.node.clone(),
        version: 0,
    }
}

/// An id like version 7 for sessions (`0x7000`), or of version 8, whose content is free.
fn id(version: u16, milliseconds: u64, n: u64) -> Uuid {
    let low = 0x8000_0000_0000_0000 | (mix(n) >> 2);
    let high = (milliseconds << 16) | u64::from(version) | (n & 0x0fff);
    Uuid::from_u64_pair(high, low)
}

/// SplitMix64, a well-known mixing function: the same number gives the same row on every machine.
const fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
