//! What goes over the wire to a proxy: a relay before it, which keeps all that a client sends.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Wire {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    /// Relays to this port.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (own, shared) = (listener.local_addr().unwrap().port(), sent.clone());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let proxy = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_proxy, mut to_proxy)) =
                    (client.into_split(), proxy.into_split());
                let sent = shared.clone();
                tokio::spawn(async move {
                    let mut piece = vec![0; 4096];
                    while let Ok(read @ 1..) = from_client.read(&mut piece).await {
                        sent.lock().unwrap().extend_from_slice(&piece[..read]);
                        if to_proxy.write_all(&piece[..read]).await.is_err() {
                            return;
                        }
                    }
                });
                tokio::spawn(async move { tokio::io::copy(&mut from_proxy, &mut to_client).await });
            }
        });
        Self { port: own, sent }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// All that clients have sent, as text.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned()
    }

    pub(crate) fn has_seen(&self, text: &str) -> bool {
        self.sent.lock().unwrap().windows(text.len()).any(|part| part == text.as_bytes())
    }
}
