//! [`Census`]: how many tenants are how.

/// How many tenants are in memory, and how they are, for readiness probes. Each is in one of the three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// With a token that can be used, or with none because it wasn't asked for one lately.
    pub healthy: usize,
    /// Without a token until it comes: being acquired, after a failure that may pass, or paused.
    pub waiting: usize,
    /// Without a token until somebody does something: credentials that were refused.
    pub dead: usize,
    /// What all of them take, in bytes.
    pub bytes: u64,
}
