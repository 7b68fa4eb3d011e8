//! Renders each page to its end, even if the client hangs up first.
//!
//! A page reads signals that belong to the reactive owner of its request. Leptos disposes of the
//! owner when the response future is dropped, while tasks of the page still run. These tasks panic,
//! and the owner's memory is not freed. Only a response that is read to its end disposes of its
//! owner completely. So each page is rendered in its own task, which no connection can cancel, and
//! the whole page is sent afterwards.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use session::api::Problem;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::problem::Refused;

/// Pages that are rendered concurrently. A page takes some milliseconds of CPU time and some MiB,
/// so more of them would finish no sooner. The others wait.
const AT_A_TIME: usize = 64;
/// Timeout of a client for a page.
const WAIT: Duration = Duration::from_secs(30);
/// Timeout of a rendering. Each of its queries has a shorter timeout, so only a bug takes this
/// long.
const ABANDON: Duration = Duration::from_secs(120);

/// Limits the number of pages that are rendered concurrently. Clones share the limit.
#[derive(Clone)]
pub struct Renders(Arc<Semaphore>);

impl Renders {
    /// Creates the limit, with all slots free.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

/// Renders a page in its own task and answers with the whole page.
pub async fn to_completion(State(Renders(limit)): State<Renders>, request: Request, next: Next) -> Response {
    // If a client hangs up while it waits here, nothing is rendered for it.
    let Ok(Ok(permit)) = timeout(WAIT, limit.acquire_owned()).await else {
        return overloaded();
    };
    match timeout(WAIT, tokio::spawn(render(request, next, permit))).await {
        Ok(Ok(page)) => page,
        // `CatchPanicLayer` answers.
        Ok(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
        Ok(Err(_)) | Err(_) => overloaded(),
    }
}

async fn render(request: Request, next: Next, permit: OwnedSemaphorePermit) -> Response {
    let path = request.uri().path().to_owned();
    let whole = async {
        let (parts, body) = next.run(request).await.into_parts();
        // The last part of the body disposes of the owner.
        let page = to_bytes(body, usize::MAX).await;
        page.map(|page| Response::from_parts(parts, Body::from(page)))
    };
    let rendered = timeout(ABANDON, whole).await;
    drop(permit);
    match rendered {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => {
            tracing::error!(%error, path, "could not render a page; answered 500");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => {
            tracing::error!(path, "timed out rendering a page; gave up");
            overloaded()
        }
    }
}

fn overloaded() -> Response {
    let detail = "The server is too busy to draw this page. Nothing was changed; try again in a moment.";
    let mut problem = Problem::new(503, "overloaded", "The server is busy", detail);
    problem.retry_after = Some(2);
    Refused(problem).into_response()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::{Router, body::Bytes, middleware};
    use futures::{FutureExt, stream};
    use tokio::{sync::Notify, task::yield_now};
    use tower::ServiceExt;

    use super::*;

    fn ask(router: &Router) -> impl Future<Output = Response> + use<> {
        let request = Request::get("/").body(Body::empty()).unwrap();
        router.clone().oneshot(request).map(Result::unwrap)
    }

    #[tokio::test]
    async fn a_page_is_rendered_to_its_end_also_when_its_client_has_hung_up() {
        let (go, done) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (wait, end) = (go.clone(), done.clone());
        let page = move || async move {
            wait.notified().await;
            // Leptos disposes of the owner with the last part of the body, too.
            Body::from_stream(stream::once(async move {
                end.store(true, Ordering::SeqCst);
                Ok::<_, std::io::Error>(Bytes::from("the whole page"))
            }))
        };
        let renders = Renders::new();
        let layer = middleware::from_fn_with_state(renders.clone(), to_completion);
        let router = Router::new().fallback(page).layer(layer);
        let mut answer = Box::pin(ask(&router));
        while renders.0.available_permits() == AT_A_TIME {
            assert!(answer.as_mut().now_or_never().is_none());
            yield_now().await;
        }
        drop(answer);
        go.notify_one();
        let finished = async {
            while !done.load(Ordering::SeqCst) || renders.0.available_permits() < AT_A_TIME {
                yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), finished).await.unwrap();
    }

    #[tokio::test]
    async fn a_page_that_panics_fails_its_own_request_and_gives_its_place_back() {
        async fn panics() {
            panic!("a fault in a page");
        }
        let renders = Renders::new();
        let layer = middleware::from_fn_with_state(renders.clone(), to_completion);
        let router = Router::new().fallback(panics).layer(layer);
        let router = router.layer(tower_http::catch_panic::CatchPanicLayer::new());
        for _ in 0..=AT_A_TIME {
            assert_eq!(ask(&router).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert_eq!(renders.0.available_permits(), AT_A_TIME);
    }
}
