//! What the tests run and talk to: the program as a process, servers and clients that speak byte for byte.

pub(crate) mod authority;
pub(crate) mod client;
#[cfg(target_os = "linux")]
pub(crate) mod disk;
pub(crate) mod frames;
pub(crate) mod process;
pub(crate) mod remembering;
pub(crate) mod server;
pub(crate) mod strict;
pub(crate) mod temporary;
pub(crate) mod waiting;

use std::time::Duration;

/// Longer than anything takes that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what} doesn't come about");
}
