use super::*;
use session::{Actor, Role, Timestamp, UserId};
use store::{Changes, People, User};
use store_sqlite::Sqlite;

/// A store to which this many people were added, one a second. Every third is called `rita`, the
/// others `jane`.
async fn store_with(people: u32) -> (Sqlite, Replica, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).await.unwrap();
    for n in 1..=people {
        add(&store, n).await;
    }
    (store, Replica::new(Changes::default()), folder)
}

async fn add(store: &Sqlite, n: u32) {
    let name = if n.is_multiple_of(3) { "rita" } else { "jane" };
    let at = Timestamp::from_timestamp(1_800_000_000 + i64::from(n), 0).unwrap();
    let user = User {
        id: UserId::numbered(u128::from(n)),
        number: 0,
        username: format!("{name}{n}").into(),
        password_hash: String::new(),
        role: Role::User,
        created_at: at,
        blocked: false,
        must_change_password: false,
    };
    store.add_user(&user, &Actor::System, at).await.unwrap();
}

fn of(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.entry.id).collect()
}

fn ids(page: &Page) -> Vec<u64> {
    of(&page.items)
}

const NEAR_LIMITS: Limits = Limits {
    searched: 20,
    counted: 10,
    part: 4,
    newer_parts: 2,
};

fn search<'a>(store: &'a Sqlite, replica: &'a Replica, query: &'a Query, limits: Limits) -> Search<'a> {
    Search {
        limits,
        ..Search::new(store, replica, query)
    }
}

#[tokio::test]
async fn pages_lead_to_the_end_and_back_while_events_are_added() {
    let (store, replica, _folder) = store_with(30).await;
    for (q, expected) in [
        ("", (1..=30).rev().collect::<Vec<u64>>()),
        ("user:rita", (1..=10).rev().map(|n| n * 3).collect()),
    ] {
        let query = Query::parse(q).unwrap();
        for limit in [1, 3, 7, 100] {
            let search = search(&store, &replica, &query, LIMITS);
            let mut pages = vec![search.page(Place::Newest, limit).await.unwrap()];
            assert_eq!(pages[0].newer, None);
            assert_eq!((pages[0].found, pages[0].counted), (expected.len() as u64, true));
            while let Some(id) = pages.last().unwrap().older {
                pages.push(search.page(Place::Before(id), limit).await.unwrap());
            }
            let all: Vec<u64> = pages.iter().flat_map(ids).collect();
            assert_eq!(all, expected, "“{q}” by {limit}");
            // Back to newer events: the same pages again, except the first, which is the newest
            // page.
            for two in pages.windows(2).rev() {
                let back = search.page(Place::After(two[1].newer.unwrap()), limit).await.unwrap();
                assert_eq!(ids(&back), ids(&two[0]), "“{q}” by {limit}");
            }
        }
    }
    let everything = Query::default();
    let search = search(&store, &replica, &everything, LIMITS);
    let second = search.page(Place::Before(21), 10).await.unwrap();
    for n in 31..=34 {
        add(&store, n).await;
    }
    assert_eq!(search.page(Place::Before(21), 10).await.unwrap(), second);
    let newer = search.page(Place::After(20), 10).await.unwrap();
    assert_eq!(
        ids(&newer),
        (21..=30).rev().collect::<Vec<_>>(),
        "the same page as before"
    );
    assert_eq!(newer.newer, Some(30), "a link to the new events");
}

#[tokio::test]
async fn a_search_with_few_matches_stops_and_can_be_continued() {
    let (store, replica, _folder) = store_with(50).await;
    let query = Query::parse("user:jane1").unwrap();
    let search = search(&store, &replica, &query, NEAR_LIMITS);
    let mut page = search.page(Place::Newest, 50).await.unwrap();
    assert_eq!((ids(&page), page.stopped, page.counted), (vec![], Some(20), false));
    let mut found = Vec::new();
    while let Some(id) = page.older {
        page = search.page(Place::Before(id), 50).await.unwrap();
        found.extend(ids(&page));
    }
    assert_eq!(found, [19, 17, 16, 14, 13, 11, 10, 1]);
    assert_eq!(page.stopped, None);
    // Towards newer events, too.
    let query = Query::parse("user:jane49").unwrap();
    let search = Search {
        query: &query,
        ..search
    };
    let page = search.page(Place::After(3), 5).await.unwrap();
    assert_eq!((ids(&page), page.newer, page.older), (vec![], Some(23), Some(3)));
    let page = search.page(Place::After(23), 5).await.unwrap();
    assert_eq!(page.newer, Some(43));
    assert_eq!(ids(&search.page(Place::After(43), 5).await.unwrap()), [49]);
}

