//! Times on a command line.

use std::time::Duration;

/// How long an answer of a server is waited for, by default.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);

/// Seconds: a number above zero, with a fraction if need be.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "give seconds, as a number above 0".to_owned();
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}
