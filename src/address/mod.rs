//! What the host of a URL is an address of: told from its text alone, without looking a name up.
//!
//! Names that resolve to such an address aren't known here; [`is_metadata`] is for those who have resolved them.

mod embedded;
mod loopback;
mod metadata;
#[cfg(feature = "client")]
mod near;
mod public;
mod spelled;

pub(crate) use loopback::is_loopback;
#[allow(unused_imports, reason = "for those who connect, and have resolved the name")]
pub(crate) use metadata::is_metadata;
pub(crate) use metadata::is_metadata_host;
#[cfg(feature = "client")]
pub(crate) use near::{is_far_host, is_near};
#[allow(unused_imports, reason = "for those who connect on behalf of others")]
pub(crate) use public::{is_inward_host, leads_inwards};
