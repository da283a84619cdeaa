//! [`Claimant`]: one flight, as the processes that share its token know it.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::link::Link;
use crate::{
    error::{AcquireError, AcquireErrorKind, ErrorCode, StoreError},
    store::{Claim, Claimed, Digest, Fate, Moment, Nonce, Rejection, Release, Revision, Save},
    sync::{Mutex, MutexGuard, PoisonError},
    time::wall_clock,
    token::state::Order,
};

/// How often a claim is renewed, which lasts for 5 s.
const RENEWAL: Duration = Duration::from_millis(1500);

/// One flight, and its claim to be the one that asks for a token.
pub(in crate::token) struct Claimant {
    link: Arc<Link>,
    nonce: Nonce,
    standing: Mutex<Standing>,
}

/// What has become of the claim.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// The newest revision that is known: the one whose refresh token is sent.
    than: Revision,
    /// As what the flight saves what it gets.
    next: Revision,
    holds: bool,
    /// It has sent a refresh token that may be used up by that.
    sent: bool,
    /// What has become of it.
    fate: Fate,
    /// Whose note may be replaced, since all that it waited for is over.
    over: Option<Nonce>,
    /// What the store's clock showed, and when that was heard.
    clock: Option<(Moment, Instant)>,
    /// What stands for the secret that the flight is going to show.
    whom: Option<Digest>,
}

/// How a flight has failed, for those who waited for it, and those who are next.
pub(super) struct Failed {
    pub(super) text: String,
    pub(super) wait: Duration,
    pub(super) in_a_row: u32,
    /// What stands for the secret that was refused, if that is why.
    pub(super) whom: Option<Digest>,
}

/// Why a refresh token isn't sent.
#[derive(Debug)]
pub(in crate::token) enum Barred {
    /// Somebody else has the claim by now, or a newer token.
    Lost,
    /// Another flight may have sent it.
    Spent,
    /// The store can't be told.
    Unreachable(StoreError),
    /// There is too little time left to hear what comes of it.
    Late,
}

impl Barred {
    pub(in crate::token) fn into_error(self) -> AcquireError {
        match self {
            Self::Lost => AcquireError::unasked("another process has taken over"),
            Self::Spent => AcquireError::unasked("another process may have sent the refresh token already"),
            Self::Unreachable(error) => unreachable(error),
            Self::Late => {
                AcquireError::new(AcquireErrorKind::TimedOut, "there was no time left for an attempt")
            }
        }
    }
}

/// No refresh token that is used up by its use is sent without the store's knowledge.
pub(super) fn unreachable(error: StoreError) -> AcquireError {
    AcquireError::unasked(
        "a refresh token that other processes have too isn't sent while the store can't be asked",
    )
    .with_source(error)
}

impl Claimant {
    pub(super) fn new(link: Arc<Link>, known: Revision) -> Self {
        let standing = Standing {
            than: known,
            next: known.next(),
            holds: false,
            sent: false,
            fate: Fate::Unspent,
            over: None,
            clock: None,
            whom: None,
        };
        Self { link, nonce: Nonce::random(), standing: Mutex::new(standing) }
    }

    /// Whether it has sent a refresh token that may be used up by that.
    pub(in crate::token) fn has_sent(&self) -> bool {
        self.lock().sent
    }

    /// Whether it has the claim, as far as it knows.
    pub(in crate::token) fn holds(&self) -> bool {
        self.lock().holds
    }

    pub(super) fn fate(&self) -> Fate {
        self.lock().fate
    }

    pub(super) fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// Says by which secret it is going to be known.
    pub(super) fn show(&self, whom: Option<Digest>) {
        self.lock().whom = whom;
    }

    pub(super) fn whom(&self) -> Option<Digest> {
        self.lock().whom
    }

    /// What it saves is newer than that, and is to be this.
    pub(super) fn revisions(&self) -> (Revision, Revision) {
        let standing = self.lock();
        (standing.than, standing.next)
    }

    /// What the store's clock shows at a moment, or a little less, so that nothing seems to live longer than it does; ours,
    /// where it was never asked.
    pub(super) fn store_time(&self, at: Instant) -> Moment {
        let clock = self.lock().clock;
        let (shown, heard_at) =
            clock.unwrap_or_else(|| (Moment::from_system_time(wall_clock()), Instant::now()));
        let earlier = heard_at.saturating_duration_since(at).as_nanos().div_ceil(1_000_000);
        let shown = shown.millis().saturating_sub(u64::try_from(earlier).unwrap_or(u64::MAX));
        Moment::from_millis(shown).after(at.saturating_duration_since(heard_at))
    }

    /// Whether it has heard from the store what its clock shows.
    pub(super) fn has_clock(&self) -> bool {
        self.lock().clock.is_some()
    }

