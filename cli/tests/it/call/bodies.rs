//! What `call` sends, and what it prints: as it is, and as it comes.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

use super::*;
use crate::support::{frames, server::read_message, temporary::Temporary};

#[tokio::test]
async fn data_is_text_a_file_or_standard_input() {
    let server = Raw::start(&[EMPTY]).await;
    let file = Temporary::new("data", "from a file");
    let file_data = format!("@{}", file.path().display());
    at(&server.origin).args("POST /x --data [1]").run().await.assert_status(0);
    at(&server.origin).args("POST /x --data").arg(&file_data).run().await.assert_status(0);
    at(&server.origin).args("POST /x -d @-").input("from standard input").run().await.assert_status(0);
    let seen = server.seen();
    assert!(seen[0].contains("content-length: 3\r\n") && seen[0].ends_with("\r\n\r\n[1]"), "{}", seen[0]);
    assert!(seen[1].contains("content-length: 11\r\n"), "{}", seen[1]);
    assert!(seen[1].ends_with("\r\n\r\nfrom a file"), "{}", seen[1]);
    assert!(seen[2].contains("transfer-encoding: chunked\r\n"), "{}", seen[2]);
    assert!(seen[2].ends_with("\r\n13\r\nfrom standard input\r\n0\r\n\r\n"), "{}", seen[2]);
    assert!(seen.iter().all(|request| request.contains("content-type: application/json\r\n")));
    let ended = at(&server.origin).args("POST /x --data @/not/there").run().await;
    ended.assert_status(1).assert_says("reauth call: /not/there can't be read");
    let ended = at(&server.origin).args("POST /x --data @/").run().await;
    ended.assert_status(1).assert_says("directory");
}

/// A server would wait for what was promised and never comes.
#[tokio::test]
async fn how_a_body_is_sent_is_said_by_the_program() {
    let server = Raw::start(&[EMPTY]).await;
    for (header, data) in
        [("Content-Length: 5", "abc"), ("content-length:3", "abc"), ("Transfer-Encoding: chunked", "@-")]
    {
        let ended = at(&server.origin).arg("-H").arg(header).args("POST /x -d").arg(data).run().await;
        ended.assert_status(2).assert_says("is said by the program");
    }
    let ended = at(&server.origin).args("POST /x -d @").run().await;
    ended.assert_status(2).assert_says("write @FILE, or @- for standard input");
    assert!(server.seen().is_empty(), "{:?}", server.seen());

    let file = Temporary::new("data-length", "from a file");
    let file_data = format!("@{}", file.path().display());
    at(&server.origin)
        .arg("-H")
        .arg("Content-Length: 3")
        .args("POST /x -d")
        .arg(&file_data)
        .run()
        .await
        .assert_status(0);
    let known = at(&server.origin).arg("-H").arg("Content-Length: 4").args("POST /x -d @-").input("pipe");
    known.run().await.assert_status(0);
    let [file, pipe] = &server.seen()[..] else { panic!("two requests") };
    assert!(file.contains("content-length: 11\r\n") && file.ends_with("\r\n\r\nfrom a file"), "{file}");
    assert!(pipe.contains("content-length: 4\r\n") && pipe.ends_with("\r\n\r\npipe"), "{pipe}");
}

/// What HTTP/1.1 cuts off at its length, or leaves to be waited for, would look whole to somebody.
#[tokio::test]
async fn a_body_of_another_length_than_was_told_is_an_error() {
    let server = Raw::start(&[EMPTY]).await;
    let told = |length: &str| at(&server.origin).arg("-H").arg(format!("Content-Length: {length}"));
    for (input, how) in [("abcdef", "more"), ("abcd", "more"), ("ab", "1 fewer"), ("", "3 fewer")] {
        let ended = told("3").args("POST /x -d @-").input(input).run().await;
        let said = format!("standard input can't be sent: it was said to have 3 bytes, and has {how}");
        ended.assert_status(1).assert_says(&said);
    }
    let whole = |request: &String| request.split("\r\n\r\n").nth(1).is_some_and(|body| body.len() >= 3);
    assert!(!server.seen().iter().any(whole), "{:?}", server.seen());
    for length in ["0", "-1", "+3", "3, 3", "a", "99999999999999999999"] {
        let ended = told(length).args("POST /x -d @-").input("abc").run().await;
        ended.assert_status(2).assert_says("Content-Length is one number of bytes");
    }
    let ended = told("3").args("-H Content-Length:3 POST /x -d @-").input("abc").run().await;
    ended.assert_status(2).assert_says("Content-Length is one number of bytes");
}

