//! What systemd is told: ready, status, stopping, and that the worker is alive. Without systemd, nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The process that started this one and watches it, if any does.
#[derive(Clone, Copy, Debug)]
pub enum Supervisor {
    /// systemd, or who speaks like it.
    Systemd {
        /// After this time without a word it takes the worker for hung.
        watchdog: Option<Duration>,
    },
    /// Nobody.
    Nobody,
}

impl Supervisor {
    /// The one that the environment names (`NOTIFY_SOCKET`, `WATCHDOG_USEC`).
    #[must_use]
    pub fn of_process() -> Self {
        match std::env::var_os("NOTIFY_SOCKET") {
            Some(_) => Self::Systemd { watchdog: sd_notify::watchdog_enabled() },
            None => Self::Nobody,
        }
    }

    /// How often it wants to hear that the worker lives: twice in the time after which the supervisor would give the worker up.
    #[must_use]
    pub fn pulse(&self) -> Option<Duration> {
        match self {
            Self::Systemd { watchdog } => watchdog.map(|limit| limit / 2).filter(|pulse| !pulse.is_zero()),
            Self::Nobody => None,
        }
    }

    pub(super) fn tell_ready(self) {
        self.tell(&[NotifyState::Ready]);
    }

    pub(super) fn tell_reloading(self) {
        match NotifyState::monotonic_usec_now() {
            // Newer systemd wants to know when.
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    pub(super) fn tell_stopping(self) {
        self.tell(&[NotifyState::Stopping]);
    }

    pub(super) fn tell_alive(self) {
        self.tell(&[NotifyState::Watchdog]);
    }

    pub(super) fn status(self, text: &str) {
        self.tell(&[NotifyState::Status(text)]);
    }

    /// A supervisor that does not listen keeps nothing from being done.
    fn tell(self, states: &[NotifyState<'_>]) {
        if matches!(self, Self::Nobody) {
            return;
        }
        if let Err(error) = sd_notify::notify(states) {
            tracing::debug!(%error, "could not tell the service manager");
        }
    }
}
