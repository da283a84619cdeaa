//! What is advised, in the log.

/// Logs what a server should be set to.
pub(super) fn advise(advice: &str) {
    tracing::warn!("{advice}");
}
