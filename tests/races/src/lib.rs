//! The token cache, model-checked: the crate's own sources over threads whose order Shuttle decides.
//!
//! What is in the place of Tokio is in `tokio/`, of arc-swap in `arc-swap/`, of std's lock and atomics in `sync.rs`.
//! Everything else the cache runs with is the real thing. Shuttle takes every atomic for sequentially consistent, so
//! nothing is said here of weaker orders, nor of what goes on inside arc-swap and `futures_util`'s `Shared`.

#![allow(dead_code, unused_imports, reason = "the layer uses the rest of what the sources offer")]

#[path = "../../../src/error/mod.rs"]
mod error;
#[path = "../../../src/observe/mod.rs"]
mod observe;
#[path = "../../../src/secret/mod.rs"]
mod secret;
#[path = "../../../src/store/mod.rs"]
mod store;
#[path = "../../../src/token/mod.rs"]
mod token;

mod auth;
mod explore;
mod ledger;
pub mod scenarios;
mod server;
mod shelves;
mod sync;
pub mod tenants;
mod time;

pub use error::{
    AcquireError, AcquireErrorKind, AuthError, AuthErrorKind, ErrorCode, StoreError, StoreErrorKind,
};
pub use explore::explore;
pub use observe::Reason;
pub use secret::SecretSource;
pub use token::{
    AccessToken, Acquire, CacheState, Credential, Description, Lease, RefreshPolicy, Renewal, TokenCache,
    TokenState,
};