/// In pieces that end where the told length does, and after a pause.
#[tokio::test]
async fn what_completes_a_body_waits_until_nothing_comes_after_it() {
    let server = Raw::start(&[EMPTY]).await;
    let started = || {
        let mut child = at(&server.origin).args("-H Content-Length:3 POST /x -d @-").start_with_open_input();
        let input = child.stdin.take().unwrap();
        (child, input)
    };
    let (child, mut input) = started();
    input.write_all(b"abc").await.unwrap();
    input.flush().await.unwrap();
    sleep(Duration::from_millis(300)).await;
    input.write_all(b"d").await.unwrap();
    drop(input);
    let output = soon(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (child, mut input) = started();
    input.write_all(b"ab").await.unwrap();
    input.flush().await.unwrap();
    sleep(Duration::from_millis(300)).await;
    input.write_all(b"c").await.unwrap();
    drop(input);
    let output = soon(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(server.seen().last().unwrap().ends_with("\r\n\r\nabc"), "{:?}", server.seen());
}

/// Its length is said to be 0 there.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_file_that_only_seems_to_be_empty_is_sent_whole() {
    let server = Raw::start(&[EMPTY]).await;
    at(&server.origin).args("POST /x -d @/proc/version").run().await.assert_status(0);
    let empty = Temporary::new("empty", "");
    let data = format!("@{}", empty.path().display());
    at(&server.origin).args("POST /x -d").arg(&data).run().await.assert_status(0);
    let [proc, empty] = &server.seen()[..] else { panic!("two requests") };
    let version = std::fs::read_to_string("/proc/version").unwrap();
    assert!(proc.contains("transfer-encoding: chunked\r\n"), "{proc}");
    // Its first byte is read before.
    let (first, rest) = version.split_at(1);
    assert!(proc.contains(&format!("\r\n\r\n1\r\n{first}\r\n")) && proc.contains(rest), "{proc}");
    assert!(empty.contains("content-length: 0\r\n"), "{empty}");
}

#[tokio::test]
async fn without_a_method_it_is_get_and_with_data_post() {
    let server = Raw::start(&[EMPTY]).await;
    for args in ["/x", "/x -d [1]", "-d [1] /x", "PUT /x -d [1]", "DELETE /x", "-X PATCH /x -d [1]"] {
        at(&server.origin).args(args).run().await.assert_status(0);
    }
    let seen = server.seen();
    let methods: Vec<_> = seen.iter().map(|request| request.split(" /x ").next().unwrap()).collect();
    assert_eq!(methods, ["GET", "POST", "POST", "PUT", "DELETE", "PATCH"]);
    let ended = at(&server.origin).args("GET").run().await;
    ended.assert_status(2).assert_says("PATH: write a path that begins with /");
    let ended = at(&server.origin).args("GET /x --request PUT").run().await;
    ended.assert_status(2).assert_says("cannot be used with");
}

#[tokio::test]
async fn headers_replace_the_default_ones_and_leave_them_out() {
    let server = Raw::start(&[EMPTY]).await;
    at(&server.origin).args("GET /x").run().await.assert_status(0);
    let headers = ["Accept: text/csv", "x-many: 1", "X-Many: 2", "User-Agent:"];
    let program = headers.iter().fold(at(&server.origin), |program, header| program.arg("-H").arg(header));
    program.args("GET /x").run().await.assert_status(0);
    let [plain, given] = &server.seen()[..] else { panic!("two requests") };
    for header in ["accept: application/json", "accept-encoding: identity", "user-agent: tower-reauth-call"] {
        assert!(plain.contains(&format!("{header}\r\n")), "{plain}");
    }
    assert!(plain.contains(&format!("authorization: Bearer {KEY}\r\n")));
    assert!(!plain.contains("content-type"), "{plain}");
    assert!(
        given.contains("accept: text/csv\r\n") && given.contains("x-many: 1\r\nx-many: 2\r\n"),
        "{given}"
    );
    assert!(!given.contains("user-agent") && !given.contains("application/json"), "{given}");
}

#[tokio::test]
async fn the_head_is_printed_if_asked_for() {
    let answer = "HTTP/1.1 404 Not Found\r\nX-A: 1\r\ncontent-length: 2\r\n\r\n{}";
    let server = Raw::start(&[answer]).await;
    let ended = at(&server.origin).args("-i GET /x").run().await;
    ended.assert_status(4);
    assert_eq!(ended.stdout, "HTTP/1.1 404 Not Found\r\nx-a: 1\r\ncontent-length: 2\r\n\r\n{}");
}

/// To the HTTP library that is an end.
#[tokio::test]
async fn an_answer_over_http_2_that_is_reset_without_an_error_is_not_taken_for_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let program = at(&origin).args("GET /x --http2-prior-knowledge");
    let answer = async {
        let mut vendor = frames::asked(&listener).await;
        let end_headers = 4;
        let half = [
            frames::frame(frames::HEADERS, end_headers, 1, &[0x88]),
            frames::frame(frames::DATA, 0, 1, b"half"),
            frames::frame(frames::RST_STREAM, 0, 1, &[0; 4]),
        ];
        vendor.write_all(&half.concat()).await.unwrap();
        vendor
    };
    let (ended, _vendor) = tokio::join!(program.run(), answer);
    ended
        .assert_status(6)
        .assert_says("reauth call: the answer broke off: the stream was reset before its end");
    assert_eq!(ended.stdout, "half");
}

