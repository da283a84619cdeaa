//! An HTTPS client for token requests and for use under the layer: hyper-util's pool over rustls, with bounds on
//! everything that could hang.
//!
//! Any other Tower HTTP client will do as well; this one saves writing the connector.
//!
//! - **HTTP/1.1 and HTTP/2**, whichever the server picks (ALPN, RFC 7301). Until a first connection has told
//!   which, requests that start at the same time each open their own.
//! - **Redirects are not followed**; the caller gets the 3xx. On token requests that is a must, since the secret
//!   would go wherever the redirect points.
//! - **HTTP/2 without TLS** is spoken where [`ClientBuilder::http2_prior_knowledge`] says that the server does.
//! - **Proxies** are those of the environment, unless [`ClientBuilder::proxy`] or [`ClientBuilder::no_proxy`] say
//!   otherwise; see [below](#proxies).
//! - **A certificate of the client's own** is shown to servers that ask for one: [`ClientBuilder::identity`]. Where one
//!   is wanted and none was given, or the one that was given isn't accepted, the error says so.
//! - **Metadata services**, which hand out a machine's credentials to whoever asks from inside, are never connected to,
//!   whether by address or by a name that leads there: [`ClientErrorKind::MetadataHost`]. What name a proxy looks up
//!   for us is the proxy's to say. The credentials of [`metadata`](crate::metadata) ask them without this client.
//! - **A POST, PUT or PATCH without content** says so, by `Content-Length: 0` (RFC 9110 §8.6).
//! - **No cookies** are kept, and responses are handed out as they were encoded.
//!   Answers to token requests alone are decoded, where this client was made a [`Transport`](crate::Transport) by
//!   `into`: nobody asks for an encoding there, and some servers encode all the same.
//! - **A connection that the server closed while it was idle** is replaced without the caller noticing. Only a
//!   request of which nothing was written is sent on another connection; once a byte may have left, the caller
//!   gets the error. So one call never delivers its request twice.
//! - **An answer in the middle of an upload**, such as a 401 or a 413, is the caller's, though the server has closed the
//!   connection with it and resets what still comes. Where the system throws away what it has received by then, as
//!   others than Linux may, it is an error.
//! - **Time**: making a connection is bounded ([`ClientBuilder::connect_timeout`]), and a dead HTTP/2 connection
//!   is found by a ping after 30 s of silence. Waiting for an answer is not bounded: how long one may take is for
//!   a timeout above the client to say.
//! - **Nothing is left running**: when the last clone and the last response body are gone, the connections close.
//!
//! # Proxies
//!
//! The environment is read once, when the client is built: `https_proxy` for `https`, `http_proxy` for `http`,
//! `all_proxy` for what has none of these, and in `no_proxy` the hosts without a proxy, each in capitals as well. A value
//! is a URL with `http` or `https`, where the second is TLS to the proxy, and with credentials if need be:
//! `http://name:password@proxy.example.com:3128`.
//!
//! A proxy is always asked for a tunnel (CONNECT, RFC 9110 §9.3.6), for `http` as well. So no request is made to the
//! proxy itself, and none of its logs or caches has the token. What is within the tunnel is safe from it only by TLS: to
//! `http` it passes in clear, through proxies as through all else on the way. The client's certificate is shown to no
//! proxy. Loopback is reached without one: `localhost`, 127.0.0.0/8 and `::1`.
//!
//! What fails there is said to be the proxy's, by name and status: [`ClientErrorKind::Proxy`]. Its answer is not the
//! server's, and is never handed out as one. With the feature `tracing`, a debug event tells of each connection through
//! a proxy, by host and port alone.
//!
//! This is what [curl](https://curl.se/docs/manpage.html#ENVIRONMENT) does, but for a few things:
//!
//! | | curl | here |
//! |---|---|---|
//! | a request to `http` | is made to the proxy, unless `--proxytunnel` is set | goes through a tunnel |
//! | `HTTP_PROXY`, in capitals | is not read | is read |
//! | in CGI programs, where `REQUEST_METHOD` is set | `http_proxy` is read | neither it nor `HTTP_PROXY` is, as a request can set the latter (RFC 3875 §4.1.18); `all_proxy` counts |
//! | no port | 1080, or 443 for `https` | 80, or 443 for `https` |
//! | `socks5://…` and the like | are used | are an error when the client is built |
//! | a value that can't be read, or has another scheme | fails each request | is an error when the client is built |
//! | loopback | has a proxy unless `no_proxy` names it | has none |
//! | `*` in `no_proxy` | means all hosts if it stands alone | means all hosts |
//! | a network of IPv6 in `no_proxy`, `2001:db8::/32` | didn't match in 7.88 | matches |
//! | a dot at the end of a name in `no_proxy`, or in the URL | is ignored | makes it another name |
//! | `no_proxy` where a proxy was set by hand | counts | doesn't: [`ClientBuilder::proxy`] leaves nothing to the environment |
//!
//! Like curl, and unlike others, it knows no ports, no `*.example.com` and no brackets in `no_proxy`.

mod builder;
mod cause;
mod chain;
mod connect;
mod decode;
mod environment;
mod error;
mod guard;
mod identity;
mod last_words;
mod link;
mod moving;
mod near;
mod pool;
mod prior;
mod proxy;
mod proxy_error;
mod proxy_url;
mod roots;
mod timer;
mod tls;
mod tunnel;
mod uploads;

pub use builder::ClientBuilder;
pub use error::{ClientError, ClientErrorKind};
pub use identity::Identity;
pub(crate) use near::{is_out_of_reach, near};
pub use pool::{Client, ResponseFuture};
pub use roots::Roots;
