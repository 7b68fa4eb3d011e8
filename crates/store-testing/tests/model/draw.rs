//! Random calls: about few people, applications and sessions, so that the calls interact. The clock
//! mostly advances, and sometimes jumps.

mod applications;

use std::num::NonZeroU32;

use session::{
    Actor, ApplicationId, BatchId, EndReason, EnvironmentId, Event, EventKind, HomeKind, Homes, Origin, Role,
    SessionId, Status, Timestamp, UserId,
    catalogue::LaunchState,
    event::SignInFailure,
    lifecycle::{Command, Seen},
};
use store::{EnvironmentRow, LaunchRefusal, Login, NewLogin, User, WriteRequest};
use uuid::Uuid;

use super::calls::Call;

/// Networks that people sign in from.
const NETWORKS: [&str; 2] = ["192.0.2.1", "2001:db8::/64"];

fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + n))
}

/// The calls of a seed, always the same.
pub fn calls(seed: u64, count: usize) -> Vec<Call> {
    let mut draw = Draw {
        state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF1,
        now: 0,
        launched: 0,
    };
    let mut calls = first_rows(&mut draw);
    while calls.len() < count {
        calls.push(draw.call());
    }
    calls
}

/// The first rows. They are calls too, so that the test can drop those that do not matter.
fn first_rows(draw: &mut Draw) -> Vec<Call> {
    let at = draw.at();
    let mut calls = vec![
        Call::AddEnvironment(environment(0), at),
        Call::AddEnvironment(environment(1), at),
    ];
    calls.extend((0..3).map(|n| Call::AddApplication(draw.application(n), at)));
    calls.extend((0..4).map(|n| Call::AddUser(draw.user(n), at)));
    calls
}

fn environment(n: u128) -> EnvironmentRow {
    EnvironmentRow {
        id: EnvironmentId(Uuid::from_u128(200 + n)),
        name: format!("Host {n}").into(),
        kind: "local".into(),
        open: true,
        homes: n.is_multiple_of(2).then(Homes::default),
    }
}

struct Draw {
    state: u64,
    now: i64,
    launched: u128,
}

