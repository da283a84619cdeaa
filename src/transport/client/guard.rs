//! [`Guard`]: no connection to a machine's metadata service, whatever name leads there.

use std::{
    error::Error as StdError,
    fmt,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::{address::is_metadata, error::BoxError};

/// A resolver whose names don't lead to metadata services.
#[derive(Clone)]
pub(super) struct Guard<R> {
    inner: R,
}

impl<R> Guard<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner }
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
        let resolving = self.inner.call(name);
        Box::pin(async move {
            let found: Vec<_> = resolving.await.map_err(Into::into)?.collect();
            // One is enough: a name that has others beside it is nobody's mistake.
            if found.iter().any(|address| is_metadata(address.ip())) {
                return Err(MetadataHost.into());
            }
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
