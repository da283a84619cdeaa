//! What is waited for before a program ends that remembers its token.

use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::{sleep, timeout};
use tower_reauth::TokenCache;

use crate::message::{chain, tell};

/// How long, while a token is being acquired.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a store is waited for that doesn't work.
const PATIENCE: Duration = Duration::from_secs(1);

/// Waits until the token is saved that is being acquired, and says if it can't be.
pub(crate) async fn settle(program: &str, tokens: &TokenCache) {
    // What is under way is of use to nobody else.
    if !tokens.state().is_shared() {
        return;
    }
    let (settled, lost) = (Box::pin(timeout(LIMIT, tokens.settled())), Box::pin(until_lost(tokens)));
    let is_late = matches!(select(settled, lost).await, Either::Left((Err(_), _)));
    if let Some(error) = tokens.state().store_error() {
        tell(format_args!("reauth {program}: tokens aren't remembered: {}", chain(error)));
    } else if is_late {
        tell(format_args!("reauth {program}: the token that is being acquired won't be remembered"));
    }
}

async fn until_lost(tokens: &TokenCache) {
    while tokens.state().store_lost_since().is_none_or(|since| since.elapsed() < PATIENCE) {
        sleep(Duration::from_millis(50)).await;
    }
}
