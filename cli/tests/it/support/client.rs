//! Clients of the proxy: one that writes what it is told to, and an ordinary one.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tower::ServiceExt;
use tower_reauth::{Client, client::Roots};

use super::{server::read_message, soon};

/// Sends `request` as it is, but for `HOST`, which is replaced by the address. Returns the answer as it is.
pub(crate) async fn raw(address: &str, request: &str) -> String {
    let mut tcp = TcpStream::connect(address).await.expect("it listens");
    tcp.write_all(request.replace("HOST", address).as_bytes()).await.expect("it reads");
    soon(read_message(&mut tcp)).await.unwrap_or_default()
}

/// The status of a raw answer.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

pub(crate) fn client() -> Client {
    Client::builder().roots(Roots::Bundled).build().expect("a client")
}

pub(crate) async fn get(url: &str) -> Response<Bytes> {
    send(Request::get(url).body(Full::default()).unwrap()).await
}

pub(crate) async fn send(request: Request<Full<Bytes>>) -> Response<Bytes> {
    let response = soon(client().oneshot(request)).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = soon(body.collect()).await.expect("a whole answer").to_bytes();
    Response::from_parts(head, body)
}
