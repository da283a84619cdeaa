//! [`Pool`]: hyper-util's client.

use http::{
    Request, Response, Uri,
    header::HOST,
    uri::{Authority, Scheme},
};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::{BoxError, Upstream, connect::Connector};

#[derive(Clone)]
pub(crate) struct Pool {
    client: Client<Connector, Incoming>,
    origin: (Scheme, Authority),
}

impl Pool {
    pub(crate) fn new(connector: Connector, origin: Uri) -> Result<Self, BoxError> {
        let origin = origin.into_parts();
        let origin = origin.scheme.zip(origin.authority).ok_or("an origin has both")?;
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), origin })
    }
}

impl Upstream for Pool {
    fn send(
        self,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Incoming>, BoxError>> + Send {
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        (uri.scheme, uri.authority) = (Some(self.origin.0.clone()), Some(self.origin.1.clone()));
        *request.uri_mut() = Uri::from_parts(uri).expect("it has all its parts");
        // The client puts in that of the origin.
        request.headers_mut().remove(HOST);
        let sent = self.client.request(request);
        async move { Ok(sent.await?) }
    }
}
