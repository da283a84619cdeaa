//! [`Table`]: all upstreams, and which of them a request is for.

use std::sync::Arc;

use http::{
    Request, StatusCode,
    header::HOST,
    uri::{Authority, PathAndQuery},
};

use super::route::Route;
use crate::proxy::{forward::Upstream, keys::Keys, metrics::Counts, problem::Problem};

/// An upstream, and which requests are for it.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) route: Route,
    /// The keys of its own clients, if it has any. Else they are those of the proxy.
    pub(crate) keys: Option<Keys>,
    pub(crate) upstream: Upstream,
    pub(crate) counts: Arc<Counts>,
}

/// All upstreams, the narrower ones first.
pub(crate) struct Table {
    entries: Vec<Entry>,
}

impl Table {
    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.route.width());
        Self { entries }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whom a request is for, and with which target.
    pub(crate) fn find<B>(&self, request: &Request<B>) -> Option<(&Entry, PathAndQuery)> {
        let target = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let is_by_host = self.entries.iter().any(|entry| entry.route.host().is_some());
        // The guard has seen that there is one at most, and that it is a host.
        let header =
            || request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let authority = is_by_host.then(|| request.uri().authority().cloned().or_else(header)).flatten();
        let host = authority.as_ref().map(Authority::host);
        self.entries.iter().find_map(|entry| Some((entry, entry.route.rest(host, &target)?)))
    }

    /// What is said where nobody is found.
    pub(crate) fn nobody() -> Problem {
        let detail = "this proxy has no upstream for this host and path";
        Problem::new(StatusCode::NOT_FOUND, "destination_not_found", detail)
    }
}
