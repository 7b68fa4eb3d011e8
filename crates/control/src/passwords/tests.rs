use std::time::Duration;

use futures::{FutureExt, future::join_all};

use super::*;

#[test]
fn an_unknown_account_costs_as_much_as_a_wrong_password() {
    let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
    let somebody = hash("correct horse").unwrap();
    assert_eq!(cost(&UNKNOWN_ACCOUNT), cost(&somebody));
    assert_eq!(UNKNOWN_ACCOUNT.len(), somebody.len());
}

#[tokio::test]
async fn a_check_keeps_its_place_when_its_client_hangs_up() {
    let pool = PasswordPool::new(2, 3);
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(parking_lot::Mutex::new(wait));
    for _ in 0..2 {
        let wait = wait.clone();
        let mut check = Box::pin(pool.run(move || {
            let _ = wait.lock().recv();
        }));
        assert!(check.as_mut().now_or_never().is_none(), "it runs");
        // The client hangs up.
        drop(check);
    }
    assert_eq!(pool.running.available_permits(), 0, "both still run");
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(pool.run(|| ()))).collect();
    for check in &mut waiting {
        assert!(check.as_mut().now_or_never().is_none(), "it waits");
    }
    assert!(
        matches!(pool.run(|| ()).await, Err(Error::PasswordsBusy)),
        "the queue is full"
    );
    drop(release);
    let done = tokio::time::timeout(Duration::from_secs(30), join_all(waiting))
        .await
        .unwrap();
    assert!(done.iter().all(Result::is_ok));
    assert!(pool.run(|| ()).await.is_ok());
}
