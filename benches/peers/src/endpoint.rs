//! A token endpoint on loopback, for peers that bring their own HTTP client.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::TOKEN;

pub(crate) struct Endpoint {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Endpoint {
    /// Starts one on the current runtime.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, calls) = (listener.local_addr()?, Arc::<AtomicUsize>::default());
        let counted = calls.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                counted.fetch_add(1, Relaxed);
                // A client that goes away early is no reason to stop.
                let _ = answer(tcp).await;
            }
        });
        Ok(Self { address, calls })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// How many tokens it has handed out.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }
}

/// One request to a connection: its head, its body by Content-Length, and a token for an hour.
async fn answer(mut tcp: TcpStream) -> io::Result<()> {
    let (mut read, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = tcp.read(&mut buffer).await?;
        read.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
        if count == 0 || text.split_once("\r\n\r\n").is_some_and(|(head, body)| body.len() >= length(head)) {
            break;
        }
    }
    let json = format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        json.len()
    );
    tcp.write_all(head.as_bytes()).await?;
    tcp.write_all(json.as_bytes()).await?;
    tcp.shutdown().await
}

fn length(head: &str) -> usize {
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
