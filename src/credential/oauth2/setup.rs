//! What all grants have in common: the server, the client, and the options that RFCs define for each of them.

use std::borrow::Cow;

use http::Uri;

use super::{
    client::Client,
    grant::{Fields, Grant},
    server::AuthorizationServer,
};
use crate::{
    AuthLayer, Placement, Signatures,
    credential::{Param, Parts},
    error::{ConfigError, ConfigErrorKind},
    oauth2::OAuth2Credential,
    origin::Origin,
    token::Renewal,
    transport::Transport,
};

/// Names that a request has from us. RFC 6749 §3.2 allows each only once.
const TAKEN: [&str; 15] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "refresh_token",
    "username",
    "password",
    "assertion",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
];

/// Server, client and options.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) server: AuthorizationServer,
    pub(super) client: Client,
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) renewal: Renewal,
    pub(super) resources: Vec<Cow<'static, str>>,
    pub(super) audiences: Vec<Cow<'static, str>>,
    pub(super) scope: Option<Cow<'static, str>>,
    pub(super) params: Fields,
}

impl Setup {
    pub(super) fn new(server: impl Into<AuthorizationServer>, client: Client) -> Self {
        Self {
            server: server.into(),
            client,
            name: None,
            renewal: Renewal::default(),
            resources: Vec::new(),
            audiences: Vec::new(),
            scope: None,
            params: Fields::new(),
        }
    }

    pub(super) fn build(
        self,
        grant: Grant,
        transport: impl Into<Transport>,
    ) -> Result<OAuth2Credential, ConfigError> {
        self.check()?;
        OAuth2Credential::new(self, grant, transport.into())
    }

    pub(super) fn parts(
        self,
        grant: Grant,
        origin: &str,
        transport: impl Into<Transport>,
    ) -> Result<Parts<OAuth2Credential>, ConfigError> {
        let (origin, signatures) = (Origin::parse(origin)?, Signatures::oauth2());
        let credential = self.build(grant, transport)?;
        Ok(Parts { credential, origin, signatures, placement: Placement::default() })
    }

    pub(super) fn layer(
        self,
        grant: Grant,
        origin: &str,
        transport: impl Into<Transport>,
    ) -> Result<AuthLayer, ConfigError> {
        Ok(self.parts(grant, origin, transport)?.into_layer())
    }

    /// The fields that say for what the token is to be good (RFC 8707, RFC 8693 §2.1).
    pub(super) fn targets(&self) -> Fields {
        let resources = self.resources.iter().map(|uri| ("resource", uri));
        let audiences = self.audiences.iter().map(|name| ("audience", name));
        resources.chain(audiences).map(|(name, value)| (name.into(), Param::text(value.clone()))).collect()
    }

    /// The targets, the scope, and the extra parameters.
    pub(super) fn options(&self) -> Fields {
        let mut fields = self.targets();
        fields.extend(self.scope.iter().map(|scope| ("scope".into(), Param::text(scope.clone()))));
        fields.extend(self.params.iter().cloned());
        fields
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.server.check()?;
        self.client.check()?;
        let refuse = |kind, words: String| Err(ConfigError::new(kind, words));
        if let Some(resource) = self.resources.iter().find(|resource| !is_absolute(resource)) {
            let words =
                format!("the resource {resource:?} is no absolute uri without fragment (RFC 8707 §2)");
            return refuse(ConfigErrorKind::Url, words);
        }
        if let Some(scope) = self.scope.as_deref().filter(|scope| !is_scope(scope)) {
            let words = format!("the scope {scope:?} is not one or more words with one space between them");
            return refuse(ConfigErrorKind::Declaration, words);
        }
        if let Some((name, _)) = self.params.iter().find(|(name, _)| TAKEN.contains(&&**name)) {
            let words = format!("the parameter {name} has a method of its own, and may be sent only once");
            return refuse(ConfigErrorKind::Declaration, words);
        }
        Ok(())
    }
}

