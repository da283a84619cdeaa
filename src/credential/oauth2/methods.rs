//! The methods that the builders of all grants have: the options of their [`Setup`], and what is built from it.

use super::{credential::OAuth2Credential, grant::Grant, setup::Setup};
use crate::{
    auth::{AuthLayer, Origin, Placement},
    credential::parts::Parts,
    error::ConfigError,
    signature::Signatures,
    transport::Transport,
};

impl Setup {
    pub(super) fn build(
        self,
        grant: Grant,
        transport: impl Into<Transport>,
    ) -> Result<OAuth2Credential, ConfigError> {
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
}

/// The methods that the builders of all grants have. `$grant` makes the grant of a builder.
macro_rules! setup_methods {
    ($builder:ident, $grant:expr) => {
        $crate::credential::endpoint::answer_methods::answer_methods!($builder, setup.shape);

        impl $builder {
            /// Sets the scope that the grant's own request asks for (RFC 6749 §3.3), words with one space between
            /// them. By default none is sent, and the server decides.
            pub fn scope(mut self, scope: impl Into<$crate::credential::oauth2::Text>) -> Self {
                self.setup.scope = Some(scope.into());
                self
            }

            /// Adds a resource that the token is to be good for, as an absolute URI (RFC 8707 §2).
            pub fn resource(mut self, uri: impl Into<$crate::credential::oauth2::Text>) -> Self {
                self.setup.resources.push(uri.into());
                self
            }

            /// Adds an audience that the token is to be good for, by the server's name for it (RFC 8693 §2.1, and
            /// an extension of many servers elsewhere).
            pub fn audience(mut self, audience: impl Into<$crate::credential::oauth2::Text>) -> Self {
                self.setup.audiences.push(audience.into());
                self
            }

            /// Adds a parameter of the server's own, which every request for a token has, refreshes too.
            pub fn param(
                mut self,
                name: impl Into<std::borrow::Cow<'static, str>>,
                value: impl Into<$crate::credential::Param>,
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
            pub fn renewal(mut self, renewal: $crate::token::Renewal) -> Self {
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
            /// - `MetadataHost`: a server's URL is at a metadata service;
            /// - `Secret`: a secret is empty, or its environment variable or file can't be read;
            /// - `UserId`: a client id with a colon in raw Basic;
            /// - `Declaration`: a client id or scope that RFC 6749 doesn't allow, or a parameter that is sent
            ///   already.
            pub fn build(
                self,
                transport: impl Into<$crate::transport::Transport>,
            ) -> Result<$crate::credential::oauth2::OAuth2Credential, $crate::error::ConfigError> {
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
                transport: impl Into<$crate::transport::Transport>,
            ) -> Result<
                $crate::credential::Parts<$crate::credential::oauth2::OAuth2Credential>,
                $crate::error::ConfigError,
            > {
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
                transport: impl Into<$crate::transport::Transport>,
            ) -> Result<$crate::auth::AuthLayer, $crate::error::ConfigError> {
                let grant = $grant(self.grant);
                self.setup.layer(grant, origin, transport)
            }
        }
    };
}
pub(super) use setup_methods;

/// The methods that those builders have whose tokens are renewed by another grant than they were acquired by.
macro_rules! refresh_methods {
    ($builder:ident) => {
        impl $builder {
            /// Sets the scope that a refresh asks for, which must not be wider than the one that was granted. By
            /// default none is sent, and the server takes the one that was granted (RFC 6749 §6).
            pub fn refresh_scope(mut self, scope: impl Into<$crate::credential::oauth2::Text>) -> Self {
                self.setup.refresh_scope = Some(scope.into());
                self
            }

            /// Adds a parameter of the server's own that only the grant's own request has, and no refresh: one that
            /// says how the grant is meant, such as a `requested_token_use`.
            pub fn acquire_param(
                mut self,
                name: impl Into<std::borrow::Cow<'static, str>>,
                value: impl Into<$crate::credential::Param>,
            ) -> Self {
                self.setup.acquire_params.push((name.into(), value.into()));
                self
            }
        }
    };
}
pub(super) use refresh_methods;
