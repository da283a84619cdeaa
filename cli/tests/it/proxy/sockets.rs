//! Unix sockets: who can connect, and what becomes of their files.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::*;
use crate::support::temporary::TemporaryDirectory;

/// A directory, and the path of a socket in it.
fn place(name: &str) -> (TemporaryDirectory, String) {
    let directory = TemporaryDirectory::new(name);
    std::fs::create_dir(directory.path()).unwrap();
    let path = directory.path().join("reauth.sock").display().to_string();
    (directory, path)
}

fn at(path: &str, server: &Raw) -> Program {
    with_key(Program::proxy_at(&format!("unix:{path}")), &server.origin)
}

async fn ask(path: &str, head: &str) -> String {
    let mut socket = UnixStream::connect(path).await.unwrap();
    let request = format!("GET /x HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(socket.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_socket_is_for_its_user_alone_and_any_host_but_for_no_page() {
    let server = Raw::start(&[EMPTY]).await;
    let (directory, path) = place("socket-own");
    let proxy = Proxy::start(at(&path, &server)).await;
    assert_eq!(proxy.address, path);
    let metadata = std::fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    for (head, expected) in [
        ("Host: localhost\r\n", 204),
        ("Host: api.example.com\r\n", 204),
        ("", 400),
        ("Host: a\r\nHost: a\r\n", 400),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", 403),
    ] {
        assert_eq!(status(&ask(&path, head).await), expected, "{head}");
    }
    assert!(server.seen()[0].contains("authorization: Bearer a-key"));
    proxy.stop().await;
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file is removed");
}

#[tokio::test]
async fn it_listens_at_several_addresses_at_once() {
    let server = Raw::start(&[EMPTY]).await;
    let (_directory, path) = place("socket-both");
    let program = before(&server.origin).arg("--listen").arg(format!("unix:{path}"));
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 204);
    until("the socket", || std::fs::symlink_metadata(&path).is_ok()).await;
    assert_eq!(status(&ask(&path, "Host: any\r\n").await), 204);
    // For a Unix socket the host may be any, and for the other one still only its own.
    let answer = raw(&proxy.address, "GET /x HTTP/1.1\r\nHost: any\r\n\r\n").await;
    assert_eq!(status(&answer), 403);
    proxy.stop().await;
}

#[tokio::test]
async fn what_a_killed_process_has_left_behind_is_replaced_and_nothing_else_is() {
    let server = Raw::start(&[EMPTY]).await;
    let (_directory, path) = place("socket-stale");
    let killed = Proxy::start(at(&path, &server)).await;
    let taken = at(&path, &server).run().await;
    taken.assert_status(1).assert_says("another process listens there");
    assert_eq!(status(&ask(&path, "Host: a\r\n").await), 204);
    killed.signal("KILL").await;
    killed.ended().await;
    assert!(std::fs::symlink_metadata(&path).is_ok(), "it had no time to remove it");
    let proxy = Proxy::start(at(&path, &server)).await;
    assert_eq!(status(&ask(&path, "Host: a\r\n").await), 204);
    // A file that another one has put there meanwhile isn't its to remove.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    proxy.stop().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    at(&path, &server).run().await.assert_status(1).assert_says("there is a file that is no socket");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn addresses_that_are_none_are_refused() {
    for (listen, says) in [
        ("unix:", "write the path of the socket after unix:"),
        ("localhost:80", "write IP:PORT, such as 127.0.0.1:8080"),
        ("0.0.0.0:0", "other machines could reach 0.0.0.0:0"),
    ] {
        let program = with_key(Program::proxy_at(listen), "http://127.0.0.1:9");
        program.run().await.assert_status(2).assert_says(says);
    }
    let (_directory, path) = place("socket-long");
    let long = format!("unix:{path}{}", "x".repeat(200));
    let program = with_key(Program::proxy_at(&long), "http://127.0.0.1:9");
    program.run().await.assert_status(1).assert_says(&format!("can't listen at {long}"));
}
