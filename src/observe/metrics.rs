//! Counters and histograms for `metrics`. See the table in the crate's documentation.

use std::sync::Arc;

use metrics::{counter, histogram};

use super::Event;
use crate::{AuthErrorKind, Reason};

pub(super) fn record(credential: &Arc<str>, event: Event<'_>) {
    let credential = credential.clone();
    match event {
        Event::Acquired { took, .. } => {
            acquisition(credential.clone(), "acquired");
            histogram!("tower_reauth_acquisition_seconds", "credential" => credential).record(took);
        }
        Event::NotAcquired { error, took } => {
            acquisition(credential.clone(), name(error.kind()));
            histogram!("tower_reauth_acquisition_seconds", "credential" => credential).record(took);
        }
        Event::Superseded => acquisition(credential, "superseded"),
        Event::Rejected { reason, .. } => {
            let verdict = if reason == Reason::Rejected { "invalid" } else { "expired" };
            counter!("tower_reauth_rejections_total", "credential" => credential, "verdict" => verdict)
                .increment(1);
        }
        Event::Replayed { .. } => {
            counter!("tower_reauth_replays_total", "credential" => credential).increment(1);
        }
        Event::Paused { .. } => {
            counter!("tower_reauth_paused_total", "credential" => credential).increment(1);
        }
        Event::FailedFast { error } => {
            let reason = name(error.kind());
            counter!("tower_reauth_failed_fast_total", "credential" => credential, "reason" => reason)
                .increment(1);
        }
        Event::Waited { waited } => {
            histogram!("tower_reauth_wait_seconds", "credential" => credential).record(waited);
        }
        Event::Used { expires_at, now } => {
            // A token without known expiry has no remaining lifetime to tell of.
            if let Some(expires_at) = expires_at {
                histogram!("tower_reauth_remaining_lifetime_seconds", "credential" => credential)
                    .record(expires_at.saturating_duration_since(now));
            }
        }
    }
}

fn acquisition(credential: Arc<str>, outcome: &'static str) {
    counter!("tower_reauth_acquisitions_total", "credential" => credential, "outcome" => outcome)
        .increment(1);
}

fn name(kind: AuthErrorKind) -> &'static str {
    match kind {
        AuthErrorKind::CredentialsRejected => "credentials_rejected",
        AuthErrorKind::Unavailable => "unavailable",
        AuthErrorKind::TimedOut => "timed_out",
        AuthErrorKind::Panicked => "panicked",
        AuthErrorKind::Lost => "lost",
        AuthErrorKind::NoRuntime => "no_runtime",
        AuthErrorKind::Paused => "paused",
        AuthErrorKind::NotRenewable => "not_renewable",
        AuthErrorKind::NotRevocable => "not_revocable",
    }
}
