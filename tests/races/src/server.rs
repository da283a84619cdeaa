//! The credential of the scenarios: it takes as long as it likes, and writes down what it is asked.

use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use shuttle::rand::{Rng, thread_rng};

use crate::{
    AccessToken, Acquire, AcquireError, Credential, Description, Renewal, TokenCache, ledger::Ledger,
    shelves::Shelves,
};

/// A credential and what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    renewal: Renewal,
    lifetime: Option<Duration>,
    answer: Answer,
    /// Refresh tokens come with tokens, and each is good once.
    single_use: bool,
    /// The secret there is, and the one that was refused last.
    secrets: Arc<[AtomicU64; 2]>,
    recovered: Arc<AtomicBool>,
    freed: Arc<AtomicBool>,
}

/// How acquisitions end, until the server recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Token,
    /// The credentials are refused.
    Refusal,
    Outage,
    /// A refresh token comes, and no access token.
    Rotation,
    Nothing,
    PanicAtOnce,
    PanicLater,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::answering(Answer::Token)
    }

    pub(crate) fn answering(answer: Answer) -> Self {
        Self {
            ledger: Ledger::default(),
            renewal: Renewal::KeepsPrevious,
            lifetime: None,
            answer,
            single_use: false,
            secrets: Arc::new([const { AtomicU64::new(0) }, const { AtomicU64::new(u64::MAX) }]),
            recovered: Arc::default(),
            freed: Arc::default(),
        }
    }

    pub(crate) fn renewing(mut self, renewal: Renewal, lifetime: Duration) -> Self {
        (self.renewal, self.lifetime) = (renewal, Some(lifetime));
        self
    }

    /// From now on a refresh token comes with each token, which is good once.
    pub(crate) fn rotating(mut self) -> Self {
        self.single_use = true;
        self
    }

    /// A cache that shares its token by this store.
    pub(crate) fn shared_cache(&self, store: &Shelves, policy: crate::RefreshPolicy) -> TokenCache {
        let cache = TokenCache::with_policy(self.credential(), policy);
        cache.share(store.slot()).expect("it says whose it is");
        cache
    }

    /// The credential itself.
    pub(crate) fn credential(&self) -> impl Credential + use<> {
        Asked(self.clone())
    }

    /// A cache that foreign code looks into whenever it is called.
    pub(crate) fn meddled_cache(&self, policy: crate::RefreshPolicy) -> TokenCache {
        let cache = TokenCache::with_policy(self.credential(), policy);
        let seen = cache.clone();
        tokio::world::meddle_with(move || drop(seen.state()));
        cache
    }

    /// The program is given another secret, which is as wrong as the one before.
    pub(crate) fn change_secret(&self) {
        self.secrets[0].fetch_add(1, SeqCst);
    }

    /// From now on it brings tokens.
    pub(crate) fn recover(&self) {
        self.recovered.store(true, SeqCst);
    }

    /// From now on it doesn't.
    pub(crate) fn relapse(&self) {
        self.recovered.store(false, SeqCst);
    }

    /// Whether the credential is gone, and the cache with it.
    pub(crate) fn is_freed(&self) -> bool {
        self.freed.load(SeqCst)
    }
}

struct Asked(Server);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.freed.store(true, SeqCst);
    }
}

impl Credential for Asked {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        let Server { ledger, renewal, lifetime, answer, recovered, .. } = &self.0;
        let kills = request.previous().filter(|_| *renewal == Renewal::RevokesPrevious);
        let mut call = ledger.begin_call(kills.map(AccessToken::expose_secret));
        let answer = if recovered.load(SeqCst) { Answer::Token } else { *answer };
        if answer == Answer::PanicAtOnce {
            panic_quietly();
        }
        let [secret, refused] = &*self.0.secrets;
        let shown = secret.load(SeqCst);
        ledger.show(shown);
        let rotates = self.0.answer == Answer::Rotation;
        if rotates {
            let refresh_token = request.previous().and_then(AccessToken::refresh_token);
            ledger.show_refresh_token(refresh_token.map(ExposeSecret::expose_secret));
        }
        let single_use = self.0.single_use;
        if single_use && request.may_refresh() {
            let refresh_token = request.previous().and_then(AccessToken::refresh_token);
            call.spend(refresh_token.expect("one came with it").expose_secret());
        }
        async move {
            take_a_while().await;
            call.is_answered();
            match answer {
                Answer::Token => {
                    let mut token = AccessToken::new(call.number.to_string())?;
                    if single_use {
                        token = token.with_refresh_token(call.number.to_string());
                    }
                    if rotates {
                        token = token.with_refresh_token(call.bring_refresh_token());
                    }
                    Ok(match *lifetime {
                        Some(lifetime) => token.with_lifetime(lifetime),
                        None => token,
                    })
                }
                Answer::Refusal => {
                    refused.store(shown, SeqCst);
                    call.refuse(shown);
                    Err(AcquireError::rejected("wrong key"))
                }
                Answer::Outage => Err(AcquireError::transient("down")),
                Answer::Rotation => {
                    let refresh_token = call.bring_refresh_token();
                    Err(AcquireError::transient("no token").with_refresh_token(refresh_token))
                }
                Answer::Nothing => std::future::pending().await,
                Answer::PanicAtOnce | Answer::PanicLater => panic_quietly(),
            }
        }
    }

    async fn revoke(&self, _: &AccessToken) -> Result<(), AcquireError> {
        self.0.ledger.count_revocation();
        take_a_while().await;
        Ok(())
    }

    fn has_new_secret(&self) -> bool {
        let [secret, refused] = &*self.0.secrets;
        let new = secret.load(SeqCst) != refused.load(SeqCst);
        // It takes a while to look.
        shuttle::thread::yield_now();
        new
    }

    fn describe(&self) -> Description {
        Description::new("server").renewal(self.0.renewal)
    }
}

/// Waits for a few turns of the others.
pub(crate) async fn take_a_while() {
    for _ in 0..thread_rng().gen_range(0..3) {
        shuttle::future::yield_now().await;
    }
}

/// A panic that isn't taken for the scenario's.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("a bug in the credential"))
}