#[tokio::test]
async fn the_count_of_a_full_page_is_limited() {
    let (store, replica, _folder) = store_with(30).await;
    let everything = Query::default();
    let search = search(&store, &replica, &everything, NEAR_LIMITS);
    let page = search.page(Place::Newest, 2).await.unwrap();
    assert_eq!((ids(&page), page.counted, page.older), (vec![30, 29], false, Some(29)));
    assert!((10..20).contains(&page.found), "{}", page.found);
    assert_eq!(page.stopped, None, "the page is full");
}

#[tokio::test]
async fn all_matches_come_in_parts() {
    let (store, replica, _folder) = store_with(30).await;
    let query = Query::parse("rita").unwrap();
    let search = search(&store, &replica, &query, NEAR_LIMITS);
    let (mut all, mut next) = (Vec::new(), Some(Place::Newest));
    while let Some(place) = next {
        let (entries, then) = search.part(place).await.unwrap();
        all.extend(entries.into_iter().map(|entry| entry.id));
        next = then;
    }
    assert_eq!(all, (1..=10).rev().map(|n| n * 3).collect::<Vec<u64>>());
}

#[tokio::test]
async fn newer_events_come_once_each_and_in_parts() {
    let (store, replica, _folder) = store_with(5).await;
    for (q, expected) in [
        ("", vec![6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("rita", vec![6, 9, 12, 15]),
    ] {
        let query = Query::parse(q).unwrap();
        let search = search(&store, &replica, &query, NEAR_LIMITS);
        let mut seen = Some(5);
        if q.is_empty() {
            assert_eq!(search.page(Place::Newest, 2).await.unwrap().seen, seen);
            assert_eq!(
                search.since(seen, 50).await.unwrap(),
                Newer {
                    seen,
                    ..Newer::default()
                }
            );
            for n in 6..=15 {
                add(&store, n).await;
            }
        }
        let mut all = Vec::new();
        // Two parts of four events each: the second request finds the rest.
        for _ in 0..3 {
            let newer = search.since(seen, 50).await.unwrap();
            assert_eq!(newer.found, newer.items.len() as u64);
            all.extend(of(&newer.items).into_iter().rev());
            seen = newer.seen;
        }
        assert_eq!((all, seen), (expected, Some(15)), "“{q}”");
    }
    let everything = Query::default();
    let search = search(&store, &replica, &everything, NEAR_LIMITS);
    let newer = search.since(Some(9), 2).await.unwrap();
    assert_eq!((of(&newer.items), newer.found, newer.seen), (vec![15, 14], 6, Some(15)));
}

#[tokio::test]
async fn a_search_that_read_no_event_yet_finds_the_first_one() {
    let (store, replica, _folder) = store_with(3).await;
    let query = Query::parse("after:2027-01-15T08:00:04").unwrap();
    let search = search(&store, &replica, &query, LIMITS);
    let page = search.page(Place::Newest, 50).await.unwrap();
    assert_eq!((ids(&page), page.seen), (vec![], None));
    add(&store, 4).await;
    let newer = search.since(page.seen, 50).await.unwrap();
    assert_eq!((of(&newer.items), newer.found, newer.seen), (vec![4], 1, Some(4)));
}

#[tokio::test]
async fn one_event_is_found_by_its_number() {
    let (store, replica, _folder) = store_with(3).await;
    let query = Query::default();
    let search = search(&store, &replica, &query, LIMITS);
    for id in 1..=3 {
        assert_eq!(search.one(id).await.unwrap().map(|row| row.entry.id), Some(id));
    }
    for id in [0, 4, u64::MAX] {
        assert_eq!(search.one(id).await.unwrap(), None);
    }
}