/// RFC 3986 §4.3, as far as it matters: a scheme, and no fragment.
fn is_absolute(uri: &str) -> bool {
    let has_scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
        let mut chars = scheme.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
    });
    // `Uri` knows no urn, and drops fragments.
    has_scheme && !uri.contains('#') && (!uri.contains("://") || uri.parse::<Uri>().is_ok())
}

/// RFC 6749 §3.3.
fn is_scope(scope: &str) -> bool {
    let is_token = |token: &str| {
        !token.is_empty()
            && token.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
    };
    scope.split(' ').all(is_token)
}

/// The methods that the builders of all grants have. `$grant` makes the grant of a builder.
macro_rules! setup_methods {
    ($builder:ident, $grant:expr) => {
        impl $builder {
            /// Sets the scope that is asked for (RFC 6749 §3.3), words with one space between them. By default
            /// none is sent, and the server decides.
            pub fn scope(mut self, scope: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.setup.scope = Some(scope.into());
                self
            }

            /// Adds a resource that the token is to be good for, as an absolute URI (RFC 8707 §2).
            pub fn resource(mut self, uri: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.setup.resources.push(uri.into());
                self
            }

            /// Adds an audience that the token is to be good for, by the server's name for it (RFC 8693 §2.1, and
            /// an extension of many servers elsewhere).
            pub fn audience(mut self, audience: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.setup.audiences.push(audience.into());
                self
            }

            /// Adds a parameter of the server's own to the request.
            pub fn param(
                mut self,
                name: impl Into<std::borrow::Cow<'static, str>>,
                value: impl Into<$crate::Param>,
            ) -> Self {
                self.setup.params.push((name.into(), value.into()));
                self
            }

            /// Sets the name for logs and errors. By default the grant and the server's host.
            pub fn name(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
                self.setup.name = Some(name.into());
                self
            }

            /// Sets what renewing a token means to the one it replaces. By default that stays valid.
            pub fn renewal(mut self, renewal: $crate::Renewal) -> Self {
                self.setup.renewal = renewal;
                self
            }

            /// Checks everything that can be checked without asking the server, and makes a credential of it that
            /// sends its requests with `transport`. Secrets from the environment or a file are read once.
            ///
            /// # Errors
            ///
            /// A [`ConfigError`](crate::ConfigError) of kind
            ///
            /// - `Url` or `InsecureUrl`: a server's URL can't be parsed, is `http` to a host that is not loopback,
            ///   or a resource is no absolute URI;
            /// - `Secret`: a secret is empty, or its environment variable or file can't be read;
            /// - `UserId`: a client id with a colon in raw Basic;
            /// - `Declaration`: a client id or scope that RFC 6749 doesn't allow, or a parameter that is sent
            ///   already.
            pub fn build(
                self,
                transport: impl Into<$crate::Transport>,
            ) -> Result<$crate::oauth2::OAuth2Credential, $crate::ConfigError> {
                let grant = $grant(self.grant);
                self.setup.build(grant, transport)
            }

            /// As [`build`](Self::build), with what belongs to it for an API at `origin`: the signatures of
            /// RFC 6750, and `Authorization: Bearer`.
            ///
            /// # Errors
            ///
            /// Those of [`build`](Self::build) and [`Origin::parse`](crate::Origin::parse).
            pub fn parts(
                self,
                origin: &str,
                transport: impl Into<$crate::Transport>,
            ) -> Result<$crate::Parts<$crate::oauth2::OAuth2Credential>, $crate::ConfigError> {
                let grant = $grant(self.grant);
                self.setup.parts(grant, origin, transport)
            }

            /// The layer for an API at `origin`, with the signatures of RFC 6750, and `Authorization: Bearer`.
            ///
            /// # Errors
            ///
            /// Those of [`build`](Self::build) and [`Origin::parse`](crate::Origin::parse).
            pub fn layer(
                self,
                origin: &str,
                transport: impl Into<$crate::Transport>,
            ) -> Result<$crate::AuthLayer, $crate::ConfigError> {
                let grant = $grant(self.grant);
                self.setup.layer(grant, origin, transport)
            }
        }
    };
}
pub(super) use setup_methods;
