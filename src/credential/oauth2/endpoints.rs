//! [`Endpoints`]: where a server is asked for what.

/// What is known of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoints {
    pub(super) token: String,
    pub(super) revocation: Option<String>,
    /// Where people log in, unchecked: only who begins a login looks at it.
    pub(super) authorization: Option<String>,
    /// Where a login at another device begins, unchecked as well.
    pub(super) device_authorization: Option<String>,
    /// Whether the server says in each answer of a login who it is (RFC 9207 §3).
    pub(super) says_issuer: bool,
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
    /// What their texts take, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        let Aliases { token, revocation } = &self.aliases;
        let optional = [&self.revocation, &self.authorization, &self.device_authorization, token, revocation];
        let optional = optional.into_iter().flatten().map(String::len);
        self.token.len() + self.audience.len() + optional.sum::<usize>()
    }

    /// Those for a client with a certificate.
    pub(super) fn by_tls(self) -> Self {
        Self {
            token: self.aliases.token.unwrap_or(self.token),
            revocation: self.aliases.revocation.or(self.revocation),
            aliases: Aliases::default(),
            authorization: self.authorization,
            device_authorization: self.device_authorization,
            says_issuer: self.says_issuer,
            audience: self.audience,
        }
    }
}
