//! What happens, for logs and metrics. Each event is told once; without their features both listeners are empty.

mod event;
#[cfg_attr(not(feature = "tracing"), path = "no_logs.rs")]
mod logs;
#[cfg_attr(not(feature = "metrics"), path = "no_metrics.rs")]
mod metrics;
mod observer;
mod passages;
mod passed;
mod reason;
#[cfg(feature = "client")]
#[cfg_attr(not(feature = "tracing"), path = "no_tunnel.rs")]
mod tunnel;

pub(crate) use event::Event;
pub(crate) use logs::within_flight;
pub(crate) use observer::{EACH_USE, Observer};
pub(crate) use passages::Passages;
pub use passed::Passed;
pub use reason::Reason;
#[cfg(feature = "client")]
pub(crate) use tunnel::tell_tunnel;
