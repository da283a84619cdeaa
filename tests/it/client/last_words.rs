//! Servers that answer in the middle of an upload, and hang up.

use std::{io::Write as _, net, thread};

use super::*;

/// Reads little of a request, says this, and closes its connection with the rest unread, which resets it.
fn server(says: &'static str) -> String {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            assert!(std::io::Read::read(&mut tcp, &mut [0; 1024]).unwrap() > 0);
            tcp.write_all(says.as_bytes()).unwrap();
        }
    });
    origin
}

async fn upload(client: &Client, origin: &str) -> Result<(StatusCode, Bytes), ClientError> {
    let request = Request::post(origin).body(Full::from(vec![b'x'; 16 * 1024 * 1024])).unwrap();
    let response = tokio::time::timeout(Duration::from_secs(20), client.clone().oneshot(request));
    let (head, body) = response.await.expect("it doesn't hang")?.into_parts();
    Ok((head.status, body.collect().await.unwrap().to_bytes()))
}

/// Of an expired token for instance, which the layer couldn't see otherwise.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_in_the_middle_of_an_upload_is_not_lost_with_the_connection() {
    let origin =
        server("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 11\r\n\r\njwt expired");
    let client = Client::builder().roots(Roots::Bundled).build().unwrap();
    for round in 0..50 {
        let (status, body) = upload(&client, &origin).await.unwrap();
        assert_eq!((status, &*body), (StatusCode::UNAUTHORIZED, &b"jwt expired"[..]), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_reset_in_the_middle_of_an_upload_is_an_error() {
    let client = Client::builder().roots(Roots::Bundled).build().unwrap();
    for says in ["", "HTTP/1.1 401 Unauth"] {
        let origin = server(says);
        for _ in 0..20 {
            let error = upload(&client, &origin).await.unwrap_err();
            assert_eq!(error.kind(), ClientErrorKind::Exchange, "{error}");
            let told = ["connection reset", "the connection was closed before the answer", "broken pipe"];
            assert!(told.iter().any(|told| error.to_string().ends_with(told)), "{error}");
        }
    }
}
