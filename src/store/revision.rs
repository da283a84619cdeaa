//! [`Revision`]: which of two records is newer.

use std::fmt;

/// Which of two records of a slot is the newer one. A greater revision is newer.
///
/// Each is at least what the store's clock shows in milliseconds when it is chosen, so that what is written after a store
/// has lost everything is newer than what was there before.
///
/// # Examples
///
/// ```
/// use tower_reauth::store::Revision;
///
/// assert!(Revision::NONE < Revision::NONE.next());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// That of a slot in which nothing was saved.
    pub const NONE: Self = Self(0);

    /// The last one there is: 2^53 - 1, up to which a number is exact in every language that stores are scripted in.
    pub const LAST: Self = Self((1 << 53) - 1);

    /// The revision of this number, at most [`LAST`](Self::LAST).
    #[must_use]
    pub const fn new(number: u64) -> Self {
        if number < Self::LAST.0 { Self(number) } else { Self::LAST }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.0.saturating_add(1))
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}
