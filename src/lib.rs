//! x
#![cfg_attr(docsrs, feature(doc_cfg))]

mod credential;
mod error;
mod layer;
mod origin;
mod placement;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod transport;

pub use credential::{
    AnswerField, ApiVideo, Credential, EndpointCredential, FromFn, Param, Parts, StaticToken, TokenEndpoint,
    TokenRequest, Vervoe, Videsk, Vidizmo, from_fn,
};
pub use error::{
    AcquireError, AcquireErrorKind, AuthError, AuthErrorKind, BoxError, ConfigError, ConfigErrorKind,
};
pub use layer::AuthLayer;
pub use origin::Origin;
pub use placement::Placement;
pub use signature::{Condition, Rule, Signatures, Verdict};
pub use token::{AccessToken, Acquire, Description, InvalidToken, Reason, Renewal};
pub use transport::Transport;
