//! How many files and sockets this process may have open.

use super::limits::Limits;
use crate::message::tell;

/// What the program has open beside connections.
#[cfg(unix)]
const BESIDE: u64 = 64;

/// Raises what the process allows itself to what the limits want, as far as the system lets it. Says where that isn't far
/// enough.
#[cfg(unix)]
pub(crate) fn make_room(limits: &Limits) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    // One to the client, and one to the vendor.
    let wanted = (u64::from(limits.max_connections) + u64::from(limits.max_upgrades)) * 2 + BESIDE;
    let mut allowed = getrlimit(Resource::Nofile);
    let enough = |current: Option<u64>| current.is_none_or(|current| current >= wanted);
    if enough(allowed.current) {
        return;
    }
    allowed.current = Some(allowed.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    let raised = setrlimit(Resource::Nofile, allowed);
    if raised.is_err() || !enough(allowed.current) {
        tell(format_args!(
            "reauth proxy: --max-connections {} and --max-upgrades {} may need {wanted} open files, and the system allows for {} (ulimit -Hn)",
            limits.max_connections,
            limits.max_upgrades,
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        ));
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn make_room(_: &Limits) {}
