//! A scripted credential, and the tests that it is for, by what they are about.

mod failures;
mod flights;
mod grants;
mod patience;
mod runtimes;
mod standing;

use std::{
    future::pending,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    runtime::{self, Handle},
    sync::Notify,
    time::sleep,
};

use super::*;
use crate::token::{AccessToken, Acquire, Description, Grants, Renewal, TokenState};
use crate::{error::AcquireError, token::Credential};

const SECOND: Duration = Duration::from_secs(1);

/// What the token endpoint does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Answers after a second.
    Answer,
    /// Answers after half a second.
    AnswerSoon,
    Fail,
    FailBy(AcquireErrorKind),
    Reject,
    RefuseGrant,
    /// A new refresh token, and no access token.
    RotateOnly,
    Throttle,
    Hang,
    PanicAtOnce,
    PanicLater,
}

/// A credential that follows a script, then answers, and counts.
#[derive(Clone)]
struct Scripted(Arc<Stage>);

struct Stage {
    script: Mutex<Vec<Act>>,
    reasons: Mutex<Vec<Reason>>,
    /// Refresh tokens in the order in which they were shown to us.
    grants: Mutex<Vec<Option<String>>>,
    lifetime: Mutex<Option<Duration>>,
    calls: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
    revoked: AtomicUsize,
    renewal: Renewal,
    grant: Grants,
    called: Notify,
}

impl Scripted {
    fn new<const N: usize>(script: [Act; N]) -> Self {
        Self::renewing(Renewal::KeepsPrevious, script)
    }

    fn renewing<const N: usize>(renewal: Renewal, script: [Act; N]) -> Self {
        Self::with(renewal, Grants::default(), script)
    }

    fn with<const N: usize>(renewal: Renewal, grant: Grants, script: [Act; N]) -> Self {
        Self(Arc::new(Stage {
            script: Mutex::new(script.into_iter().rev().collect()),
            reasons: Mutex::default(),
            grants: Mutex::default(),
            lifetime: Mutex::default(),
            calls: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            revoked: AtomicUsize::new(0),
            renewal,
            grant,
            called: Notify::new(),
        }))
    }

    fn lasting(self, seconds: u64) -> Self {
        *self.0.lifetime.lock().expect("no panic") = Some(Duration::from_secs(seconds));
        self
    }

    fn cache(&self) -> TokenCache {
        TokenCache::new(self.clone())
    }

    fn calls(&self) -> usize {
        assert!(self.0.most_running.load(SeqCst) <= 1, "one acquisition at a time");
        self.0.calls.load(SeqCst)
    }

    fn reasons(&self) -> Vec<Reason> {
        self.0.reasons.lock().expect("no panic").clone()
    }

    fn running(&self) -> usize {
        self.0.running.load(SeqCst)
    }
}

/// Counts a call as running until it ends or is dropped.
struct Running<'a>(&'a Stage);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Credential for Scripted {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        let stage = self.0.clone();
        let act = stage.script.lock().expect("no panic").pop().unwrap_or(Act::Answer);
        let call = stage.calls.fetch_add(1, SeqCst) + 1;
        stage.reasons.lock().expect("no panic").push(request.reason());
        let grant = request.previous().and_then(AccessToken::refresh_token);
        let grant = grant.map(|grant| secrecy::ExposeSecret::expose_secret(grant).to_owned());
        stage.grants.lock().expect("no panic").push(grant);
        assert!(!matches!(act, Act::PanicAtOnce), "a bug before the first await");
        async move {
            stage.most_running.fetch_max(stage.running.fetch_add(1, SeqCst) + 1, SeqCst);
            let _running = Running(&stage);
            stage.called.notify_waiters();
            sleep(if matches!(act, Act::AnswerSoon) { SECOND / 2 } else { SECOND }).await;
            match act {
                Act::Answer | Act::AnswerSoon => {
                    let token = AccessToken::new(format!("token-{call}"))?
                        .with_refresh_token(format!("grant-{call}"));
                    let lifetime = *stage.lifetime.lock().expect("no panic");
                    Ok(match lifetime {
                        Some(lifetime) => token.with_lifetime(lifetime),
                        None => token,
                    })
                }
                Act::Fail => Err(AcquireError::transient("down")),
                Act::FailBy(kind) => Err(AcquireError::new(kind, "wrong")),
                Act::Reject => Err(AcquireError::rejected("wrong key")),
                Act::RefuseGrant => Err(AcquireError::grant_rejected("spent")),
                Act::RotateOnly => {
                    Err(AcquireError::transient("no token").with_refresh_token(format!("grant-{call}")))
                }
                Act::Throttle => Err(AcquireError::transient("busy").with_retry_after(20 * SECOND)),
                Act::Hang => pending().await,
                Act::PanicAtOnce | Act::PanicLater => panic!("a bug after the first await"),
            }
        }
    }

    async fn revoke(&self, _: &AccessToken) -> Result<(), AcquireError> {
        sleep(SECOND).await;
        self.0.revoked.fetch_add(1, SeqCst);
        Ok(())
    }

    fn describe(&self) -> Description {
        Description::new("scripted").renewal(self.0.renewal).grants(self.0.grant)
    }
}

async fn get(tokens: &TokenCache) -> Result<Lease, AuthError> {
    tokens.get(Duration::ZERO).await
}

fn text(lease: &Lease) -> &str {
    lease.token().expose_secret()
}
