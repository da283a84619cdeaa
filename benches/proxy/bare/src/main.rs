//! What a proxy takes that is built on hyper and has nothing of `reauth`: it has one thread, puts a fixed Authorization on what comes
//! in, and hands the answers back as they are.
//!
//! `bare hyper|hyper-util ADDRESS ORIGIN [CERTIFICATES]`, the latter being a file of those that `https` trusts. `hyper` keeps its
//! connections in a list, and `hyper-util` has that crate's client keep them.

mod connect;
mod list;
mod pool;

use std::{env, error::Error, net::SocketAddr};

use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime::Builder};

type BoxError = Box<dyn Error + Send + Sync>;

/// Sends requests to one server.
trait Upstream: Clone + Send + 'static {
    fn send(
        self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Incoming>, BoxError>> + Send + 'static;
}

fn main() -> Result<(), BoxError> {
    let mut args = env::args().skip(1);
    let kind = args.next().ok_or("which of them is needed: hyper or hyper-util")?;
    let address: SocketAddr = args.next().ok_or("an address to listen at is needed")?.parse()?;
    let origin: Uri = args.next().ok_or("an origin to call is needed")?.parse()?;
    let connector = connect::connector(args.next())?;
    // As `reauth` asks the kernel.
    Builder::new_current_thread().event_interval(255).enable_all().build()?.block_on(async {
        match &*kind {
            "hyper" => serve(address, list::List::new(connector, origin)?).await,
            "hyper-util" => serve(address, pool::Pool::new(connector, origin)?).await,
            _ => Err(format!("there is no {kind}; say hyper or hyper-util").into()),
        }
    })
}

async fn serve(address: SocketAddr, upstream: impl Upstream) -> Result<(), BoxError> {
    let authorization = HeaderValue::from_static("Bearer the-token");
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (upstream, authorization) = (upstream.clone(), authorization.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
            upstream.clone().send(request)
        });
        // Whoever goes away ends the connection with an error.
        tokio::spawn(async {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}
