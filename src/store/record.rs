//! [`Record`]: what is kept of one slot, and what its parts mean.

use std::time::Duration;

use bytes::Bytes;

use super::{body::Body, digest::Digest, moment::Moment, nonce::Nonce, revision::Revision};

/// What a store keeps of one slot. `Default` is a slot in which there is nothing.
///
/// The [`body`](Self::body) is for those who have saved it; a store doesn't look into it. All else is compared and changed
/// by the store, in one step each time: [`Record::claim`], [`Record::save`] and [`Record::release`] are these steps.
///
/// # Examples
///
/// A store of one's own keeps records as bytes, and changes them within a transaction:
///
/// ```
/// use tower_reauth::store::{Claim, Claimed, Moment, Nonce, Record, Revision};
///
/// # fn main() -> Result<(), tower_reauth::StoreError> {
/// let stored: Option<Vec<u8>> = None;
/// let mut record = stored.map_or_else(|| Ok(Record::default()), |bytes| Record::from_bytes(&bytes))?;
/// let claimed = record.claim(Moment::from_millis(1), &Claim::new(Nonce::random(), Revision::NONE));
/// assert!(matches!(claimed, Claimed::Yours { .. }));
/// let stored = Some(record.to_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which record it is: [`Revision::NONE`] if nothing was saved yet.
    pub revision: Revision,
    /// The flight that saved this revision.
    pub author: Option<Nonce>,
    /// When this revision was saved.
    pub saved_at: Moment,
    /// What has become of this revision.
    pub standing: Standing,
    /// Whether a server has accepted this revision's access token.
    pub accepted: bool,
    /// What was saved.
    pub body: Body,
    /// Whose claim it is to make a newer revision.
    pub claim: Option<Held>,
    /// Which revision's refresh token may have been sent.
    pub note: Option<Note>,
    /// Rejections in a row, since a revision was accepted.
    pub rejections: u32,
    /// When the budget for acquisitions after rejections is full again.
    pub full_at: Moment,
    /// What became of the last claim, if nothing was saved since.
    pub failure: Option<Failure>,
    /// When the record goes by itself.
    pub goes_at: Moment,
    /// What a later release of this crate has added, and this one leaves as it is.
    pub(super) unknown: Vec<(String, Bytes)>,
}

/// What has become of a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// It is for everybody. This is the default.
    #[default]
    Offered,
    /// A server has rejected its access token; what it could be renewed with may be good.
    Rejected,
    /// The program has revoked it: nothing of it, and of what is older, is any good.
    Revoked,
}

/// A claim: whose it is to make a newer revision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The flight that has it.
    pub by: Nonce,
    /// When it ends, if it isn't renewed.
    pub until: Moment,
    /// Where the holder lives, for stores that can tell whether it does. At most 256 bytes.
    pub owner: Bytes,
}

/// That a revision's refresh token may have been sent. It outlives the claim under which it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// Whose refresh token.
    pub revision: Revision,
    /// The flight that has sent it, or was about to.
    pub by: Nonce,
    /// When that flight last said so.
    pub at: Moment,
    /// How many flights have said so, one after the other.
    pub flights: u32,
    /// Whether the server has refused it, so that it is never to be sent again.
    pub refused: bool,
}

/// Why a claim ended without a newer revision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The flight that failed.
    pub by: Nonce,
    /// When it did.
    pub at: Moment,
    /// Until when nobody is to try again.
    pub until: Moment,
    /// The secret that was refused, if that is why: who has another one needn't wait. Of several that were refused in the
    /// meantime none is named, so that everybody waits.
    pub whom: Option<Digest>,
    /// How many have failed in a row.
    pub in_a_row: u32,
    /// What happened, for those who waited. It holds no secret.
    pub text: String,
}

impl Held {
    /// A claim of this flight.
    #[must_use]
    pub fn new(by: Nonce, until: Moment) -> Self {
        Self { by, until, owner: Bytes::new() }
    }

    /// How long it lasts from `now` on, if it isn't renewed.
    #[must_use]
    pub fn left(&self, now: Moment) -> Duration {
        self.until.since(now)
    }
}

impl Note {
    /// That this flight is about to send this revision's refresh token.
    #[must_use]
    pub fn new(revision: Revision, by: Nonce, at: Moment) -> Self {
        Self { revision, by, at, flights: 1, refused: false }
    }

    /// How long ago it was written.
    #[must_use]
    pub fn age(&self, now: Moment) -> Duration {
        now.since(self.at)
    }
}

impl Failure {
    /// That this flight has failed, and nobody has to wait.
    #[must_use]
    pub fn new(by: Nonce, at: Moment) -> Self {
        Self { by, at, until: at, whom: None, in_a_row: 1, text: String::new() }
    }

    /// How long those have to wait from `now` on who have the secret `whom`. Whoever doesn't know its own waits.
    #[must_use]
    pub fn left(&self, whom: Option<Digest>, now: Moment) -> Duration {
        if self.concerns(whom) { self.until.since(now) } else { Duration::ZERO }
    }

    /// Whether it says anything of what those would come to who have the secret `whom`.
    #[must_use]
    pub fn concerns(&self, whom: Option<Digest>) -> bool {
        !matches!((self.whom, whom), (Some(refused), Some(own)) if refused != own)
    }
}
