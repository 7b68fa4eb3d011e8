//! My apps: what a poll answers, favourites, last uses.
#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use chrono::TimeDelta;
use control::Error;
use session::{
    ApplicationId, Status,
    api::{ExpireRequest, MAX_RECENT, Me, MyApps},
    catalogue::{LaunchState, draft::ApplicationDraft},
};
use uuid::Uuid;

use crate::fixture::{DESKTOP, ENVIRONMENT, Fixture};

async fn add(fixture: &Fixture, name: &str, category: &str) -> ApplicationId {
    let draft = ApplicationDraft {
        name: name.into(),
        category: category.into(),
        environment_id: Some(ENVIRONMENT),
        program: "desktop".into(),
        ..ApplicationDraft::default()
    };
    fixture
        .control
        .add_application(&fixture.admin, &draft)
        .await
        .unwrap()
        .id
}

async fn poll(fixture: &Fixture, me: &Me, known: Option<&MyApps>) -> MyApps {
    let known = known.map(|apps| &*apps.version);
    fixture.control.my_apps(me, known).await.unwrap()
}

#[tokio::test]
async fn a_poll_has_the_cards_only_if_they_changed() {
    let fixture = Fixture::new().await;
    let (student, control) = (&fixture.student, &fixture.control);
    let first = poll(&fixture, student, None).await;
    assert_eq!(first.cards.as_ref().unwrap().items.len(), 1);
    let session = control.launch(student, DESKTOP).await.unwrap();
    let second = poll(&fixture, student, Some(&first)).await;
    assert_eq!((second.cards, second.sessions[0].id), (None, session.id));
    let other = poll(&fixture, &fixture.other, None).await;
    assert_eq!((&other.version, other.sessions.len()), (&first.version, 0));

    add(&fixture, "Another", "").await;
    let third = poll(&fixture, student, Some(&first)).await;
    assert_eq!(third.cards.as_ref().unwrap().items.len(), 2);
    assert_ne!(third.version, first.version);

    // A closed application is for its users only, while it runs.
    control
        .set_application_launches(&fixture.admin, DESKTOP, LaunchState::Closed)
        .await
        .unwrap();
    let mine = poll(&fixture, student, Some(&third)).await;
    let card = mine
        .cards
        .as_ref()
        .unwrap()
        .items
        .iter()
        .find(|card| card.id == DESKTOP);
    assert!(card.is_some_and(|card| !card.open));
    assert_eq!(poll(&fixture, student, Some(&mine)).await.cards, None);
    assert_eq!(poll(&fixture, &fixture.other, None).await.cards.unwrap().items.len(), 1);
    control.end_own(student, session.id).await.unwrap();
    assert_eq!(poll(&fixture, student, Some(&mine)).await.cards.unwrap().items.len(), 1);
}

#[tokio::test]
async fn categories_have_one_spelling_and_an_order_of_their_own() {
    let fixture = Fixture::new().await;
    for (name, category) in [
        ("A", "statistics"),
        ("B", "Éducation"),
        ("C", "Statistics"),
        ("D", "Zoology"),
    ] {
        add(&fixture, name, category).await;
    }
    let cards = poll(&fixture, &fixture.student, None).await.cards.unwrap();
    let spelled = |cards: &[std::sync::Arc<str>]| cards.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(spelled(&cards.categories), ["Éducation", "statistics", "Zoology"]);
    let of: Vec<_> = cards
        .items
        .iter()
        .map(|card| card.appearance.category.clone())
        .collect();
    assert_eq!(spelled(&of), ["statistics", "Éducation", "statistics", "Zoology", ""]);
}

#[tokio::test]
async fn a_favourite_is_of_one_person_and_of_what_they_see() {
    let fixture = Fixture::new().await;
    let (student, other, control) = (&fixture.student, &fixture.other, &fixture.control);
    for me in [student, other] {
        assert_eq!(poll(&fixture, me, None).await.favourites, []);
    }
    control.set_favourite(student, DESKTOP, true).await.unwrap();
    let seen = poll(&fixture, student, None).await;
    assert_eq!(seen.favourites, [DESKTOP]);
    assert_eq!(poll(&fixture, student, Some(&seen)).await.favourites, [DESKTOP]);
    assert_eq!(poll(&fixture, other, Some(&seen)).await.favourites, []);

    // Another node writes to the same database.
    fixture
        .store
        .set_favourite(student.user_id, DESKTOP, false)
        .await
        .unwrap();
    assert_eq!(
        poll(&fixture, student, None).await.favourites,
        [],
        "a new page is fresh"
    );
    fixture
        .store
        .set_favourite(student.user_id, DESKTOP, true)
        .await
        .unwrap();
    fixture.advance(TimeDelta::seconds(31));
    assert_eq!(poll(&fixture, student, Some(&seen)).await.favourites, [DESKTOP]);

    control
        .set_application_launches(&fixture.admin, DESKTOP, LaunchState::Closed)
        .await
        .unwrap();
    for id in [DESKTOP, ApplicationId(Uuid::nil())] {
        let refused = control.set_favourite(other, id, true).await;
        assert!(
            matches!(refused, Err(Error::NoApplication(no)) if no == id),
            "{refused:?}"
        );
    }
    control.set_favourite(student, DESKTOP, false).await.unwrap();
    assert_eq!(poll(&fixture, student, Some(&seen)).await.favourites, []);
}

#[tokio::test]
async fn the_last_launches_come_newest_first_and_outlive_their_sessions() {
    let fixture = Fixture::new().await;
    let (student, control) = (&fixture.student, &fixture.control);
    let mut launched = Vec::new();
    for number in 0..MAX_RECENT + 2 {
        let id = add(&fixture, &format!("Program {number}"), "").await;
        fixture.advance(TimeDelta::seconds(5));
        let session = control.launch(student, id).await.unwrap();
        launched.insert(0, id);
        let recent = poll(&fixture, student, None).await.recent;
        assert_eq!(recent, launched[..launched.len().min(MAX_RECENT)]);
        control
            .expire(&fixture.admin, session.id, ExpireRequest::default())
            .await
            .unwrap();
        fixture.wait_for_status(session.id, Status::Expired).await;
    }
    assert_eq!(poll(&fixture, &fixture.other, None).await.recent, []);
    let mine = control.my_applications(student).await.unwrap();
    let last = mine.iter().find(|mine| mine.id == launched[0]).unwrap();
    assert!(last.used_at.is_some() && last.session.is_none());
    // An application that was closed since is not shown.
    control
        .set_application_launches(&fixture.admin, launched[0], LaunchState::Closed)
        .await
        .unwrap();
    assert_eq!(poll(&fixture, student, None).await.recent, launched[1..=MAX_RECENT]);
}
