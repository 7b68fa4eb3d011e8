//! Passwords, roles and preferences.

use crate::fixture::{Fixture, HOME, PASSWORD, client};
use control::Error;
use session::{
    Role,
    columns::{Choice, Column},
};
use store::StoreError;

#[tokio::test]
async fn a_new_password_ends_every_login_of_that_person() {
    let fixture = Fixture::new().await;
    let token = fixture
        .control
        .sign_in("student", PASSWORD, &client(HOME))
        .await
        .unwrap();
    fixture.control.set_password("student", "another horse").await.unwrap();
    assert_eq!(fixture.control.authenticate(&token).await.unwrap(), None);
    assert!(
        fixture
            .control
            .sign_in("student", "another horse", &client(HOME))
            .await
            .is_ok()
    );
    assert!(matches!(
        fixture.control.set_password("student", "short").await,
        Err(Error::Malformed(_))
    ));
}

#[tokio::test]
async fn at_least_one_system_admin_remains() {
    let fixture = Fixture::new().await;
    let refused = fixture.control.set_role("admin", Role::User).await;
    assert!(
        matches!(refused, Err(Error::Store(StoreError::LastSystemAdmin))),
        "{refused:?}"
    );
    fixture.control.set_role("other", Role::SystemAdmin).await.unwrap();
    fixture.control.set_role("admin", Role::User).await.unwrap();
    let taken = fixture.control.add_user("ADMIN", PASSWORD, Role::User).await;
    assert!(
        matches!(taken, Err(Error::Store(StoreError::AlreadyExists(_)))),
        "{taken:?}"
    );
}

#[tokio::test]
async fn a_choice_of_columns_is_kept_for_each_administrator_and_can_be_forgotten() {
    let fixture = Fixture::new().await;
    let choice = Choice::default().with(Column::UserId, true);
    fixture
        .control
        .set_columns(&fixture.admin, Some(choice.clone()))
        .await
        .unwrap();
    assert_eq!(fixture.control.columns(&fixture.admin).await.unwrap(), choice);
    fixture.control.set_columns(&fixture.admin, None).await.unwrap();
    assert_eq!(
        fixture.control.columns(&fixture.admin).await.unwrap(),
        Choice::default()
    );
}
