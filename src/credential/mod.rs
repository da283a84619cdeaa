//! Who we are to a server: what implements [`Credential`].

mod api_video;
mod boxed;
mod encode;
mod endpoint;
mod from_fn;
#[cfg(feature = "oauth2")]
pub mod oauth2;
mod parts;
mod redact;
#[cfg(test)]
pub(crate) mod scripted;
mod static_token;
mod supply;
#[cfg(test)]
pub(crate) mod temp_file;
mod vervoe;
mod videsk;
mod vidizmo;

pub use api_video::ApiVideo;
pub use boxed::BoxCredential;
pub use endpoint::{AnswerField, EndpointCredential, Param, TokenEndpoint, TokenRequest};
pub use from_fn::{FromFn, from_fn, from_fn_with_state};
pub use parts::Parts;
pub(crate) use redact::without_token;
pub use static_token::StaticToken;
pub use supply::SecretSource;
pub use vervoe::Vervoe;
pub use videsk::Videsk;
pub use vidizmo::Vidizmo;

pub use crate::token::Credential;

#[cfg(test)]
mod tests;
