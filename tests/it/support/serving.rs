//! [`Serving`]: what a test has made of axum, on a port of this machine.

use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

/// Stops when it is dropped.
pub(crate) struct Serving {
    pub(crate) origin: String,
    task: JoinHandle<()>,
}

impl Serving {
    pub(crate) async fn of(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { origin, task: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