    /// Has a note replaced that another flight has left: what it sent is sent again.
    pub(super) fn replace_note(&self, by: Nonce) {
        self.lock().over = Some(by);
    }

    /// Goes on from a newer revision, whose refresh token is the next to be sent.
    pub(super) fn go_on_from(&self, revision: Revision) {
        let mut standing = self.lock();
        (standing.than, standing.next) = (revision, standing.next.max(revision.next()));
    }

    /// Asks to be the one who asks for a token.
    pub(super) async fn claim(&self, order: &Order) -> Result<Claimed, StoreError> {
        let known = &order.known;
        let than = self.lock().than;
        let mut claim = Claim::new(self.nonce, than);
        if let Some(rejection) = known.rejection.filter(|_| known.revision == than) {
            // Those who haven't seen it accepted would take this for one more in a row.
            if known.accepted && rejection == Rejection::Early {
                self.link.save(Save::Accepted(than)).await?;
            }
            claim = claim.rejected(rejection);
        }
        if order.insists {
            claim = claim.without_waiting();
        }
        self.ask(claim).await
    }

    /// Says that the refresh token is about to be sent, right before it is. Nothing is sent unless this is `Ok`.
    pub(in crate::token) async fn about_to_send(&self, order: &Order) -> Result<(), Barred> {
        // What comes back is to be heard by somebody. A flight that is as short as an attempt has half of its time for that.
        let limit = order.policy.attempt_limit().min(order.policy.flight_limit() / 2);
        if order.deadline.saturating_duration_since(Instant::now()) < limit {
            return Err(Barred::Late);
        }
        let (than, over) = {
            let standing = self.lock();
            (standing.than, standing.over)
        };
        match self.ask(Claim::new(self.nonce, than).sending(than, over)).await {
            Ok(Claimed::Yours { seen, .. }) if seen.record.is_noted_by(self.nonce, than) => {
                let mut standing = self.lock();
                (standing.sent, standing.fate) = (true, Fate::Unknown);
                Ok(())
            }
            Ok(Claimed::Yours { .. }) => Err(Barred::Spent),
            Ok(_) => Err(Barred::Lost),
            Err(error) => Err(Barred::Unreachable(error)),
        }
    }

    /// Takes down that a token is acquired because of a rejection: so much is missing of what all processes may have.
    pub(super) async fn charge(&self, full_at: Moment) {
        let than = self.lock().than;
        // If that fails, so does the next, which matters more.
        let _ = self.ask(Claim::new(self.nonce, than).full_at(full_at)).await;
    }

    /// Takes down what a server said of the refresh token that was sent.
    pub(in crate::token) fn hear(&self, error: &AcquireError) {
        let mut standing = self.lock();
        if !standing.sent {
            return;
        }
        standing.fate = match (error.kind(), error.code()) {
            // A server that asks to be left alone has not looked at it.
            _ if error.is_throttled() => Fate::Unspent,
            // Nothing was sent.
            (AcquireErrorKind::NoSecret, _) => Fate::Unspent,
            (AcquireErrorKind::GrantRejected, _) | (_, Some(ErrorCode::InvalidGrant)) => Fate::Refused,
            _ => Fate::Unknown,
        };
    }

    /// Renews the claim for as long as this is polled. Ends when there is something newer, and nothing has been sent that
    /// is used up by that. Else what was sent can't be called back, and whatever comes of it is compared when it is saved.
    pub(super) async fn keep_up(&self) {
        loop {
            sleep(RENEWAL).await;
            let than = self.lock().than;
            // If it fails, the next one may succeed.
            let claimed = self.ask(Claim::new(self.nonce, than)).await;
            if matches!(claimed, Ok(Claimed::Newer(_))) && !self.has_sent() {
                return;
            }
        }
    }

    /// Gives the claim back, with nothing saved, and tells those who waited for it what has failed.
    pub(super) async fn release(&self, failed: Option<Failed>) {
        let (holds, fate) = {
            let standing = self.lock();
            (standing.holds, standing.fate)
        };
        if !holds {
            return;
        }
        let mut release = Release::new(self.nonce, fate);
        if let Some(Failed { text, wait, in_a_row, whom }) = failed {
            release = release.failed(text, in_a_row).wait(wait);
            if let Some(whom) = whom {
                release = release.refused_secret(whom);
            }
        }
        // It ends by itself, soon.
        let _ = self.link.release(release).await;
        self.lock().holds = false;
    }

    async fn ask(&self, mut claim: Claim) -> Result<Claimed, StoreError> {
        if let Some(whom) = self.whom() {
            claim = claim.with_secret(whom);
        }
        let claimed = self.link.claim(claim).await?;
        let mut standing = self.lock();
        standing.holds = false;
        if let Claimed::Yours { seen, next } = &claimed {
            (standing.holds, standing.next, standing.clock) = (true, *next, Some((seen.now, Instant::now())));
        }
        Ok(claimed)
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
