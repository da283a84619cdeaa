//! Answers byte for byte, also such as no HTTP library would write: through the layer they are what they are
//! without it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{server::Http, *};

/// What the server does after its answer.
#[derive(Clone, Copy, Debug)]
enum Then {
    Stays,
    Closes,
    Resets,
}

use Then::{Closes, Resets, Stays};

/// After which nothing more is expected.
const PATIENCE: Duration = Duration::from_millis(500);

/// `printf '{"message":"jwt expired"}' | gzip --no-name`
const GZIP: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\xca\x4d\x2d\x2e\x4e\x4c\x4f\x55\xb2\x52\xca\x2a\x2f\x51\
    \x48\xad\x28\xc8\x2c\x4a\x4d\x51\xaa\x05\0\xe4\xa9\x4c\x8e\x19\0\0\0";

#[tokio::test]
async fn every_answer_is_what_it_is_without_the_layer() {
    let gzip = [b"HTTP/1.1 400 \r\ncontent-encoding: gzip\r\ncontent-length: 45\r\n\r\n", GZIP].concat();
    let long = ["HTTP/1.1 400 \r\ncontent-length: 40000\r\n\r\n", &"x".repeat(40_000)].concat();
    let chunk =
        ["HTTP/1.1 400 \r\ntransfer-encoding: chunked\r\n\r\n9c40\r\n", &"x".repeat(40_000), "\r\n0\r\n\r\n"]
            .concat();
    let answers: [(&[u8], Then, Option<Unread>); 15] = [
        (b"HTTP/1.1 400 No\r\nX-Many: 1\r\ncontent-length: 2\r\nx-many: 2\r\n\r\n{}", Stays, None),
        (b"HTTP/1.1 400 \r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", Stays, None),
        (b"HTTP/1.0 400 \r\n\r\n{}", Closes, None),
        (b"HTTP/1.1 400 \r\ncontent-length: 0\r\n\r\n", Stays, None),
        (b"HTTP/1.1 204 \r\n\r\n", Stays, None),
        (b"HTTP/1.1 304 \r\ncontent-length: 25\r\n\r\n", Stays, None),
        (b"HTTP/1.1 400 \r\ncontent-length: 7\r\n\r\n\xef\xbb\xbf{}\xff\0", Stays, None),
        (&gzip, Stays, Some(Unread::Encoded)),
        (long.as_bytes(), Stays, Some(Unread::TooLong)),
        (chunk.as_bytes(), Stays, Some(Unread::TooLong)),
        (b"HTTP/1.1 400 \r\ncontent-length: 9\r\n\r\n{\"a\":", Stays, Some(Unread::TooSlow)),
        (b"HTTP/1.1 400 \r\ncontent-length: 9\r\n\r\n{\"a\":", Closes, Some(Unread::BrokenOff)),
        (b"HTTP/1.1 400 \r\ncontent-length: 9\r\n\r\n{\"a\":", Resets, Some(Unread::BrokenOff)),
        (b"HTTP/1.1 400 \r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n", Closes, Some(Unread::BrokenOff)),
        (b"HTTP/1.1 400 \r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\nzz", Stays, Some(Unread::BrokenOff)),
    ];
    for (bytes, then, unread) in answers {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]);
        let origin = serve(bytes.to_vec(), then).await;
        let request = || Request::get(format!("{origin}/")).body(Full::default()).unwrap();
        let client: Http = Speaks::Http1.client();
        let expected = Seen::of(soon(client.clone().oneshot(request())).await.unwrap()).await;

        let rule = Rule::expired().read_success_bodies().when(json("/message").is("jwt expired"));
        let auth = AuthLayer::new(Origin::parse(&origin).unwrap(), StaticToken::new("key").unwrap())
            .signatures(Signatures::new().rule(rule))
            .peek(KIB_16, PATIENCE);
        let response = soon(auth.layer(client).oneshot(request())).await.unwrap();
        assert_eq!(outcome(&response).and_then(AuthOutcome::unread), unread, "{head}");
        assert_eq!(Seen::of(response).await, expected, "{head}");
    }
}

/// What a caller gets to see.
#[derive(Debug, PartialEq)]
struct Seen {
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    data: Vec<u8>,
    /// How it ended, or that it didn't.
    end: Option<Result<(), String>>,
}

impl Seen {
    async fn of<B>(response: Response<B>) -> Self
    where
        B: http_body::Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let (head, mut body) = response.into_parts();
        let mut data = Vec::new();
        let end = loop {
            match tokio::time::timeout(PATIENCE, body.frame()).await {
                Err(_) => break None,
                Ok(None) => break Some(Ok(())),
                Ok(Some(Err(error))) => break Some(Err(error.to_string())),
                Ok(Some(Ok(frame))) => data.extend_from_slice(&frame.into_data().unwrap()),
            }
        };
        Self { status: head.status, version: head.version, headers: head.headers, data, end }
    }
}

async fn serve(answer: Vec<u8>, then: Then) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(tcp, answer.clone(), then));
        }
    });
    origin
}

async fn converse(mut tcp: TcpStream, answer: Vec<u8>, then: Then) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match tcp.read_buf(&mut request).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        if request.ends_with(b"\r\n\r\n") {
            tcp.write_all(&answer).await.unwrap();
            match then {
                Stays => request.clear(),
                Closes => return,
                Resets => {
                    // What the client hasn't read by then is lost.
                    tokio::time::sleep(NEAR).await;
                    return tcp.set_zero_linger().unwrap();
                }
            }
        }
    }
}
