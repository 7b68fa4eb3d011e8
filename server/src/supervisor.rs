//! Notifies systemd if it started the server: ready, alive, stopping. The crate `sd-notify`
//! implements the protocol. Without systemd, nothing is sent.

use std::sync::Arc;

use control::Control;
use sd_notify::NotifyState;

/// Reports that the server is ready, and from then on notifies the watchdog at a third of its
/// timeout. A notification requires that the log can be read and that the writer makes progress.
pub fn ready(control: &Arc<Control>) {
    notify(NotifyState::Ready);
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let control = control.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(patience / 3);
        loop {
            ticks.tick().await;
            match control.check_liveness().await {
                Ok(()) => notify(NotifyState::Watchdog),
                Err(error) => tracing::error!(%error, "health check failed; watchdog not notified"),
            }
        }
    });
}

/// Reports that the server shuts down.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "could not notify systemd");
    }
}
