//! The four vendors as in-memory Tower services, for tests of programs that call them.
//!
//! Each fake keeps the vendor's published contract: its token endpoints, its error bodies, its ways of expiry. It is a
//! [`tower_service::Service`] for requests with any body, and [`serve`](FakeApiVideo::serve) puts it on a loopback
//! socket. A call of any path other than those for tokens is an API call: with a valid token it is answered 200 with
//! a JSON object that repeats `method`, `target` (path and query), `bodyLength` and, up to 16 KiB, `body`.
//!
//! - [`Controls`] steers a fake: lifetimes, revocation, faults, delays.
//! - [`Counts`] and [`Recorded`] say what it has seen.
//! - A request that breaks the contract is answered with a 4xx and listed as a [`Refusal`]; end a test with
//!   [`assert_no_refusals`](Controls::assert_no_refusals).
//!
//! A fake takes any request body, so where a client's body type is inferred it must be named:
//! `Transport::new::<_, Full<Bytes>, _>(fake)`.
//!
//! [`MemoryStore`] is a store with faults, and [`store_conformance`] checks a store of one's own.
//!
//! What a vendor doesn't document is said to be invented where it is.
//!
//! # Examples
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, header::{ACCEPT, AUTHORIZATION}};
//! use http_body_util::{BodyExt, Full};
//! use tower::ServiceExt;
//! use tower_reauth::testing::{FakeVervoe, Revoked};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let vervoe = FakeVervoe::new("key", "secret");
//! let request = Request::get("https://api.vervoe.com/api/public/ats-api/token")
//!     .header(AUTHORIZATION, "Basic a2V5OnNlY3JldA==")
//!     .header(ACCEPT, "application/json")
//!     .body(Full::<Bytes>::default())?;
//! let answer = vervoe.clone().oneshot(request).await?.into_body().collect().await?.to_bytes();
//! let token = &vervoe.controls().tokens()[0];
//! assert_eq!(answer, format!(r#"{{"success":true,"data":{{"token":"{token}"}}}}"#));
//!
//! vervoe.controls().revoke(Revoked::Expired);
//! let request = Request::get("https://api.vervoe.com/jobs")
//!     .header(AUTHORIZATION, format!("Bearer {token}"))
//!     .body(Full::<Bytes>::default())?;
//! assert_eq!(vervoe.clone().oneshot(request).await?.status(), 401);
//! assert_eq!(vervoe.counts().api_unauthorised, 1);
//! vervoe.assert_no_refusals();
//! # Ok(())
//! # }
//! ```

mod answer;
mod api_video;
mod controls;
mod counts;
mod engine;
mod fake;
mod forge;
mod plan;
mod recorded;
mod refusal;
mod serve;
mod store;
mod tokens;
mod vervoe;
mod videsk;
mod vidizmo;

pub use answer::Answer;
pub use api_video::{ApiVideoError, FakeApiVideo};
pub use controls::Controls;
pub use counts::Counts;
pub use plan::{Endpoint, Fault, On, Times};
pub use recorded::Recorded;
pub use refusal::{Refusal, Violation};
pub use serve::Served;
pub use store::{Conformance, MemoryStore, StoreCall, StoreFault, store_conformance};
pub use tokens::{Announced, Revoked};
pub use vervoe::{FakeVervoe, VervoeError};
pub use videsk::{FakeVidesk, VideskError};
pub use vidizmo::{FakeVidizmo, FinalSlash, TokenText, VidizmoError};

#[cfg(test)]
mod tests;
