//! Time without panics: timers that say when nothing drives them, moments that don't overflow.

use std::{panic::catch_unwind, time::Duration};

use tokio::{
    runtime::Handle,
    time::{Instant, Sleep},
};

/// A timer that ends at `at`, or `None` where no Tokio runtime with a time driver is entered.
pub(crate) fn sleep_until(at: Instant) -> Option<Sleep> {
    Handle::try_current().ok()?;
    // A runtime doesn't tell whether it has a time driver; creating a timer without one panics.
    catch_unwind(|| tokio::time::sleep_until(at)).ok()
}

/// `at + wait`, or a moment that nobody will see where that is past the clock's end.
pub(crate) fn after(at: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);
    at.checked_add(wait).unwrap_or_else(|| at + CENTURY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_runtime_or_its_time_driver_there_is_no_timer() {
        assert!(sleep_until(Instant::now()).is_none());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert!(runtime.block_on(async { sleep_until(Instant::now()) }).is_none());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        assert!(runtime.block_on(async { sleep_until(Instant::now()) }).is_some());
    }
}
