//! Requests that could have content and have none say so on the wire, whoever sends them.

use tower_reauth::{TokenCache, TokenEndpoint, TokenRequest};

use super::*;

/// Answers everything with a token, and keeps each request as it came. Only requests without content end.
struct Raw {
    origin: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Raw {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = seen.clone();
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                while !text.ends_with("\r\n\r\n") {
                    let mut buffer = [0; 1024];
                    let read = tcp.read(&mut buffer).await.unwrap();
                    assert_ne!(read, 0, "{text}");
                    text += std::str::from_utf8(&buffer[..read]).unwrap();
                }
                shared.lock().unwrap().push(text);
                let body = r#"{"access_token":"t0ken"}"#;
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                tcp.write_all((head + body).as_bytes()).await.unwrap();
            }
        });
        Self { origin, seen }
    }

    /// How often each request says its length, and which one.
    fn lengths(&self) -> Vec<Vec<String>> {
        let lengths = |text: &String| {
            let lines = text.lines().map(str::to_ascii_lowercase);
            lines.filter_map(|line| line.strip_prefix("content-length:").map(|it| it.trim().into())).collect()
        };
        self.seen.lock().unwrap().iter().map(lengths).collect()
    }
}

#[tokio::test]
async fn the_client_says_that_a_body_is_empty_where_the_method_could_have_one() {
    for (method, length) in [
        ("POST", Some("0")),
        ("PUT", Some("0")),
        ("PATCH", Some("0")),
        ("GET", None),
        ("HEAD", None),
        ("DELETE", None),
        ("OPTIONS", None),
        ("PROPFIND", None),
    ] {
        let server = Raw::start().await;
        let request = Request::builder().method(method).uri(&server.origin).body(Full::default()).unwrap();
        any_client().oneshot(request).await.unwrap();
        assert_eq!(server.lengths(), [length.into_iter().collect::<Vec<_>>()], "{method}");
    }
}

#[tokio::test]
async fn over_http2_it_is_said_as_well() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["h2"]).await;
    for (method, length) in [("POST", "0"), ("PATCH", "0"), ("GET", "")] {
        let uri = server.url("https");
        let request = Request::builder().method(method).uri(uri).body(Full::default()).unwrap();
        let response = ca.client().oneshot(request).await.unwrap();
        assert_eq!(response.version(), Version::HTTP_2);
        let seen = response.headers().get("x-content-length").map(|it| it.to_str().unwrap().to_owned());
        assert_eq!(seen.unwrap_or_default(), length, "{method}");
    }
}

#[tokio::test]
async fn token_requests_say_it_over_any_client() {
    let others =
        hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    for transport in [Transport::from(any_client()), Transport::new(others)] {
        let server = Raw::start().await;
        let endpoint = TokenEndpoint::new("Acme", server.origin.clone(), TokenRequest::post("/token"));
        let tokens = TokenCache::new(endpoint.build(transport).unwrap());
        tokens.get(Duration::from_secs(5)).await.unwrap();
        assert_eq!(server.lengths(), [["0"]]);
    }
}
