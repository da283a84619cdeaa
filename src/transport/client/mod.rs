//! An HTTPS client for token requests and for use under the layer: hyper-util's pool over rustls, with bounds on
//! everything that could hang.
//!
//! Any other Tower HTTP client will do as well; this one saves writing the connector.
//!
//! - **HTTP/1.1 and HTTP/2**, whichever the server picks (ALPN, RFC 7301). Until a first connection has told
//!   which, requests that start at the same time each open their own.
//! - **Redirects are not followed**; the caller gets the 3xx. On token requests that is a must, since the secret
//!   would go wherever the redirect points.
//! - **No proxy** is read from the environment, no cookies are kept, and responses are handed out as they were encoded.
//!   Answers to token requests alone are decoded, where this client was made a [`Transport`](crate::Transport) by
//!   `into`: nobody asks for an encoding there, and some servers encode all the same.
//! - **A connection that the server closed while it was idle** is replaced without the caller noticing. Only a
//!   request of which nothing was written is sent on another connection; once a byte may have left, the caller
//!   gets the error. So one call never delivers its request twice.
//! - **Time**: making a connection is bounded ([`ClientBuilder::connect_timeout`]), and a dead HTTP/2 connection
//!   is found by a ping after 30 s of silence. Waiting for an answer is not bounded: how long one may take is for
//!   a timeout above the client to say.
//! - **Nothing is left running**: when the last clone and the last response body are gone, the connections close.

mod builder;
mod cause;
mod chain;
mod connect;
mod decode;
mod environment;
mod error;
mod guard;
mod identity;
mod link;
mod pool;
mod prior;
mod proxy;
mod proxy_error;
mod proxy_url;
mod roots;
mod tls;
mod tunnel;

pub use builder::ClientBuilder;
pub use error::{ClientError, ClientErrorKind};
pub use identity::Identity;
pub use pool::{Client, ResponseFuture};
pub use roots::Roots;
