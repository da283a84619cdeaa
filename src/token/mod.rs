//! Tokens, and the cache that gets them once for everybody. Knows no HTTP service.

mod access_token;
mod attempts;
mod budget;
mod cache;
mod common;
mod description;
mod flight;
mod landing;
mod lease;
mod obtain;
mod policy;
mod refresh_tokens;
mod report;
mod shared;
mod source;
mod state;
#[cfg(feature = "tenants")]
mod tenant;
mod waiting;

pub use access_token::{AccessToken, InvalidToken};
pub use cache::TokenCache;
pub use common::Stored;
pub use description::{Description, Grants, Renewal};
pub(crate) use lease::Entry;
pub use lease::Lease;
pub use policy::RefreshPolicy;
pub use refresh_tokens::RefreshTokens;
pub use report::{CacheState, TokenState};
pub(crate) use source::Source;
pub use source::{Acquire, Credential};
#[allow(unused_imports, reason = "for those who bound how many ask one server")]
pub(crate) use source::{Place, PlaceFuture};
