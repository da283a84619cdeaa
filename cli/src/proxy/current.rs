//! [`Current`]: the site of now. A new one takes its place while requests go on.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;

use super::{
    body::Body,
    front::{Answers, Arrival},
    site::Site,
};

/// Each request ends with the site that it began with.
pub(crate) struct Current(ArcSwap<Site>);

impl Current {
    pub(crate) fn new(site: Site) -> Self {
        Self(ArcSwap::from_pointee(site))
    }

    pub(crate) fn replace(&self, site: Site) {
        self.0.store(Arc::new(site));
    }
}

impl Answers for Current {
    type Body = Body;

    fn answer(
        &self,
        request: Request<Incoming>,
        arrival: Arrival,
    ) -> impl Future<Output = Response<Body>> + Send {
        self.0.load_full().answer(request, arrival)
    }
}
