//! OAuth 2.0: credentials for any authorization server, by the grants that need no browser.
//!
//! | grant | builder | |
//! |---|---|---|
//! | client credentials | [`ClientCredentials`] | RFC 6749 §4.4 |
//! | refresh token | [`RefreshToken`] | RFC 6749 §6 |
//! | JWT bearer assertion | [`JwtBearer`] | RFC 7523 §2.1 |
//! | token exchange | [`TokenExchange`] | RFC 8693 |
//! | password | [`Password`] | RFC 6749 §4.3 |
//!
//! Each takes an [`AuthorizationServer`], where the endpoints are known or discovered, and a [`ClientAuthentication`],
//! which says who asks there, and proves it. What sends the requests is another thing: a
//! [`Transport`](crate::Transport). Secrets are text, or come from a [`SecretSource`], which is read at each acquisition.
//! Each makes an [`OAuth2Credential`], or a layer.
//!
//! A server's `error` is in [`AcquireError::code`](crate::AcquireError::code), and with its description in the
//! error's text, without secrets.
//!
//! # Examples
//!
//! ```
//! use tower_reauth::{
//!     AuthLayer, ConfigError, Transport,
//!     oauth2::{AuthorizationServer, ClientAuthentication, ClientCredentials, SecretSource},
//! };
//!
//! fn layer(transport: Transport) -> Result<AuthLayer, ConfigError> {
//!     let server = AuthorizationServer::discover("https://login.example.com");
//!     let client = ClientAuthentication::secret_basic("my-service", SecretSource::file("/run/secrets/client"));
//!     ClientCredentials::new(server, client)
//!         .scope("videos.read videos.write")
//!         .resource("https://api.example.com/")
//!         .layer("https://api.example.com", transport)
//! }
//! ```

mod assertion;
mod client_authentication;
mod client_credentials;
mod credential;
mod discovery;
mod endpoints;
mod grant;
#[cfg(feature = "jwt")]
mod jwt;
mod jwt_bearer;
mod methods;
mod password;
mod refresh_token;
mod rotation;
mod server;
mod setup;
mod token_exchange;

pub use assertion::Assertion;
#[allow(deprecated, reason = "the former name stays for programs that have it")]
pub use client_authentication::Client;
pub use client_authentication::ClientAuthentication;
pub use client_credentials::ClientCredentials;
pub use credential::OAuth2Credential;
#[cfg(feature = "jwt")]
pub use jwt::{JwtAssertion, JwtKey};
pub use jwt_bearer::JwtBearer;
pub use password::Password;
pub use refresh_token::RefreshToken;
pub use rotation::Unsaved;
pub use server::AuthorizationServer;
pub use token_exchange::TokenExchange;

pub use crate::secret::SecretSource;

#[cfg(test)]
mod tests;