impl Draw {
    /// xorshift64*.
    fn number(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.number() >> 33) % end
    }

    fn small(&mut self, end: u64) -> u128 {
        u128::from(self.below(end))
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap();
        of[index].clone()
    }

    /// A time with nanoseconds, which a store must truncate.
    fn at(&mut self) -> Timestamp {
        self.now += match self.below(30) {
            0 => 48 * 3600,
            1 => -3600,
            2 => 900,
            _ => i64::try_from(self.below(20)).unwrap(),
        };
        let nanos = if self.one_in(3) { 1_234_567 } else { 0 };
        Timestamp::from_timestamp(1_800_000_000 + self.now, nanos).unwrap()
    }

    fn person(&mut self) -> UserId {
        UserId(Uuid::from_u128(1000 + self.small(6)))
    }

    fn program(&mut self) -> ApplicationId {
        ApplicationId(Uuid::from_u128(100 + self.small(5)))
    }

    fn place(&mut self) -> EnvironmentId {
        EnvironmentId(Uuid::from_u128(200 + self.small(4)))
    }

    fn batch(&mut self) -> BatchId {
        BatchId(Uuid::from_u128(300 + self.small(3)))
    }

    fn token(&mut self) -> [u8; 32] {
        [u8::try_from(self.below(4)).unwrap(); 32]
    }

    fn known(&mut self) -> SessionId {
        let newest = u64::try_from(self.launched).unwrap();
        let back = self.below(newest.min(8) + 2);
        session(u128::from(newest.saturating_sub(back)))
    }

    fn words(&mut self) -> String {
        self.pick(&["", "exam", "it’s \"over\"", "a\0b", "\u{1a}1"]).to_owned()
    }

    fn user(&mut self, n: u128) -> User {
        let name = if self.one_in(4) { n + 1 } else { n };
        User {
            id: UserId(Uuid::from_u128(1000 + n)),
            number: 0,
            username: self.pick(&[format!("Person{name}"), format!("person{name}")]).into(),
            password_hash: self.words(),
            role: self.pick(&Role::ALL),
            created_at: Timestamp::UNIX_EPOCH,
            blocked: self.one_in(6),
            must_change_password: self.one_in(3),
        }
    }

    fn launches(&mut self) -> LaunchState {
        self.pick(&[
            LaunchState::Open,
            LaunchState::Open,
            LaunchState::Closed,
            LaunchState::ClosedAndEnded,
        ])
    }

    fn actor(&mut self) -> Actor {
        match self.below(3) {
            0 => Actor::System,
            1 => Actor::Environment,
            _ => Actor::Person {
                user_id: self.person(),
                username: self.words().into(),
                origin: self.origin(),
            },
        }
    }

    fn origin(&mut self) -> Option<Origin> {
        self.one_in(2).then(|| Origin {
            address: "::1".into(),
            request_id: self.words().into(),
        })
    }

    fn command(&mut self) -> Command {
        match self.below(14) {
            0..3 => Command::Ready,
            3 => Command::Fail(self.words().into()),
            4 | 5 => Command::Attach {
                epoch: u32::try_from(self.below(2)).unwrap(),
            },
            6 => Command::Detach,
            7 => Command::Idle,
            8 | 9 => Command::TornDown,
            10 => Command::GiveUp,
            _ => Command::Expire {
                reason: self.pick(&EndReason::ALL),
                note: self.one_in(2).then(|| self.words().into()),
                seen: self.one_in(2).then(|| Seen {
                    status: self.pick(&Status::ALL),
                    connected: self.one_in(2),
                }),
                batch: self.one_in(3).then(|| self.batch()),
                block: self.one_in(3),
            },
        }
    }

    fn refusal(&mut self) -> LaunchRefusal {
        self.pick(&[
            LaunchRefusal::NoSeat,
            LaunchRefusal::UnknownUser,
            LaunchRefusal::ApplicationClosed,
            LaunchRefusal::TooManySessions,
            LaunchRefusal::RelaunchBlocked(Timestamp::UNIX_EPOCH),
        ])
    }

    fn request(&mut self) -> WriteRequest {
        match self.below(20) {
            0..8 => {
                // Sometimes an id that is in use: the whole batch fails then.
                let session_id = if self.one_in(40) {
                    self.known()
                } else {
                    self.launched += 1;
                    session(self.launched)
                };
                WriteRequest::Launch {
                    session_id,
                    application_id: self.program(),
                    user_id: self.person(),
                    node: if self.one_in(2) { "a" } else { "b" }.into(),
                    origin: self.origin(),
                    most: self.pick(&[None, None, NonZeroU32::new(1), NonZeroU32::new(2)]),
                    recorded: if self.one_in(4) {
                        vec![self.refusal()]
                    } else {
                        Vec::new()
                    },
                    at: self.at(),
                }
            }
            10 => WriteRequest::RecordRefusal {
                user_id: self.person(),
                application_id: self.one_in(2).then(|| self.program()),
                refusal: self.refusal(),
                more: self.pick(&[None, NonZeroU32::new(1), NonZeroU32::new(u32::MAX)]),
                origin: self.origin(),
                at: self.at(),
            },
            8 => WriteRequest::Purge { at: self.at() },
            9 => WriteRequest::Batch {
                batch: self.batch(),
                size: u32::try_from(self.below(9)).unwrap(),
                note: self.one_in(2).then(|| self.words().into()),
                by: self.actor(),
                at: self.at(),
            },
            _ => WriteRequest::Step {
                session_id: self.known(),
                command: self.command(),
                by: self.actor(),
                at: self.at(),
            },
        }
    }

    fn call(&mut self) -> Call {
        match self.below(78) {
            0..30 => {
                let size = self.pick(&[0, 1, 1, 1, 2, 3, 6]);
                Call::Write((0..size).map(|_| self.request()).collect())
            }
            30 | 31 => {
                let n = self.small(6);
                Call::AddUser(self.user(n), self.at())
            }
            32 | 33 => Call::SetRole(self.person(), self.pick(&Role::ALL), self.at()),
            34 => Call::SetPassword(self.person(), self.words(), self.one_in(2), self.at()),
            35 | 36 => Call::Block(self.person(), self.one_in(2), self.at()),
            37 => Call::RemoveUser(self.person(), self.at()),
            38 => Call::Named(format!("PERSON{}", self.below(7))),
            39 | 40 => Call::AddLogin(self.new_login()),
            41 => Call::Login(self.token()),
            42 => self.access(),
            43 => Call::Touch(vec![(self.token(), self.at()), (self.token(), self.at())]),
            44 => Call::EndLogin(self.token(), self.at()),
            45 => Call::RemoveOldLogins(self.at(), self.at(), self.at()),
            46 => {
                let n = self.small(4);
                Call::AddEnvironment(environment(n), self.at())
            }
            47 => Call::SetEnvironmentLaunches(self.place(), self.launches(), self.at()),
            48 => {
                let homes = Homes {
                    kind: self.pick(&HomeKind::ALL),
                    limit_mib: self.pick(&[None, NonZeroU32::new(1), NonZeroU32::new(u32::MAX)]),
                };
                Call::SetHomes(self.place(), homes, self.at())
            }
            49 | 50 => {
                let n = self.small(5);
                Call::AddApplication(self.application(n), self.at())
            }
            51..54 => {
                let n = self.small(5);
                let seen = self.one_in(3).then(|| self.spec(n));
                let id = ApplicationId(Uuid::from_u128(100 + n));
                Call::Edit(id, seen, self.spec(n), self.at())
            }
            54..57 => Call::SetApplicationLaunches(self.program(), self.launches(), self.at()),
            57 => Call::Preference(self.person(), "columns".into()),
            58 | 59 => {
                let value = (!self.one_in(3)).then(|| self.words());
                Call::SetPreference(self.person(), "columns".into(), value)
            }
            60 | 61 => Call::Sweep(self.at(), 30),
            70..73 => Call::SetFavourite(self.person(), self.program(), self.one_in(2)),
            73 | 74 => Call::OwnApplications(self.person()),
            75 | 76 => Call::AddPicture(self.picture(), vec![1, 2, 3], self.at()),
            77 => Call::Picture(self.picture()),
            62..65 => Call::Changes(self.below(60)),
            _ => Call::Events(self.known()),
        }
    }

    /// A sign-in, mostly of an existing person with their first hash.
    fn new_login(&mut self) -> NewLogin {
        let user_id = self.person();
        let at = self.at();
        NewLogin {
            login: Login {
                token_hash: self.token(),
                user_id,
                created_at: at,
                seen_at: at,
            },
            verified_hash: self.words(),
            network: self.pick(&NETWORKS).into(),
            by: Actor::Person {
                user_id,
                username: "person".into(),
                origin: None,
            },
        }
    }

    /// A less frequent call about logins.
    fn access(&mut self) -> Call {
        match self.below(5) {
            0 => Call::LoginsOf(self.person()),
            1 => Call::EndLogins(self.person(), self.at()),
            2 => Call::SignedInFrom(format!("PERSON{}", self.below(7)), self.pick(&NETWORKS)),
            3 => Call::Unlock(self.person(), self.at()),
            _ => Call::LogEvent(Event {
                at: self.at(),
                session_id: None,
                actor: Actor::Anonymous { origin: None },
                what: EventKind::SignInFailed {
                    username: None,
                    cause: SignInFailure::UnknownUser,
                    count: 1,
                },
            }),
        }
    }
}
