//! Who we are to a server: what implements [`Credential`](crate::Credential).

mod api_video;
mod boxed;
mod endpoint;
mod file_token;
mod from_fn;
#[cfg(feature = "client")]
pub mod metadata;
mod no_input;
#[cfg(feature = "oauth2")]
pub mod oauth2;
mod parts;
#[cfg(test)]
pub(crate) mod scripted;
mod static_token;
#[cfg(test)]
pub(crate) mod temp_file;
mod tokens;
mod vervoe;
mod videsk;
mod vidizmo;

pub use api_video::ApiVideo;
pub use boxed::BoxCredential;
pub use endpoint::{
    AnswerField, EndpointCredential, JsonObject, JsonValue, Param, TokenEndpoint, TokenRequest,
};
#[cfg(feature = "serde")]
pub(crate) use endpoint::{BaseUrl, RequestUrls, check_token_type, is_number};
pub use file_token::FileToken;
pub use from_fn::{FromFn, from_fn, from_fn_with_state};
pub use parts::Parts;
pub use static_token::StaticToken;
pub use vervoe::Vervoe;
pub use videsk::Videsk;
pub use vidizmo::Vidizmo;

#[cfg(test)]
mod tests;
