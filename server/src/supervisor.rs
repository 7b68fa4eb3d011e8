//! What systemd is told, where it started the server: ready, alive, stopping. The protocol is the crate `sd-notify`'s; without
//! systemd nothing happens.

use std::sync::Arc;

use control::Control;
use sd_notify::NotifyState;

/// The server serves. From now on systemd is told that it is alive, as often as it wants to hear that: only while the log can be
/// read and the writer takes its turns.
pub fn ready(control: &Arc<Control>) {
    tell(NotifyState::Ready);
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let control = control.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(patience / 3);
        loop {
            ticks.tick().await;
            match control.alive().await {
                Ok(()) => tell(NotifyState::Watchdog),
                Err(error) => tracing::error!(%error, "health check failed; watchdog not notified"),
            }
        }
    });
}

/// The server is on its way down.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "could not notify systemd");
    }
}
