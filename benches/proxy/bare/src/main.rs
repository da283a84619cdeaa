//! A reverse proxy of hyper's server and hyper-util's client, on one thread, and nothing else: it puts a fixed Authorization on
//! what comes in, and hands the answers back as they are.
//!
//! `bare ADDRESS ORIGIN [CERTIFICATES]`, the latter being a file of those that `https` trusts.

use std::{env, error::Error, net::SocketAddr};

use http::{
    HeaderValue, Request, Uri,
    header::{AUTHORIZATION, HOST},
    uri::{Authority, Scheme},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::{net::TcpListener, runtime::Builder};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let address = args.next().ok_or("an address to listen at is needed")?;
    let origin: Uri = args.next().ok_or("an origin to call is needed")?.parse()?;
    Builder::new_current_thread().enable_all().build()?.block_on(serve(address.parse()?, origin, args.next()))
}

async fn serve(address: SocketAddr, origin: Uri, certificates: Option<String>) -> Result<(), Box<dyn Error>> {
    let origin = origin.into_parts();
    let origin: (Scheme, Authority) = origin.scheme.zip(origin.authority).ok_or("an origin has both")?;
    let mut roots = RootCertStore::empty();
    if let Some(file) = certificates {
        for certificate in CertificateDer::pem_file_iter(file)? {
            roots.add(certificate?)?;
        }
    }
    let tls = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let client = Client::builder(TokioExecutor::new()).build::<_, Incoming>(connector);
    let authorization = HeaderValue::from_static("Bearer the-token");

    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, authorization, origin) = (client.clone(), authorization.clone(), origin.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let mut uri = std::mem::take(request.uri_mut()).into_parts();
            (uri.scheme, uri.authority) = (Some(origin.0.clone()), Some(origin.1.clone()));
            *request.uri_mut() = Uri::from_parts(uri).expect("it has all its parts");
            // The client puts in that of the origin.
            request.headers_mut().remove(HOST);
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
            client.request(request)
        });
        // Whoever goes away ends the connection with an error.
        tokio::spawn(async {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}
