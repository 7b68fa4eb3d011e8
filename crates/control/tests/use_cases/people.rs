//! Passwords, roles and preferences.

use crate::house::{HOME, House, PASSWORD, client};
use control::Error;
use session::{
    Role,
    columns::{Choice, Column},
};
use store::StoreError;

#[tokio::test]
async fn a_new_password_ends_every_login_of_that_person() {
    let house = House::new().await;
    let token = house.control.sign_in("student", PASSWORD, &client(HOME)).await.unwrap();
    house.control.set_password("student", "another horse").await.unwrap();
    assert_eq!(house.control.authenticate(&token).await.unwrap(), None);
    assert!(
        house
            .control
            .sign_in("student", "another horse", &client(HOME))
            .await
            .is_ok()
    );
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
    assert!(
        matches!(taken, Err(Error::Store(StoreError::AlreadyExists(_)))),
        "{taken:?}"
    );
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
