//! [`Horizon`]: whether a moment is surely still to come, asked of a clock that takes a quarter of the time.
//!
//! Every request asks whether its token is still fresh, and for nearly all of a token's life the answer isn't close.
//! For the exact time the processor comes to rest, which takes 20 to 30 ns. The kernel has the time of its last tick at
//! hand as well, on the same scale, a few milliseconds late. That is asked until shortly before the moment in question,
//! and from then on the exact clock, so that nothing is decided otherwise than by the exact clock alone.
//!
//! The kernel's clock doesn't follow tests that pause Tokio's. So there is no horizon in a build in which Tokio's clock
//! can be paused, nor on systems without such a clock.

use std::time::Duration;

use tokio::time::Instant;

use super::coarse::Mark;

/// From so long before a moment on the exact clock is asked. Far more than the 10 ms between the slowest kernels' ticks.
const MARGIN: Duration = Duration::from_millis(100);

/// Whether Tokio was built with `test-util`, which no crate is told: then `pause` is the function of that feature, and
/// else the one below.
const CAN_BE_PAUSED: bool = {
    #[allow(unused_imports, reason = "without the feature nothing is found there")]
    use tokio::time::*;
    const fn returns_nothing<T>(_: fn() -> T) -> bool {
        size_of::<T>() == 0
    }
    returns_nothing(pause)
};

#[allow(dead_code, reason = "with the feature the other one is found")]
fn pause() -> u8 {
    0
}

/// How far it can be seen that a moment is ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Horizon {
    /// Not at all: the exact clock has to be asked.
    Veiled,
    /// Up to here.
    At(Mark),
    /// The moment never comes.
    Endless,
}

impl Horizon {
    /// The horizon before a moment, or without one.
    pub(crate) fn before(moment: Option<Instant>) -> Self {
        match moment {
            None => Self::Endless,
            Some(_) if CAN_BE_PAUSED => Self::Veiled,
            Some(moment) => Self::within(moment.saturating_duration_since(Instant::now())),
        }
    }

    /// The horizon before a moment so far from now.
    fn within(distance: Duration) -> Self {
        match distance.checked_sub(MARGIN) {
            Some(sight) => Mark::after(sight).map_or(Self::Veiled, Self::At),
            None => Self::Veiled,
        }
    }

    /// Whether the moment is ahead for sure.
    #[inline]
    pub(crate) fn is_clear(self) -> bool {
        match self {
            Self::Veiled => false,
            Self::At(mark) => mark.is_ahead(),
            Self::Endless => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn where_time_can_be_paused_nothing_is_seen() {
        // The crate's own tests pause it.
        const { assert!(CAN_BE_PAUSED) };
        let moment = Instant::now() + Duration::from_secs(3600);
        assert!(!Horizon::before(Some(moment)).is_clear());
    }

    #[test]
    fn a_moment_that_never_comes_is_always_ahead() {
        assert!(Horizon::before(None).is_clear());
    }

    #[test]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn what_is_far_is_seen_and_what_is_near_is_for_the_exact_clock() {
        for far in [MARGIN * 100, Duration::MAX] {
            assert!(Horizon::within(far).is_clear(), "{far:?}");
        }
        for near in [Duration::ZERO, MARGIN / 2, MARGIN] {
            assert!(!Horizon::within(near).is_clear(), "{near:?}");
        }
    }

    #[test]
    fn the_horizon_is_passed_before_the_moment_is() {
        let moment = Instant::now() + MARGIN + Duration::from_millis(50);
        let horizon = Horizon::within(moment.saturating_duration_since(Instant::now()));
        loop {
            // Before the question, since anything may come between the two.
            let now = Instant::now();
            if !horizon.is_clear() {
                break;
            }
            assert!(now < moment, "seen to be ahead when it is past");
            sleep(Duration::from_millis(1));
        }
    }
}
