//! [`Guard`]: no connection to a machine's metadata service, whatever name leads there; none that leads inwards, where
//! somebody else has chosen the destination; and for those who ask such a service, none to anything that isn't near.

use std::{
    error::Error as StdError,
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::{
    address::{is_far_host, is_inward_host, is_metadata, is_metadata_host, is_near, leads_inwards},
    error::BoxError,
};

/// Where connections may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anywhere but to a metadata service.
    Anywhere,
    /// To no place that is reached from inside alone.
    Outwards,
    /// To this machine and its links, and nowhere else: where metadata services are.
    Near,
}

impl Reach {
    /// Whether a host, as it stands in a URL, is surely out of reach.
    ///
    /// # Errors
    ///
    /// Why it is.
    pub(super) fn check_host(self, host: &str) -> Result<(), BoxError> {
        match self {
            Self::Near if is_far_host(host) => Err(FarHost.into()),
            Self::Near => Ok(()),
            Self::Anywhere | Self::Outwards if is_metadata_host(host) => Err(MetadataHost.into()),
            Self::Outwards if is_inward_host(host) => Err(InwardHost.into()),
            Self::Anywhere | Self::Outwards => Ok(()),
        }
    }

    fn check(self, address: IpAddr) -> Result<(), BoxError> {
        match self {
            Self::Near if is_near(address) => Ok(()),
            Self::Near => Err(FarHost.into()),
            Self::Anywhere | Self::Outwards if is_metadata(address) => Err(MetadataHost.into()),
            Self::Outwards if leads_inwards(address) => Err(InwardHost.into()),
            Self::Anywhere | Self::Outwards => Ok(()),
        }
    }
}

/// A resolver whose names don't lead out of reach.
#[derive(Clone)]
pub(super) struct Guard<R> {
    inner: R,
    reach: Reach,
}

impl<R> Guard<R> {
    pub(super) fn new(inner: R, reach: Reach) -> Self {
        Self { inner, reach }
    }
}

impl<R> Service<Name> for Guard<R>
where
    R: Service<Name>,
    R::Response: Iterator<Item = SocketAddr>,
    R::Error: Into<BoxError>,
    R::Future: Send + 'static,
{
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, reach) = (self.inner.call(name), self.reach);
        Box::pin(async move {
            let found: Vec<_> = resolving.await.map_err(Into::into)?.collect();
            // One is enough: a name that has others beside it is nobody's mistake.
            found.iter().try_for_each(|address| reach.check(address.ip()))?;
            Ok(found.into_iter())
        })
    }
}

/// A host that is a metadata service, by its name, its address, or the addresses that its name leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetadataHost;

impl fmt::Display for MetadataHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the host is a machine's metadata service, or its name leads to one; nothing is sent there",
        )
    }
}

impl StdError for MetadataHost {}

/// A host that is reached from inside alone, by its address or the addresses that its name leads to, where somebody else has
/// chosen it.
#[derive(Clone, Copy, Debug)]
pub(super) struct InwardHost;

impl fmt::Display for InwardHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the host is this machine or in a private network, or its name leads there; for tenants nothing is sent \
             there unless private addresses are allowed",
        )
    }
}

impl StdError for InwardHost {}

/// A host that is on another network than this machine's own links, by its address or the addresses that its name leads to,
/// where a metadata service is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct FarHost;

impl fmt::Display for FarHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the host of the metadata service is neither this machine nor on a link of it, or its name leads elsewhere; \
             nothing is sent there",
        )
    }
}

impl StdError for FarHost {}
