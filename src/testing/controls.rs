//! The handle with which a test steers a fake and looks at what it has seen; the same for all vendors.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    counts::Counts,
    plan::{Delay, Endpoint, Fault, On, Plans, Times},
    recorded::Recorded,
    refusal::Refusal,
    tokens::{Announced, Revoked, Tokens},
};

/// Requests remembered.
const RECORDED: usize = 1024;

/// Bytes of bodies remembered.
const RECORDED_BYTES: usize = 64 * 1024 * 1024;

/// Refusals remembered; all are counted.
const REFUSALS: usize = 1024;

/// Steers one fake and says what it has seen. Clones steer the same fake.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::testing::{FakeVidizmo, Revoked};
///
/// let vidizmo = FakeVidizmo::client_secret("john.doe@gmail.com", "exampleclientsecret");
/// let controls = vidizmo.controls();
/// controls.set_lifetime(Duration::from_secs(2));
/// controls.revoke(Revoked::Expired);
/// assert_eq!(controls.counts().api_calls, 0);
/// controls.assert_no_refusals();
/// ```
#[derive(Clone)]
pub struct Controls {
    state: Arc<Mutex<State>>,
}

impl Controls {
    /// Sets how long tokens last that are issued from now on. By default api.video's last 1 hour, VIDIZMO's 1 day,
    /// Vervoe's 10 minutes, and Videsk's keys for ever. Measured with [`tokio::time`], which a test can pause.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.lock().tokens.set_lifetime(lifetime);
    }

    /// Sets the `expires_in` that goes with tokens from now on, where the vendor has it. Honest by default.
    pub fn announce(&self, announced: Announced) {
        self.lock().tokens.announce(announced);
    }

    /// Revokes all tokens issued so far. [`Revoked`] says what that means for each vendor.
    pub fn revoke(&self, revoked: Revoked) {
        self.lock().tokens.revoke(revoked);
    }

    /// Plans what goes wrong. Of several plans for a call the earliest is used; a call that breaks the contract uses
    /// none. API calls get a planned answer whatever their token is.
    pub fn fail(&self, on: On, times: Times, fault: impl Into<Fault>) {
        self.lock().faults.add(on, times, fault.into());
    }

    /// Plans answers that come late by `delay`. The call takes effect, and its token is judged, when it arrives.
    pub fn delay(&self, on: On, times: Times, delay: Duration) {
        self.lock().delays.add(on, times, Delay::By(delay));
    }

    /// Plans answers that come late by a random time between none and `most`, otherwise as
    /// [`delay`](Self::delay).
    pub fn spread(&self, on: On, times: Times, most: Duration) {
        self.lock().delays.add(on, times, Delay::UpTo(most));
    }

    /// Drops all plans for faults and delays. Revoked tokens stay revoked.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.delays.clear();
    }

    /// Sets the longest request body that is read, in bytes: 16 MiB by default.
    pub fn set_body_limit(&self, bytes: usize) {
        self.lock().body_limit = bytes;
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Counts from zero again and forgets the requests, but neither tokens, plans nor refusals. The most at once start
    /// with those in flight.
    pub fn reset_counts(&self) {
        let mut state = self.lock();
        state.counts = Counts {
            most_token_calls_at_once: state.token_calls_now,
            most_api_calls_at_once: state.api_calls_now,
            ..Counts::default()
        };
        state.recorded.clear();
        state.recorded_bytes = 0;
    }

    /// The requests received, oldest first: the last 1024, fewer where their bodies exceed 64 MiB.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.lock().recorded.iter().cloned().collect()
    }

    /// The access tokens issued so far, oldest first: the last 4096.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.lock().tokens.issued()
    }

    /// The refresh tokens issued so far, oldest first: the last 4096.
    #[must_use]
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.lock().tokens.issued_refresh()
    }

    /// The requests that broke the contract, oldest first: the first 1024.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.lock().refusals.clone()
    }

    /// Checks that no request broke the contract; for the end of a test.
    ///
    /// # Panics
    ///
    /// If one did, with the list.
    #[track_caller]
    pub fn assert_no_refusals(&self) {
        let refusals = self.refusals();
        let list = refusals.iter().map(|refusal| format!("\n  {refusal}")).collect::<String>();
        assert!(refusals.is_empty(), "requests that break the contract:{list}");
    }

    pub(super) fn new(lifetime: Option<Duration>) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(lifetime))) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // What is kept is counters and lists, which a panic can't leave half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that arrives, and that it is in flight until the guard is dropped.
    pub(super) fn arrive(&self, endpoint: Endpoint) -> InFlight {
        let mut state = self.lock();
        let State { counts, token_calls_now, api_calls_now, .. } = &mut *state;
        match endpoint {
            Endpoint::Acquire => counts.acquires += 1,
            Endpoint::Refresh => counts.refreshes += 1,
            Endpoint::Logout => counts.logouts += 1,
            Endpoint::Api => counts.api_calls += 1,
        }
        match endpoint {
            Endpoint::Acquire | Endpoint::Refresh => {
                *token_calls_now += 1;
                counts.most_token_calls_at_once = counts.most_token_calls_at_once.max(*token_calls_now);
            }
            Endpoint::Api => {
                *api_calls_now += 1;
                counts.most_api_calls_at_once = counts.most_api_calls_at_once.max(*api_calls_now);
            }
            Endpoint::Logout => {}
        }
        InFlight { controls: self.clone(), endpoint }
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

pub(super) struct InFlight {
    controls: Controls,
    endpoint: Endpoint,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.controls.lock();
        match self.endpoint {
            Endpoint::Acquire | Endpoint::Refresh => state.token_calls_now -= 1,
            Endpoint::Api => state.api_calls_now -= 1,
            Endpoint::Logout => {}
        }
    }
}

pub(super) struct State {
    pub(super) tokens: Tokens,
    pub(super) counts: Counts,
    pub(super) faults: Plans<Fault>,
    pub(super) delays: Plans<Delay>,
    pub(super) body_limit: usize,
    token_calls_now: usize,
    api_calls_now: usize,
    recorded: VecDeque<Recorded>,
    recorded_bytes: usize,
    refusals: Vec<Refusal>,
}

impl State {
    fn new(lifetime: Option<Duration>) -> Self {
        Self {
            tokens: Tokens::new(lifetime),
            counts: Counts::default(),
            faults: Plans::new(),
            delays: Plans::new(),
            body_limit: 16 * 1024 * 1024,
            token_calls_now: 0,
            api_calls_now: 0,
            recorded: VecDeque::new(),
            recorded_bytes: 0,
            refusals: Vec::new(),
        }
    }

    pub(super) fn record(&mut self, request: Recorded) {
        self.recorded_bytes += request.body().len();
        self.recorded.push_back(request);
        while self.recorded.len() > RECORDED
            || (self.recorded_bytes > RECORDED_BYTES && self.recorded.len() > 1)
        {
            let forgotten = self.recorded.pop_front().map_or(0, |oldest| oldest.body().len());
            self.recorded_bytes -= forgotten;
        }
    }

    pub(super) fn refuse(&mut self, endpoint: Endpoint, refusal: Refusal) {
        self.counts.refused += 1;
        if endpoint == Endpoint::Api {
            self.counts.api_refused += 1;
        }
        if self.refusals.len() < REFUSALS {
            self.refusals.push(refusal);
        }
    }
}
