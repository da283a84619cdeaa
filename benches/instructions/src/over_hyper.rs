//! The same over hyper on loopback. The server is another process, so what is counted is the client's.

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{AuthLayer, Origin};

use crate::support::{Counted, Work, floor, retry, signatures};

/// Answers every request with 200 and a few bytes of JSON, once it has read it, until the process is ended.
pub async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let answer = async |request: Request<Incoming>| {
            request.into_body().collect().await?;
            let json = Full::<Bytes>::from(r#"{"id":"b7f5","name":"a thing"}"#);
            Ok::<_, hyper::Error>(Response::new(json))
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(tcp), service_fn(answer));
        tokio::spawn(connection);
    }
}

pub async fn run(row: &str, requests: usize, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let credential = Counted::default();
    match row {
        "inner" => send(client, requests, address).await,
        "add-authorization" => send(floor(client), requests, address).await,
        "retry" => send(retry(client), requests, address).await,
        "replayable" => send(warmed(&credential, address).await.layer(client), requests, address).await,
        "replay-off" => {
            send(warmed(&credential, address).await.no_replay().layer(client), requests, address).await
        }
        _ => panic!("there is no row {row}"),
    }
    assert!(credential.calls() <= 1, "the token was cached");
    Ok(())
}

async fn warmed(credential: &Counted, address: SocketAddr) -> AuthLayer {
    let origin = Origin::parse(&format!("http://{address}")).expect("an origin");
    let auth = AuthLayer::new(origin, credential.clone()).signatures(signatures());
    auth.tokens().get(Duration::ZERO).await.expect("a token");
    auth
}

async fn send<S, R>(mut service: S, requests: usize, address: SocketAddr)
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
    R: Body<Error: std::fmt::Debug>,
{
    let work = Work::to(Uri::try_from(format!("http://{address}/v1/things?page=1")).expect("valid"));
    for _ in 0..requests {
        let service = service.ready().await.expect("ready");
        let response = service.call(work.request()).await.expect("an answer");
        assert!(response.status().is_success());
        response.into_body().collect().await.expect("all of the body");
    }
}
