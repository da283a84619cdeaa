//! [`Endpoints`]: where a server is asked for what.

/// What is known of a server.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) token: String,
    pub(super) revocation: Option<String>,
    /// What assertions are made out to.
    pub(super) audience: String,
}
