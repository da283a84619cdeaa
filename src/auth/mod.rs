//! The way of one request, from the layer that was configured to the response that its caller gets.
//!
//! A file imports only what stands below it: layer, service, future, exchange, trailers, local, shared, single, choice,
//! stamp, finding, outcome, marks, placement, template, cookie, query, origin, prefix.

mod choice;
mod cookie;
mod exchange;
mod finding;
mod future;
mod layer;
mod local;
mod marks;
mod origin;
mod outcome;
mod place;
mod placement;
mod prefix;
mod query;
mod service;
mod shared;
mod single;
mod stamp;
mod template;
mod trailers;

pub use choice::Choose;
#[allow(unused_imports, reason = "for choices among many, which are made elsewhere")]
pub(crate) use choice::{Choice, Turned, Wait};
pub use future::ResponseFuture;
pub use layer::AuthLayer;
#[allow(unused_imports, reason = "for choices among many, which are made elsewhere")]
pub(crate) use marks::{is_to_pass, tell_passed};
pub use origin::Origin;
#[cfg(test)]
pub(crate) use origin::tests::METADATA;
pub(crate) use origin::{Plaintext, unreadable};
pub use outcome::{AuthOutcome, TrailersOutcome};
#[allow(unused_imports, reason = "for choices among many, which are made elsewhere")]
pub(crate) use place::{PLACES, place};
pub use placement::Placement;
pub(crate) use prefix::stays as stays_beneath;
pub use service::Auth;
pub use single::Single;
#[allow(unused_imports, reason = "for choices among many, which are made elsewhere")]
pub(crate) use stamp::Stamp;
