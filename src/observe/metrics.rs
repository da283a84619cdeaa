//! Counters and histograms for `metrics`. See the table in the crate's documentation.

use std::{sync::Arc, time::Duration};

use metrics::{Key, Label, Level, Metadata, counter, histogram, with_recorder};

use super::{event::Event, passed::Passed, reason::Reason};
use crate::error::AuthErrorKind;

/// Whether each use of a token is told of, with the time.
pub(super) const EACH_USE: bool = true;

const HERE: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// What is counted and measured of one credential.
#[derive(Debug)]
pub(super) struct Meters {
    /// Made once, since it would take an allocation for each request.
    remaining: Key,
}

impl Meters {
    pub(super) fn new(credential: &Arc<str>) -> Self {
        let label = Label::new("credential", credential.clone());
        Self { remaining: Key::from_parts("tower_reauth_remaining_lifetime_seconds", vec![label]) }
    }

    #[inline]
    pub(super) fn record(&self, credential: &Arc<str>, event: Event<'_>) {
        match event {
            // A token without known expiry has no remaining lifetime to tell of.
            Event::Used { remaining } => {
                if let Some(remaining) = remaining {
                    self.use_of(remaining);
                }
            }
            _ => record_rare(credential.clone(), event),
        }
    }

    /// Asks for the recorder each time, as the macros do: it may be installed later.
    fn use_of(&self, remaining: Duration) {
        with_recorder(|recorder| recorder.register_histogram(&self.remaining, &HERE)).record(remaining);
    }
}

/// What is counted of one layer.
#[derive(Clone, Debug)]
pub(super) struct Tally(Arc<Keys>);

/// Made once, as they may be wanted for each request: those that are wanted where a stack has several layers, or programs
/// send some requests with tokens of their own.
#[derive(Debug)]
struct Keys {
    origin: Arc<str>,
    other_origin: Key,
    own_header: Key,
    exempt: Key,
    no_room: Key,
}

impl Tally {
    pub(super) fn new(origin: &Arc<str>) -> Self {
        let key = |reason| passed_key(origin.clone(), reason);
        Self(Arc::new(Keys {
            origin: origin.clone(),
            other_origin: key("other_origin"),
            own_header: key("own_header"),
            exempt: key("exempt"),
            no_room: key("no_room"),
        }))
    }

    pub(super) fn count(&self, why: Passed) {
        let keys = &*self.0;
        match why {
            Passed::OtherOrigin => add_one(&keys.other_origin),
            Passed::OwnHeader => add_one(&keys.own_header),
            Passed::Exempt => add_one(&keys.exempt),
            Passed::NoRoom => add_one(&keys.no_room),
            Passed::OwnCookie => add_one(&passed_key(keys.origin.clone(), "own_cookie")),
            Passed::OwnParameter => add_one(&passed_key(keys.origin.clone(), "own_parameter")),
            Passed::PlainHttp => add_one(&passed_key(keys.origin.clone(), "plain_http")),
        }
    }
}

fn passed_key(origin: Arc<str>, reason: &'static str) -> Key {
    let labels = vec![Label::new("origin", origin), Label::from_static_parts("reason", reason)];
    Key::from_parts("tower_reauth_passed_total", labels)
}

fn add_one(key: &Key) {
    with_recorder(|recorder| recorder.register_counter(key, &HERE)).increment(1);
}

fn record_rare(credential: Arc<str>, event: Event<'_>) {
    match event {
        Event::Acquired { took, .. } => {
            acquisition(credential.clone(), "acquired");
            histogram!("tower_reauth_acquisition_seconds", "credential" => credential).record(took);
        }
        Event::NotAcquired { error, took } => {
            acquisition(credential.clone(), name(error.kind()));
            histogram!("tower_reauth_acquisition_seconds", "credential" => credential).record(took);
        }
        Event::Adopted { .. } => acquisition(credential, "adopted"),
        Event::Claimed { answer } => {
            counter!("tower_reauth_claims_total", "credential" => credential, "answer" => answer)
                .increment(1);
        }
        Event::Saved { outcome } => {
            counter!("tower_reauth_saves_total", "credential" => credential, "outcome" => outcome)
                .increment(1);
        }
        Event::StoreLost { .. } => {
            counter!("tower_reauth_store_losses_total", "credential" => credential).increment(1);
        }
        Event::StoreBack { .. } => {}
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
        Event::Waited { since } => {
            histogram!("tower_reauth_wait_seconds", "credential" => credential).record(since.elapsed());
        }
        // The only one that comes with each request.
        Event::Used { .. } => {}
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
        AuthErrorKind::NoSecret => "no_secret",
        AuthErrorKind::EndpointUnusable => "endpoint_unusable",
        AuthErrorKind::TimedOut => "timed_out",
        AuthErrorKind::Panicked => "panicked",
        AuthErrorKind::Lost => "lost",
        AuthErrorKind::NoRuntime => "no_runtime",
        AuthErrorKind::Paused => "paused",
        AuthErrorKind::NotRenewable => "not_renewable",
        AuthErrorKind::NotRevocable => "not_revocable",
        AuthErrorKind::StoreLost => "store_lost",
        AuthErrorKind::NotPlaceable => "not_placeable",
        AuthErrorKind::NoTenant => "no_tenant",
        AuthErrorKind::OtherTenant => "other_tenant",
        AuthErrorKind::TenantRefused => "tenant_refused",
        AuthErrorKind::TenantUnavailable => "tenant_unavailable",
        AuthErrorKind::TenantsFull => "tenants_full",
        AuthErrorKind::TenantRemoved => "tenant_removed",
    }
}
