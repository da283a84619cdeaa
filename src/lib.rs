//! x
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod credential;
mod error;
mod future;
mod keep;
mod layer;
mod observe;
mod origin;
mod outcome;
mod placement;
mod service;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
mod timer;
mod token;
mod transport;

pub use body::PeekBody;
pub use credential::{
    AnswerField, ApiVideo, Credential, EndpointCredential, FromFn, Param, Parts, StaticToken, TokenEndpoint,
    TokenRequest, Vervoe, Videsk, Vidizmo, from_fn,
};
pub use error::{
    AcquireError, AcquireErrorKind, AuthError, AuthErrorKind, BoxError, ConfigError, ConfigErrorKind,
};
pub use future::ResponseFuture;
pub use keep::{CloneBodies, Exempt, Keep, NoReplay, RecordBodies, RecordedBody, ReplayBody};
pub use layer::AuthLayer;
pub use origin::Origin;
pub use outcome::{AuthOutcome, NotReplayed, Unread};
pub use placement::Placement;
pub use service::Auth;
pub use signature::{Condition, Rule, Signatures, Verdict};
pub use token::{
    AccessToken, Acquire, CacheState, Description, InvalidToken, Lease, Reason, RefreshPolicy, Renewal,
    TokenCache, TokenState,
};
pub use transport::Transport;
#[cfg(feature = "client")]
pub use transport::client::{self, Client};
