//! OAuth 2.0: credentials for any authorization server, by the grants that need no browser.
//!
//! | grant | builder | |
//! |---|---|---|
//! | client credentials | [`ClientCredentials`] | RFC 6749 §4.4 |
//! | refresh token | [`RefreshToken`] | RFC 6749 §6 |
//! | JWT bearer assertion | [`JwtBearer`] | RFC 7523 §2.1 |
//! | token exchange | [`TokenExchange`] | RFC 8693 |
//! | password | [`Password`] | RFC 6749 §4.3 |
//! | any other | [`ExtensionGrant`] | RFC 6749 §4.5 |
//!
//! A login needs somebody at a browser, and a program that talks to them. What that sends to the server is here: where a
//! server wants it begun ([`AuthorizationServer::metadata`]), a [`DeviceAuthorization`] (RFC 8628), and the grants that end
//! it, which are an [`ExtensionGrant`]. [`RefreshToken`] goes on from there, and
//! [`TokenCache::put`](crate::TokenCache::put) hands over what came.
//!
//! Each takes an [`AuthorizationServer`], where the endpoints are known or discovered, and a [`ClientAuthentication`],
//! which says who asks there, and proves it. What sends the requests is another thing: a
//! [`Transport`](crate::Transport). Secrets are text, or come from a [`SecretSource`], which is read at each acquisition.
//! Each makes an [`OAuth2Credential`], or a layer.
//!
//! | how a client authenticates | | |
//! |---|---|---|
//! | `client_secret_basic` | [`ClientAuthentication::secret_basic`], [`secret_basic_raw`] | RFC 6749 §2.3.1 |
//! | `client_secret_post` | [`ClientAuthentication::secret_post`] | RFC 6749 §2.3.1 |
//! | `private_key_jwt` | `ClientAuthentication::private_key_jwt`, [`assertion`] | RFC 7523 §2.2 |
//! | `client_secret_jwt` | `ClientAuthentication::secret_jwt` | OpenID Connect Core §9 |
//! | `tls_client_auth`, `self_signed_tls_client_auth` | [`ClientAuthentication::tls`] | RFC 8705 §2 |
//! | `none` | [`ClientAuthentication::public`], [`unidentified`] | RFC 6749 §2.1 |
//!
//! [`with_id_in_body`] sends the client's id in the body as well as in the header.
//!
//! Where a refresh token came with a token, the next one is asked for with that. Such a refresh has the grant's
//! resources, audiences and parameters, and no scope, which means the one that was granted (RFC 6749 §6):
//! [`Password::refresh_scope`] and [`Password::acquire_param`], which two other grants have as well, say otherwise.
//!
//! [`secret_basic_raw`]: ClientAuthentication::secret_basic_raw
//! [`assertion`]: ClientAuthentication::assertion
//! [`unidentified`]: ClientAuthentication::unidentified
//! [`with_id_in_body`]: ClientAuthentication::with_id_in_body
//!
//! What of all this differs from one customer to the next is a [`SecretSource::input`], and
//! [`OAuth2Credential::with_input`] makes each one's credential of a pattern.
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

mod asking;
mod assertion;
mod client_authentication;
mod client_credentials;
mod credential;
mod device_authorization;
mod discovery;
mod endpoints;
mod extension_grant;
mod grant;
mod identity;
mod inputs;
#[cfg(feature = "jwt")]
mod jwt;
mod jwt_bearer;
mod metadata;
mod methods;
mod password;
mod place;
mod refresh_token;
mod rotation;
mod server;
mod setup;
mod text;
mod token_exchange;

pub use assertion::Assertion;
#[allow(deprecated, reason = "the former name stays for programs that have it")]
pub use client_authentication::Client;
pub use client_authentication::ClientAuthentication;
pub use client_credentials::ClientCredentials;
pub use credential::OAuth2Credential;
pub use device_authorization::{DeviceAuthorization, DeviceCode};
pub use extension_grant::ExtensionGrant;
#[cfg(feature = "jwt")]
pub use jwt::{JwtAlgorithm, JwtAssertion, JwtKey};
#[cfg(all(feature = "jwt", feature = "serde"))]
pub(crate) use jwt::{LIFETIME, Outline, Refusal, is_of_another_key};
pub use jwt_bearer::JwtBearer;
pub use metadata::ServerMetadata;
pub use password::Password;
pub use refresh_token::RefreshToken;
pub use rotation::Unsaved;
pub use server::AuthorizationServer;
pub use text::Text;
pub use token_exchange::TokenExchange;

pub use crate::secret::SecretSource;

#[cfg(test)]
mod tests;
