//! The token bucket that bounds how many acquisitions rejections may cause.

use std::time::Duration;

use tokio::time::Instant;

use super::policy::Allowance;
use crate::time::after;

/// A bucket that is full at first. Kept as the moment at which it would be full again, so that there is one
/// number to keep and no rounding that adds up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget {
    full_at: Option<Instant>,
}

impl Budget {
    /// When the next acquisition may be had; `None` if at once.
    pub(super) fn next_at(&self, allowance: Option<Allowance>, now: Instant) -> Option<Instant> {
        let missing = self.full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now));
        let wait = allowance?.wait(missing);
        (!wait.is_zero()).then(|| after(now, wait))
    }

    /// Takes one. Only to be called when one may be had.
    pub(super) fn take(&mut self, allowance: Option<Allowance>, now: Instant) {
        if let Some(Allowance { refill, .. }) = allowance {
            let full_at = self.full_at.map_or(now, |full_at| full_at.max(now));
            self.full_at = Some(after(full_at, refill));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_for_each_refill() {
        let start = Instant::now();
        let allowance = Some(Allowance { burst: 3, refill: Duration::from_secs(5) });
        let mut budget = Budget::default();
        for _ in 0..3 {
            assert_eq!(budget.next_at(allowance, start), None);
            budget.take(allowance, start);
        }
        assert_eq!(budget.next_at(allowance, start), Some(start + Duration::from_secs(5)));
        let mut taken = 0;
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            if budget.next_at(allowance, now).is_none() {
                budget.take(allowance, now);
                taken += 1;
            }
        }
        assert_eq!(taken, 11, "at 5, 10, .. 55 s");
        let later = start + Duration::from_secs(1000);
        (0..3).for_each(|_| budget.take(allowance, later));
        assert!(budget.next_at(allowance, later).is_some(), "what isn't used doesn't add up past the burst");
    }

    #[test]
    fn none_means_unlimited_and_a_burst_of_zero_means_never() {
        let now = Instant::now();
        let mut unlimited = Budget::default();
        (0..1000).for_each(|_| unlimited.take(None, now));
        assert_eq!(unlimited.next_at(None, now), None);
        let never = Some(Allowance { burst: 0, refill: Duration::ZERO });
        assert!(Budget::default().next_at(never, now).is_some());
    }
}
