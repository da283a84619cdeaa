//! [`List`]: hyper's connections over HTTP/1.1, in a list from which the last is taken. It is no client that anybody should use: it
//! forgets none that are idle, and doesn't send a request again that came too late for one.

use std::sync::{Arc, Mutex};

use http::{HeaderValue, Request, Response, Uri, header::HOST};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use tower_service::Service;

use crate::{BoxError, Upstream, connect::Connector};

#[derive(Clone)]
pub(crate) struct List {
    connector: Connector,
    origin: Uri,
    host: HeaderValue,
    unused: Arc<Mutex<Vec<SendRequest<Incoming>>>>,
}

impl List {
    pub(crate) fn new(connector: Connector, origin: Uri) -> Result<Self, BoxError> {
        let host = HeaderValue::from_str(origin.authority().ok_or("an origin has a host")?.as_str())?;
        Ok(Self { connector, origin, host, unused: Arc::default() })
    }

    fn taken(&self) -> Option<SendRequest<Incoming>> {
        let mut unused = self.unused.lock().expect("nobody panics with it");
        std::iter::from_fn(|| unused.pop()).find(SendRequest::is_ready)
    }

    async fn connected(mut self) -> Result<SendRequest<Incoming>, BoxError> {
        let stream = self.connector.call(self.origin).await?;
        let (sender, connection) = handshake(stream).await?;
        tokio::spawn(async { drop(connection.await) });
        Ok(sender)
    }
}

impl Upstream for List {
    fn send(
        self,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Incoming>, BoxError>> + Send {
        request.headers_mut().insert(HOST, self.host.clone());
        async move {
            let unused = Arc::clone(&self.unused);
            let mut sender = match self.taken() {
                Some(sender) => sender,
                None => self.connected().await?,
            };
            let answer = sender.send_request(request).await?;
            let keep = move |sender| unused.lock().expect("nobody panics with it").push(sender);
            if sender.is_ready() {
                keep(sender);
            } else {
                // It is once the answer's body has come.
                tokio::spawn(async move { sender.ready().await.map(|()| keep(sender)) });
            }
            Ok(answer)
        }
    }
}
