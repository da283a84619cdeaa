//! Vendors as data: what a declaration says, the requests that it makes, and how their answers are read.

pub(super) mod answer;
mod base_url;
#[cfg(feature = "serde")]
mod check;
mod contract;
mod endpoint_credential;
mod lifetime;
mod param;
mod request;
pub(super) mod retry_after;
mod token_endpoint;

pub use answer::AnswerField;
#[cfg(feature = "oauth2")]
pub(super) use base_url::checked_origin;
pub use endpoint_credential::EndpointCredential;
pub use param::Param;
pub use request::TokenRequest;
pub use token_endpoint::TokenEndpoint;

#[cfg(test)]
mod tests;
