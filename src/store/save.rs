//! [`Save`]: what a flight has brought, and what servers say of it.

use std::time::Duration;

use super::{body::Body, claim::Seen, nonce::Nonce, record::Standing, revision::Revision};

/// What is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Save {
    /// A new revision. It ends the claim of the flight that saves it, the notes about older ones, and every failure.
    Draft(Draft),
    /// That a server has accepted this revision's access token. It ends the row of rejections. If there is a newer
    /// revision, it means nothing.
    Accepted(Revision),
}

/// A revision that is to be saved.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::{Draft, Nonce, Revision, Save};
///
/// let flight = Nonce::random();
/// let (known, next) = (Revision::NONE, Revision::new(1_700_000_000_000));
/// let save = Save::Draft(Draft::new(flight, known, next, &b"sealed"[..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft {
    pub(super) nonce: Nonce,
    pub(super) than: Revision,
    pub(super) revision: Revision,
    pub(super) standing: Standing,
    pub(super) body: Body,
    pub(super) keep: Option<Duration>,
    pub(super) in_doubt: bool,
}

impl Draft {
    /// What the flight `nonce` saves as `revision`, to which nothing newer was known than `than`. A `revision` that isn't
    /// newer than that is taken for the one after it.
    pub fn new(nonce: Nonce, than: Revision, revision: Revision, body: impl Into<Body>) -> Self {
        let revision = revision.max(than.next());
        Self {
            nonce,
            than,
            revision,
            standing: Standing::Offered,
            body: body.into(),
            keep: None,
            in_doubt: false,
        }
    }

    /// Sets what has become of it already. [`Standing::Rejected`] is for an access token that was rejected before, and has
    /// come again: it counts as one more rejection in a row, and as the second at least. [`Standing::Revoked`] is what is
    /// left of one that the program has revoked, and ends the row.
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Sets how long the record is kept from now on. By default that is 90 days.
    pub fn keep(mut self, keep: Duration) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Says that its refresh token may have been sent by now: it is saved again, for a store that has lost it, and with it
    /// every note.
    pub fn in_doubt(mut self) -> Self {
        self.in_doubt = true;
        self
    }

    /// Has it saved as this revision at least: what the store's clock shows, if that was not known when the draft was made.
    pub fn not_before(mut self, revision: Revision) -> Self {
        self.revision = self.revision.max(revision);
        self
    }

    /// The revision that it is saved as.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// What a store answers to a [`Save`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saved {
    /// It is saved, by this call or by one before it.
    Done,
    /// Nothing was saved, since the store has something newer than what was known.
    Newer(Box<Seen>),
}
