//! A tunnel through a proxy: CONNECT (RFC 9110 §9.3.6), whatever the origin's scheme is.

use std::{error::Error as StdError, io, iter, pin::pin};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Method, Request, Uri, header, uri::Scheme};
use http_body_util::Empty;
use hyper::{
    client::conn::http1,
    rt::{Read, Write},
    upgrade::{self, Upgraded},
};

use super::{proxy::Proxy, proxy_error::Fault};

/// Asks `proxy`, to which `stream` leads, for a connection to `origin`.
///
/// What the server has said already is not lost: some speak first, as HTTP/2 allows them to.
pub(super) async fn tunnel<T>(stream: T, proxy: &Proxy, origin: &Uri) -> Result<Upgraded, Fault>
where
    T: Read + Write + Send + Unpin + 'static,
{
    let request = connect(proxy, origin).map_err(|error| Fault::Unreachable(error.into()))?;
    let (mut sender, connection) = http1::handshake(stream).await.map_err(fault)?;
    let asked = pin!(async move {
        let response = sender.send_request(request).await.map_err(fault)?;
        match response.status() {
            status if status.is_success() => upgrade::on(response).await.map_err(fault),
            status => Err(Fault::Refused(status)),
        }
    });
    match select(asked, connection.with_upgrades()).await {
        Either::Left((tunnel, _)) => tunnel,
        // It has nothing more to do, and whoever asked knows what it has done.
        Either::Right((_, asked)) => asked.await,
    }
}

fn connect(proxy: &Proxy, origin: &Uri) -> http::Result<Request<Empty<Bytes>>> {
    let host = origin.host().unwrap_or_default();
    let port = match origin.port_u16() {
        Some(port) => port,
        None if origin.scheme() == Some(&Scheme::HTTP) => 80,
        None => 443,
    };
    let target = format!("{host}:{port}");
    let mut request = Request::builder().method(Method::CONNECT).uri(&target).header(header::HOST, &target);
    if let Some(credentials) = proxy.credentials() {
        request = request.header(header::PROXY_AUTHORIZATION, credentials);
    }
    request.body(Empty::new())
}

fn fault(error: hyper::Error) -> Fault {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return Fault::HungUp;
    }
    if error.is_parse() {
        return Fault::NotHttp;
    }
    let mut chain = iter::successors(Some(&error as &(dyn StdError + 'static)), |&error| error.source());
    match chain.find_map(|error| error.downcast_ref()).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => Fault::HungUp,
        _ => Fault::Unreachable(error.into()),
    }
}
