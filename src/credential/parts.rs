//! [`Parts`]: a credential and what belongs to it.

use crate::{
    auth::{AuthLayer, Origin, Placement},
    signature::Signatures,
    token::Credential,
};

/// A credential with the origin, the signatures and the placement that go with it, to be changed before they
/// become a layer, or to share one credential's tokens among several layers.
///
/// # Examples
///
/// ```
/// use tower_reauth::{ApiVideo, AuthLayer, ConfigError, Rule, Transport};
///
/// fn layer(key: &str, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let mut parts = ApiVideo::sandbox(key).declaration().parts(transport)?;
///     parts.signatures = parts.signatures.rule(Rule::denied().status(http::StatusCode::FORBIDDEN));
///     Ok(parts.into_layer())
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parts<C> {
    /// Obtains the tokens.
    pub credential: C,
    /// The origin of the API, the only one where the tokens go.
    pub origin: Origin,
    /// Which responses of the API mean what.
    pub signatures: Signatures,
    /// Where in a request the token goes.
    pub placement: Placement,
}

impl<C> Parts<C> {
    /// What belongs to a credential, whichever it is.
    #[cfg(feature = "serde")]
    pub(crate) fn without_credential(self) -> Parts<()> {
        let Self { credential: _, origin, signatures, placement } = self;
        Parts { credential: (), origin, signatures, placement }
    }
}

impl<C: Credential> Parts<C> {
    /// The layer made of them.
    pub fn into_layer(self) -> AuthLayer {
        AuthLayer::new(self.origin, self.credential).signatures(self.signatures).placement(self.placement)
    }
}
