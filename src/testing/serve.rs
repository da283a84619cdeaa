//! A fake on a loopback socket, for as long as somebody holds it.

use std::{
    error::Error,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tower_service::Service;

/// How long to wait after a connection couldn't be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

/// A fake vendor that listens on `127.0.0.1`, at a port of its own, with HTTP/1.1 and with HTTP/2 by prior knowledge.
///
/// Dropping it stops the server and ends its connections, with the next turn of the runtime;
/// [`stop`](Self::stop) waits for that.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::FakeApiVideo;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let api_video = FakeApiVideo::new("key");
/// let served = api_video.serve().await?;
/// assert_eq!(served.url("/videos"), format!("{}/videos", served.origin()));
/// served.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Served {
    address: SocketAddr,
    origin: String,
    connections: Arc<Connections>,
    stopping: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Served {
    /// The address that it listens at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The URL of `path_and_query`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.origin)
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.accepted.load(Ordering::Relaxed)
    }

    /// Connections open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.connections.open.load(Ordering::Relaxed)
    }

    /// Stops the server and waits until the port and all connections are closed.
    pub async fn stop(mut self) {
        self.stopping.send_replace(());
        // It only ends early if its runtime is shut down, and then everything is closed as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Serves `service` until the [`Served`] is dropped.
pub(super) async fn serve<S>(service: S) -> io::Result<Served>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let connections = Arc::new(Connections::default());
    let (stopping, stop) = watch::channel(());
    let task = tokio::spawn(accept(listener, service, Arc::clone(&connections), stop));
    Ok(Served { address, origin: format!("http://{address}"), connections, stopping, task })
}

/// Accepts connections until told to stop. Its connections live in its `JoinSet`, hence end with it.
async fn accept<S>(
    listener: TcpListener,
    service: S,
    connections: Arc<Connections>,
    mut stop: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
{
    let mut tasks = JoinSet::new();
    let mut stopped = pin!(stop.changed());
    loop {
        let accepted = match select(pin!(listener.accept()), stopped.as_mut()).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let open = Open::new(&connections);
                tasks.spawn(converse(stream, service.clone(), open));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    tasks.shutdown().await;
}

async fn converse<S>(stream: TcpStream, service: S, _open: Open)
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    S::Future: Send,
{
    // Without it small answers wait for the peer's delayed acknowledgement; failing that, they are only slow.
    let _ = stream.set_nodelay(true);
    // The streams of an HTTP/2 connection run as tasks of their own, which hyper ends with the connection.
    let server = auto::Builder::new(TokioExecutor::new());
    // Errors end the connection and are the peer's to notice, answers lost on request among them.
    let _ = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await;
}

#[derive(Default)]
struct Connections {
    accepted: AtomicUsize,
    open: AtomicUsize,
}

/// Counts a connection as open until it is dropped.
struct Open(Arc<Connections>);

impl Open {
    fn new(connections: &Arc<Connections>) -> Self {
        connections.accepted.fetch_add(1, Ordering::Relaxed);
        connections.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connections))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
