//! Vendors as data: what a declaration says, the requests that it makes, and how their answers are read.

mod answer;
pub(super) mod answer_methods;
mod asked;
mod base_url;
#[cfg(feature = "serde")]
mod check;
mod contract;
mod endpoint_credential;
mod field;
mod json;
mod judgement;
mod lifetime;
mod param;
mod refused_client;
mod request;
pub(super) mod retry_after;
pub(super) mod shape;
mod span;
mod token_endpoint;
mod urls;

#[cfg(feature = "serde")]
pub(crate) use base_url::BaseUrl;
#[cfg(feature = "oauth2")]
pub(super) use base_url::checked_origin;
pub use endpoint_credential::EndpointCredential;
pub use field::AnswerField;
#[cfg(feature = "serde")]
pub(crate) use json::is_number;
pub use json::{JsonObject, JsonValue};
pub(super) use lifetime::left_of_jwt;
pub use param::Param;
#[cfg(feature = "oauth2")]
pub(super) use refused_client::{BY_JWT, BY_SECRET};
pub use request::TokenRequest;
#[cfg(feature = "serde")]
pub(crate) use shape::check_token_type;
pub use token_endpoint::TokenEndpoint;
#[cfg(feature = "serde")]
pub(crate) use urls::RequestUrls;

#[cfg(test)]
mod tests;
