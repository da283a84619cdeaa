//! [`Claim`] and what a store answers it: [`Claimed`].

use std::time::Duration;

use super::{
    digest::Digest,
    moment::Moment,
    nonce::Nonce,
    record::{Failure, Record},
    revision::Revision,
};

/// The longest claim, in seconds.
const LONGEST: Duration = Duration::from_secs(5);

/// That a flight is about to make a newer revision, and nobody else is to.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::{Claim, Nonce, Revision};
///
/// let flight = Nonce::random();
/// let known = Revision::new(1_700_000_000_000);
/// let first = Claim::new(flight, known);
/// // Right before the refresh token of `known` is sent:
/// let renewed = Claim::new(flight, known).sending(known, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Claim {
    pub(super) nonce: Nonce,
    pub(super) than: Revision,
    pub(super) lasting: Duration,
    pub(super) whom: Option<Digest>,
    pub(super) waits: Waits,
    pub(super) rejection: Option<Rejection>,
    pub(super) sending: Option<Sending>,
    pub(super) full_at: Option<Moment>,
    pub(super) lost_at: Option<Moment>,
}

/// What is to be noted before a refresh token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sending {
    pub(super) revision: Revision,
    pub(super) over: Option<Nonce>,
}

/// Whether a claim waits after others' failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    Obeyed,
    Ignored,
}

/// What a server's rejection of a revision says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// There may be no progress: it counts among those in a row.
    Early,
    /// The token had lived long enough to have expired. It ends the row.
    Natural,
}

impl Claim {
    /// A claim of the flight `nonce`, to which nothing newer is known than `than`. It lasts for 5 seconds.
    ///
    /// The same flight's next claim renews it.
    pub fn new(nonce: Nonce, than: Revision) -> Self {
        Self {
            nonce,
            than,
            lasting: LONGEST,
            whom: None,
            waits: Waits::Obeyed,
            rejection: None,
            sending: None,
            full_at: None,
            lost_at: None,
        }
    }

    /// Sets how long it lasts, at most 5 seconds. By default it is that.
    pub fn lasting(mut self, lasting: Duration) -> Self {
        self.lasting = lasting.min(LONGEST);
        self
    }

    /// Says by which secret the flight is going to be known, so that it needn't wait where another one was refused. Without
    /// this it waits.
    pub fn with_secret(mut self, whom: Digest) -> Self {
        self.whom = Some(whom);
        self
    }

    /// Doesn't wait after others' failures: the program has asked for a new try.
    pub fn without_waiting(mut self) -> Self {
        self.waits = Waits::Ignored;
        self
    }

    /// Says that a server has rejected the revision `than`. That is taken down, whatever is answered, unless there is a
    /// newer revision.
    pub fn rejected(mut self, rejection: Rejection) -> Self {
        self.rejection = Some(rejection);
        self
    }

    /// Says that the refresh token of `revision` is about to be sent.
    ///
    /// If the answer is [`Claimed::Yours`], and its record's note is [by this flight](Record::is_noted_by), then it may be
    /// sent. If the note is another flight's, or says that the token was refused, it was left as it is, and nothing may be
    /// sent; but for the note of the flight `over`, which is replaced.
    pub fn sending(mut self, revision: Revision, over: Option<Nonce>) -> Self {
        self.sending = Some(Sending { revision, over });
        self
    }

    /// Sets when the budget is full again, if the claim is granted: the flight has taken from it.
    pub fn full_at(mut self, full_at: Moment) -> Self {
        self.full_at = Some(full_at);
        self
    }

    /// Says that the newest of what the store had acknowledged until `lost_at` may be lost, a note as well. If the claim is
    /// granted, the refresh token that is there counts as sent then, nobody knows by whom.
    ///
    /// It is for stores that can tell, with the first claim of a record after another server has taken over.
    pub fn after_a_loss(mut self, lost_at: Moment) -> Self {
        self.lost_at = Some(lost_at);
        self
    }

    /// The flight.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        self.nonce
    }
}

/// A record, and the time when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// What the store's clock showed.
    pub now: Moment,
    /// What it had.
    pub record: Record,
}

impl Seen {
    /// A record, and the time when it was read.
    #[must_use]
    pub fn new(now: Moment, record: Record) -> Self {
        Self { now, record }
    }
}

/// What a store answers to a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claimed {
    /// There is a newer revision. A claim that the flight had has ended.
    Newer(Box<Seen>),
    /// The flight has the claim.
    Yours {
        /// The record, with this claim.
        seen: Box<Seen>,
        /// The revision under which the flight is to save: newer than what the flight knows, than what is stored, and than
        /// what was saved before by a clock that is right.
        next: Revision,
    },
    /// Another flight has it.
    Held {
        /// Which one.
        by: Nonce,
        /// How long it lasts, if it isn't renewed.
        left: Duration,
        /// What the store's clock shows.
        now: Moment,
    },
    /// A flight has failed, and nobody is to try again yet.
    Wait {
        /// How it failed.
        failure: Failure,
        /// How long to wait.
        left: Duration,
        /// What the store's clock shows.
        now: Moment,
    },
}