#[tokio::test]
async fn the_head_has_the_servers_words_and_none_that_it_did_not_say() {
    for (said, printed) in [
        ("404 No such film", "404 No such film"),
        ("299 Miscellaneous", "299 Miscellaneous"),
        ("299 ", "299 "),
        ("299", "299 "),
        ("404 ", "404 "),
    ] {
        let server = Raw::start(&[&format!("HTTP/1.1 {said}\r\ncontent-length: 0\r\n\r\n")]).await;
        let ended = at(&server.origin).args("-i GET /x").run().await;
        assert_eq!(ended.stdout, format!("HTTP/1.1 {printed}\r\ncontent-length: 0\r\n\r\n"));
    }
}

#[tokio::test]
async fn an_answer_is_printed_while_it_comes_and_byte_for_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut child = at(&origin).args("GET /x").start();
    let (mut tcp, _) = soon(listener.accept()).await.unwrap();
    soon(read_message(&mut tcp)).await.unwrap();
    tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 512\r\n\r\n").await.unwrap();
    let mut stdout = child.stdout.take().unwrap();
    for _ in 0..2 {
        // All bytes, none of them text. The next piece is sent when this one has been printed.
        let piece: Vec<u8> = (0..=255).collect();
        tcp.write_all(&piece).await.unwrap();
        let mut printed = [0; 256];
        soon(stdout.read_exact(&mut printed)).await.unwrap();
        assert_eq!(printed[..], piece);
    }
    assert_eq!(soon(child.wait()).await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_reader_who_goes_away_ends_it_quietly() {
    let (fake, served, _) = api_video().await;
    let long = "x".repeat(4 * 1024 * 1024);
    fake.controls().fail(On::Api, Times::UntilCleared, Answer::new(StatusCode::NOT_FOUND).body(long));
    let mut child = api_video_at(&served).args("GET /x").start();
    drop(child.stdout.take());
    let output = soon(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_output_that_cannot_be_written_is_status_1() {
    let server = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"]).await;
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = at(&server.origin).args("GET /x").start_writing_to(Stdio::from(full));
    let output = soon(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("the output can't be written"));
}

#[tokio::test]
async fn an_answer_that_comes_before_all_is_sent_ends_it() {
    // Nobody closes standard input, and nothing more comes from it.
    let server = Raw::with(Manner::Hasty, &["HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"]).await;
    let mut child = at(&server.origin).args("POST /x -d @-").start_with_open_input();
    let input = child.stdin.take();
    let output = soon(child.wait_with_output()).await.unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert_eq!(output.stdout, b"no");
    drop(input);
}

#[tokio::test]
async fn an_answer_goes_to_a_file_which_stays_as_it_was_until_it_comes() {
    let server = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew"]).await;
    let file = Temporary::new("answer", "what was in it before");
    let to = |origin: &str| at(origin).args("GET /x --output").arg(file.path());
    // Nobody listens there.
    to("http://127.0.0.1:1").run().await.assert_status(6);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "what was in it before");
    let ended = to(&server.origin).run().await;
    ended.assert_status(0);
    assert_eq!((&*ended.stdout, &*std::fs::read_to_string(file.path()).unwrap()), ("", "new"));
    let ended = at(&server.origin).args("GET /x -o -").run().await;
    assert_eq!(ended.stdout, "new");
    at(&server.origin).args("GET /x -o /dev/null").run().await.assert_status(0);
    // Who can't keep the answer doesn't ask.
    let asked = server.seen().len();
    let ended = at(&server.origin).args("GET /x -o /not/there").run().await;
    ended.assert_status(1).assert_says("reauth call: /not/there can't be written: ");
    assert_eq!(server.seen().len(), asked);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_disk_that_is_full_is_an_error_wherever_the_answer_goes() {
    let server = Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew"]).await;
    let ended = at(&server.origin).args("GET /x -o /dev/full").run().await;
    ended.assert_status(1).assert_says("reauth call: /dev/full can't be written: No space left on device");
}
