//! The vendors as in-memory Tower services.
