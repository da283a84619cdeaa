//! [`Moment`]: a time on a store's clock.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A time on a store's clock, in milliseconds since 1970.
///
/// Each answer of a store says what it is *now* on that clock. Only differences to that mean something to others, whose
/// clocks may show another time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::store::Moment;
///
/// let now = Moment::from_millis(1_000);
/// let then = now.after(Duration::from_secs(2));
/// assert_eq!(then.since(now), Duration::from_secs(2));
/// assert_eq!(now.since(then), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// No later moment than this is told apart: what comes after it is taken for it.
    const LAST: u64 = (1 << 53) - 1;

    /// So many milliseconds after 1970 began.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis < Self::LAST { millis } else { Self::LAST })
    }

    /// What the wall clock shows, if that is the store's clock.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        Self::default().after(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The moment so long after this one.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long this is after `earlier`, or nothing if it isn't.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
