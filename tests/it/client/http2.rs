//! HTTP/2 alone, without TLS and with it.

use super::*;

/// Echoes in HTTP/2 without TLS.
pub(super) struct Server {
    pub(super) port: u16,
}

impl Server {
    pub(super) async fn plain() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(tcp, true, Arc::default()));
            }
        });
        Self { port }
    }
}

fn knowing(ca: &Ca) -> Client {
    given().root_der(ca.der()).unwrap().http2_prior_knowledge().build().unwrap()
}

const NOT_HTTP2: &str = "the server does not speak http/2; without http2_prior_knowledge http/1.1 is tried";

#[tokio::test]
async fn it_is_spoken_from_the_first_byte() {
    let server = Server::plain().await;
    let client = knowing(&Ca::new());
    let url = format!("http://localhost:{}/", server.port);
    for _ in 0..2 {
        let (head, body) = post(&client, &url, "without asking").await.unwrap();
        assert_eq!((head.version, body.as_ref()), (Version::HTTP_2, &b"without asking"[..]));
    }
    // Without it, nobody asks for HTTP/2 where there is no TLS.
    let error = post(&any_client(), &url, "").await.unwrap_err();
    assert_eq!(error.kind(), ClientErrorKind::Exchange);
}

#[tokio::test]
async fn over_tls_nothing_else_is_offered() {
    let ca = Ca::new();
    let client = knowing(&ca);
    let server = super::Server::tls(&ca, &["http/1.1", "h2"]).await;
    let (head, _) = post(&client, &server.url("https"), "").await.unwrap();
    assert_eq!(head.version, Version::HTTP_2);
    // One that knows of no choice would be spoken to in a language that it may not know.
    for (offered, text) in [
        (&[][..], NOT_HTTP2),
        (&["http/1.1"], "tls: the server speaks none of the versions of http that were offered"),
    ] {
        let server = super::Server::tls(&ca, offered).await;
        let error = post(&client, &server.url("https"), "").await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Connect);
        assert_eq!(chain(&error), format!("no connection could be made: {text}"));
        assert_eq!(server.requests(), 0);
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_it_is_said_not_to() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"[..],
        b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n",
        b"HTT",
        b"",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let _ = tcp.read(&mut [0; 1024]).await.unwrap();
                tcp.write_all(answer).await.unwrap();
                tcp.shutdown().await.unwrap();
                let _ = tcp.read_to_end(&mut Vec::new()).await;
            }
        });
        let error = post(&knowing(&Ca::new()), &url, "").await.unwrap_err();
        assert_eq!(error.kind(), ClientErrorKind::Exchange);
        let text = error.to_string();
        assert_eq!(
            text,
            format!("the request could not be sent, or its answer was lost: {NOT_HTTP2}"),
            "{answer:?} {}",
            chain(&error)
        );
        assert_eq!(chain(&error), text);
    }
    let server = super::Server::plain().await;
    let error = post(&knowing(&Ca::new()), &server.url("http"), "").await.unwrap_err();
    assert!(error.to_string().ends_with(NOT_HTTP2), "{}", chain(&error));
}

#[tokio::test]
async fn where_http_1_alone_is_asked_for_nothing_else_is_offered_and_connections_can_be_upgraded() {
    let ca = Ca::new();
    let client = given().root_der(ca.der()).unwrap().http1_only().build().unwrap();
    let server = super::Server::tls(&ca, &["h2", "http/1.1"]).await;
    let (head, _) = post(&client, &server.url("https"), "").await.unwrap();
    assert_eq!(head.version, Version::HTTP_11);
    let server = super::Server::tls(&ca, &["h2"]).await;
    let error = post(&client, &server.url("https"), "").await.unwrap_err();
    assert_eq!((error.kind(), server.requests()), (ClientErrorKind::Connect, 0));

    // What the layer hands out of the answer is still what leads to the connection.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 1024];
        let read = tcp.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        assert!(
            head.contains("authorization: Bearer a-key\r\n") && head.contains("upgrade: echo\r\n"),
            "{head}"
        );
        tcp.write_all(b"HTTP/1.1 101 \r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello").await.unwrap();
        let mut word = [0; 5];
        tcp.read_exact(&mut word).await.unwrap();
        tcp.write_all(&word).await.unwrap();
    });
    let layer = tower_reauth::Videsk::new("a-key").base_url(&origin).layer().unwrap();
    let request = Request::get(&origin).header("connection", "upgrade").header("upgrade", "echo");
    let response =
        tower::Layer::layer(&layer, client).oneshot(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 101);
    let mut upgraded = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    upgraded.write_all(b"again").await.unwrap();
    let mut said = [0; 10];
    upgraded.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"helloagain");
}
