//! Signing in, and who may do what.

use crate::house::{HOME, House, PASSWORD};
use chrono::TimeDelta;
use control::Error;
use session::{
    Role,
    columns::{Choice, Column},
};
use store::StoreError;

#[tokio::test]
async fn wrong_user_and_wrong_password_look_the_same_and_guessing_is_slowed() {
    let house = House::new().await;
    for name in ["student", "nobody"] {
        for _ in 0..5 {
            let refused = house.control.sign_in(name, "wrong", "10.0.0.1".parse().unwrap()).await;
            assert!(
                matches!(refused, Err(Error::Credentials | Error::Throttled(_))),
                "{refused:?}"
            );
            house.pass(TimeDelta::seconds(20));
        }
    }
    let slowed = house.control.sign_in("student", "wrong", HOME).await;
    assert!(matches!(slowed, Err(Error::Credentials)));
    let slowed = house.control.sign_in("student", PASSWORD, HOME).await;
    assert!(
        matches!(slowed, Err(Error::Throttled(seconds)) if seconds > 0),
        "even with the right password"
    );
    house.pass(TimeDelta::seconds(300));
    assert!(
        house.control.sign_in("STUDENT", PASSWORD, HOME).await.is_ok(),
        "names are case-insensitive"
    );
}

#[tokio::test]
async fn a_login_ends_by_sign_out_by_idleness_and_by_age() {
    let house = House::new().await;
    let sign_in = || house.control.sign_in("student", PASSWORD, HOME);
    let who = async |token: &str| house.control.who(token).await.unwrap().map(|me| me.role);

    let token = sign_in().await.unwrap();
    assert_eq!(who(&token).await, Some(Role::User));
    house.control.sign_out(&token).await.unwrap();
    assert_eq!(who(&token).await, None);

    let idle = sign_in().await.unwrap();
    house.pass(TimeDelta::hours(8) + TimeDelta::seconds(1));
    assert_eq!(who(&idle).await, None);

    let old = sign_in().await.unwrap();
    for _ in 0..4 {
        house.pass(TimeDelta::hours(6));
        assert!(who(&old).await.is_some(), "used, so not idle");
    }
    house.pass(TimeDelta::seconds(1));
    assert_eq!(who(&old).await, None);
    for rubbish in ["", "zz", &"é".repeat(32), &"0".repeat(64)] {
        assert_eq!(who(rubbish).await, None);
    }
}

#[tokio::test]
async fn a_new_password_ends_every_login_of_that_person() {
    let house = House::new().await;
    let token = house.control.sign_in("student", PASSWORD, HOME).await.unwrap();
    house.control.set_password("student", "another horse").await.unwrap();
    assert_eq!(house.control.who(&token).await.unwrap(), None);
    assert!(house.control.sign_in("student", "another horse", HOME).await.is_ok());
    assert!(matches!(
        house.control.set_password("student", "short").await,
        Err(Error::Malformed(_))
    ));
}

#[tokio::test]
async fn somebody_stays_system_admin() {
    let house = House::new().await;
    let refused = house.control.set_role("admin", Role::User).await;
    assert!(
        matches!(refused, Err(Error::Store(StoreError::LastSystemAdmin))),
        "{refused:?}"
    );
    house.control.set_role("other", Role::SystemAdmin).await.unwrap();
    house.control.set_role("admin", Role::User).await.unwrap();
    let taken = house.control.add_user("ADMIN", PASSWORD, Role::User).await;
    assert!(matches!(taken, Err(Error::Store(StoreError::Taken(_)))), "{taken:?}");
}

#[tokio::test]
async fn a_choice_of_columns_is_kept_for_each_administrator_and_can_be_forgotten() {
    let house = House::new().await;
    let choice = Choice::default().with(Column::UserId, true);
    house
        .control
        .set_columns(&house.admin, Some(choice.clone()))
        .await
        .unwrap();
    assert_eq!(house.control.columns(&house.admin).await.unwrap(), choice);
    house.control.set_columns(&house.admin, None).await.unwrap();
    assert_eq!(house.control.columns(&house.admin).await.unwrap(), Choice::default());
}
