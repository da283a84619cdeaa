//! An error says by itself what happened, and its sources don't say it again.

use std::{error::Error, iter};

use tower_reauth::{
    AcquireErrorKind, AuthError, TokenCache, TokenEndpoint, TokenRequest,
    client::ClientErrorKind::{Connect, ConnectTimedOut, Exchange},
};

use super::*;

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// A server that reads something and then ends each connection.
async fn ending(end: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = tcp.read(&mut [0; 1024]).await.unwrap();
            end(tcp);
        }
    });
    url
}

fn reset(tcp: TcpStream) {
    tcp.set_zero_linger().unwrap();
}

/// What is printed of `error` and of all its sources.
fn lines(error: &(dyn Error + 'static)) -> Vec<String> {
    iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect()
}

/// Checks that `error` says `words`, and no source of it does.
#[track_caller]
fn assert_says_once(error: &(dyn Error + 'static), words: &str) {
    let lines = lines(error);
    assert!(lines[0].ends_with(words), "{words}: {lines:?}");
    let essence = words.rsplit(": ").next().unwrap().to_lowercase();
    assert!(lines[1..].iter().all(|line| !line.to_lowercase().contains(&essence)), "{lines:?}");
}

#[tokio::test]
async fn an_error_says_what_happened() {
    let ca = Ca::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("https://{}/", listener.local_addr().unwrap());
    let tls = |name: &'static str, years| Server::start(Some(ca.acceptor_in(name, &[], years)));
    let (expired, future) = (tls("localhost", 2000..2020).await, tls("localhost", 3000..4000).await);
    let (other, plain) = (tls("api.example.com", 2000..3000).await, Server::plain().await);
    for (url, kind, text) in [
        (nobody().await, Connect, "no connection could be made: connection refused"),
        (ending(reset).await, Exchange, "answer was lost: connection reset"),
        (ending(drop).await, Exchange, "answer was lost: the connection was closed before the answer"),
        (silent, ConnectTimedOut, "no connection could be made: timed out connecting"),
        (expired.url("https"), Connect, "no connection could be made: tls: certificate expired"),
        (future.url("https"), Connect, "no connection could be made: tls: certificate not valid yet"),
        (other.url("https"), Connect, "no connection could be made: tls: certificate for another host"),
        (plain.url("https"), Connect, "no connection could be made: tls: the server does not speak it"),
    ] {
        let client = Client::builder().roots(Roots::Given).root_der(ca.der()).unwrap();
        let client = client.connect_timeout(Duration::from_millis(500)).build().unwrap();
        let error = post(&client, &url, "").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_says_once(&error, text);
    }
    let error = post(&any_client(), &other.url("https"), "").await.unwrap_err();
    assert_says_once(&error, "tls: certificate from an authority that is not trusted");
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_said_to() {
    let error = post(&any_client(), "http://no-such-host.invalid/", "").await.unwrap_err();
    assert_eq!(error.kind(), Connect);
    // Where there is no network at all, nobody knows of the host.
    let text = error.to_string();
    assert!(text.starts_with("no connection could be made: dns: "), "{:?}", lines(&error));
}

#[tokio::test]
async fn a_uri_without_host_is_named_without_its_query() {
    for (uri, missing, path) in
        [("/videos?key=s3cret", "host", "/videos"), ("*", "host", "*"), ("name:s3cret@host:80", "scheme", "")]
    {
        let error = post(&any_client(), uri, "").await.unwrap_err();
        assert_eq!(error.kind(), Exchange);
        let text =
            format!("the request's uri has no {missing}: {path:?}; begin it as in https://api.example.com");
        assert_eq!(lines(&error), [text]);
    }
}

#[tokio::test]
async fn a_body_that_fails_is_the_callers_and_stays_in_the_sources() {
    let server = Server::plain().await;
    let client =
        Client::builder().roots(Roots::Bundled).build_for::<UnsyncBoxBody<Bytes, BoxError>>().unwrap();
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let frames = futures_util::stream::iter([Err(BoxError::from(reset))]);
    let body = BodyExt::boxed_unsync(http_body_util::StreamBody::new(frames));
    let request = Request::post(server.url("http")).body(body).unwrap();
    let error = client.oneshot(request).await.unwrap_err();
    assert_eq!(error.to_string(), "the request could not be sent, or its answer was lost");
    let mut sources = iter::successors(Some(&error as &dyn Error), |&error| error.source());
    assert!(sources.any(|source| source.is::<std::io::Error>()));
}

#[tokio::test]
async fn an_acquisition_says_it_in_the_place_of_its_sources() {
    let client = any_client();
    for (transport, is_ours) in [
        (Transport::from(client.clone()), true),
        (Transport::new(client.clone()), true),
        (Transport::new(of_another_kind(client)), false),
    ] {
        for (url, words) in
            [(nobody().await, "connection refused"), (ending(reset).await, "connection reset")]
        {
            let host = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
            let endpoint = TokenEndpoint::new("Acme", url, TokenRequest::post("/token"));
            let tokens = TokenCache::new(endpoint.build(transport.clone()).unwrap());
            let error = tokens.get(Duration::ZERO).await.unwrap_err();
            let acquire = AuthError::acquire_error(&error).unwrap();
            assert_eq!(acquire.kind(), AcquireErrorKind::Transient);
            let text = format!("the token request to {host} could not be sent or was not answered: {words}");
            assert_eq!(acquire.to_string(), text);
            if is_ours {
                assert_says_once(acquire, words);
                assert!(acquire.source().unwrap().is::<ClientError>());
            }
        }
    }
}

/// A client whose errors are not ours.
fn of_another_kind(
    client: Client,
) -> impl Service<Request<Full<Bytes>>, Response = Response<Incoming>, Error = BoxError, Future: Send> + Clone + Send
{
    client.map_err(|error| {
        let kind = match error.to_string() {
            text if text.ends_with("refused") => std::io::ErrorKind::ConnectionRefused,
            _ => std::io::ErrorKind::ConnectionReset,
        };
        BoxError::from(std::io::Error::new(kind, "in the words of whoever made it"))
    })
}
