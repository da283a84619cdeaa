//! A proxy of the test's own, which keeps what passes through it.

use super::*;

/// What a [`Proxy`] does when it is asked for a tunnel.
#[derive(Clone)]
pub(super) enum Manner {
    /// Opens one to the port that was asked for, on loopback, whatever the host is called.
    Tunnels,
    /// The same, if it is asked with these credentials, and answers 407 otherwise.
    TunnelsFor(&'static str),
    /// Sends this instead, and hangs up.
    Answers(&'static [u8]),
    /// Sends this, and nothing more.
    HangsAfter(&'static [u8]),
    HangsUp,
}

pub(super) struct Proxy {
    pub(super) port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    heads: Vec<String>,
    within: Vec<u8>,
}

impl Proxy {
    pub(super) async fn start(manner: Manner) -> Self {
        Self::over(manner, None).await
    }

    /// One that is spoken to over TLS.
    pub(super) async fn over(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = seen.clone();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (manner, tls, seen) = (manner.clone(), tls.clone(), shared.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(tcp, manner, seen).await,
                        // Who doesn't trust the certificate hangs up here.
                        Some(tls) => match tls.accept(tcp).await {
                            Ok(stream) => serve(stream, manner, seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, seen }
    }

    /// Its name in errors, and with a scheme before it, its URL.
    pub(super) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.name())
    }

    /// The heads of the requests to itself.
    pub(super) fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }

    /// Where the tunnels were to lead.
    pub(super) fn targets(&self) -> Vec<String> {
        let target = |head: String| head.strip_prefix("CONNECT ")?.split(' ').next().map(str::to_owned);
        self.heads().into_iter().filter_map(target).collect()
    }

    /// Whether clients have sent this through its tunnels in clear.
    pub(super) fn has_seen(&self, text: &str) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.within.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

async fn serve<S>(mut stream: S, manner: Manner, seen: Arc<Mutex<Seen>>) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    seen.lock().unwrap().heads.push(head.clone());
    let is_known =
        |credentials: &str| head.lines().any(|line| line == format!("proxy-authorization: {credentials}"));
    let answer = match manner {
        Manner::TunnelsFor(credentials) if !is_known(credentials) => {
            &b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n"[..]
        }
        Manner::Tunnels | Manner::TunnelsFor(_) => {
            let (_, port) = head.split_once(' ')?.1.split_once(' ')?.0.rsplit_once(':')?;
            let mut upstream = TcpStream::connect(("127.0.0.1", port.parse().ok()?)).await.ok()?;
            // The server may have said something already, which comes in the same piece.
            let mut first = vec![0; 1024];
            let early = tokio::time::timeout(Duration::from_millis(50), upstream.read(&mut first)).await;
            let mut answer = b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec();
            answer.extend_from_slice(&first[..early.map_or(0, |read| read.unwrap_or(0))]);
            stream.write_all(&answer).await.ok()?;
            let (mut from_client, mut to_client) = tokio::io::split(stream);
            let (mut from_server, mut to_server) = upstream.into_split();
            let upwards = async {
                let mut piece = vec![0; 4096];
                loop {
                    let read = from_client.read(&mut piece).await?;
                    if read == 0 {
                        return to_server.shutdown().await;
                    }
                    seen.lock().unwrap().within.extend_from_slice(&piece[..read]);
                    to_server.write_all(&piece[..read]).await?;
                }
            };
            let downwards = async {
                tokio::io::copy(&mut from_server, &mut to_client).await?;
                to_client.shutdown().await
            };
            let _ = tokio::join!(upwards, downwards);
            return Some(());
        }
        Manner::Answers(answer) => answer,
        Manner::HangsAfter(answer) => {
            stream.write_all(answer).await.ok()?;
            let _ = stream.read_to_end(&mut Vec::new()).await;
            return None;
        }
        Manner::HangsUp => return None,
    };
    stream.write_all(answer).await.ok()?;
    stream.shutdown().await.ok()
}
