use session::{Timestamp, UserId};
use uuid::Uuid;

use super::*;

fn account(role: Role, blocked: bool, active_admins: i64) -> Account {
    let user = User {
        id: UserId(Uuid::from_u128(1)),
        number: 1,
        username: "jane".into(),
        password_hash: "old".into(),
        role,
        created_at: Timestamp::UNIX_EPOCH,
        blocked,
        must_change_password: false,
    };
    Account { user, active_admins }
}

fn log(account: &Account, change: UserChange) -> Write {
    Write::Log(event(&account.user, change))
}

#[test]
fn a_change_to_the_present_state_writes_nothing() {
    // Even of the last administrator: nothing is taken from them.
    let admin = account(Role::SystemAdmin, false, 1);
    assert_eq!(set_role(&admin, Role::SystemAdmin).unwrap(), []);
    assert_eq!(block(&admin, false).unwrap(), []);
    assert_eq!(block(&account(Role::User, true, 1), true).unwrap(), []);
}

#[test]
fn the_last_system_admin_who_can_sign_in_stays() {
    type Change = fn(&Account) -> Result<Vec<Write>>;
    let changes: [Change; 3] = [
        |account| set_role(account, Role::AppAdmin),
        |account| block(account, true),
        remove,
    ];
    for change in changes {
        let last = change(&account(Role::SystemAdmin, false, 1));
        assert!(matches!(last, Err(StoreError::LastSystemAdmin)), "{last:?}");
        assert!(change(&account(Role::SystemAdmin, false, 2)).is_ok());
        assert!(change(&account(Role::User, false, 1)).is_ok());
    }
    // A blocked administrator is none of those who can sign in.
    assert!(set_role(&account(Role::SystemAdmin, true, 1), Role::User).is_ok());
    assert!(remove(&account(Role::SystemAdmin, true, 1)).is_ok());
}

#[test]
fn blocking_ends_logins_and_sessions_and_unblocking_ends_nothing() {
    let open = account(Role::User, false, 1);
    assert_eq!(
        block(&open, true).unwrap(),
        [
            Write::EndLogins,
            Write::Blocked(true),
            log(&open, UserChange::Blocked),
            Write::EndSessions(EndReason::UserBlocked),
        ]
    );
    let closed = account(Role::User, true, 1);
    assert_eq!(
        block(&closed, false).unwrap(),
        [Write::Blocked(false), log(&closed, UserChange::Unblocked)]
    );
}

#[test]
fn the_event_of_a_person_comes_before_those_of_their_sessions() {
    let user = account(Role::User, false, 1);
    assert_eq!(
        remove(&user).unwrap(),
        [
            Write::Remove,
            log(&user, UserChange::Removed),
            Write::EndSessions(EndReason::UserRemoved),
        ]
    );
}

#[test]
fn a_new_password_ends_the_logins() {
    let user = account(Role::User, false, 1);
    let hash = "new".to_owned();
    assert_eq!(
        set_password(&user, "new", true),
        [
            Write::Password {
                hash,
                must_change: true
            },
            Write::EndLogins,
            log(&user, UserChange::PasswordSet),
        ]
    );
    assert_eq!(
        end_logins(&user),
        [Write::EndLogins, log(&user, UserChange::LoginsEnded)]
    );
}

#[test]
fn each_change_is_one_event() {
    let user = account(Role::User, false, 1);
    assert_eq!(unlock(&user), [log(&user, UserChange::Unlocked)]);
    assert_eq!(
        set_role(&user, Role::AppAdmin).unwrap(),
        [
            Write::Role(Role::AppAdmin),
            log(&user, UserChange::RoleSet(Role::AppAdmin))
        ]
    );
    assert_eq!(added(&user.user), event(&user.user, UserChange::Added(Role::User)));
}
