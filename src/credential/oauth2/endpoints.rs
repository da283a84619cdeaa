//! [`Endpoints`]: where a server is asked for what.

/// What is known of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    pub(super) token: String,
    pub(super) revocation: Option<String>,
    /// What assertions are made out to.
    pub(super) audience: String,
    /// Where clients with a certificate ask, if that is elsewhere.
    pub(super) aliases: Aliases,
}

/// `mtls_endpoint_aliases` (RFC 8705 §5).
#[derive(Clone, Debug, Default)]
pub(super) struct Aliases {
    pub(super) token: Option<String>,
    pub(super) revocation: Option<String>,
}

impl Endpoints {
    /// Those for a client with a certificate.
    pub(super) fn by_tls(self) -> Self {
        Self {
            token: self.aliases.token.unwrap_or(self.token),
            revocation: self.aliases.revocation.or(self.revocation),
            audience: self.audience,
            aliases: Aliases::default(),
        }
    }
}
