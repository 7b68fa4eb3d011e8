//! Health checks for load balancers and supervisors.

use axum::{extract::State, http::StatusCode};

use super::AppState;

/// `GET /healthz`: liveness. It checks nothing else than that the process answers.
pub async fn liveness() -> &'static str {
    "ok"
}

/// `GET /readyz`: readiness. The server can read the log and does not shut down. After the first
/// line, the body lists the limits that apply to a session.
pub async fn readiness(State(state): State<AppState>) -> (StatusCode, String) {
    let unavailable = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    match state.control.check_readiness().await {
        Ok(()) => (StatusCode::OK, details(&state.control.all_limits())),
        Err(control::Error::Stopping) => unavailable("the server is stopping"),
        Err(error) => {
            tracing::error!(%error, "readiness check failed; answered 503");
            unavailable("the database does not answer")
        }
    }
}

fn details(limits: &[String]) -> String {
    let lines = std::iter::once("ready").chain(limits.iter().map(String::as_str));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_stays_what_supervisors_look_for() {
        assert_eq!(details(&[]), "ready");
        let limits = "Limits per session: 512 processes; memory, CPU and swap are not limited".to_owned();
        assert_eq!(details(std::slice::from_ref(&limits)), format!("ready\n{limits}"));
    }
}
