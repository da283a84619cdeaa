//! What threads do to one cache, and what must come of it in whatever order they do it.
//!
//! Besides what each scenario says of itself, the ledger holds for every operation of every one of them, and each
//! ends with a cache in which what is published is what the state says, and of which nothing is left once it is
//! dropped.

use std::{cell::RefCell, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, select},
};
use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
};
use tokio::{
    runtime::{Handle, Runtime},
    world::{self, advance},
};

use crate::{
    AuthError, AuthErrorKind, Lease, Reason, RefreshPolicy, Renewal, TokenCache, TokenState,
    ledger::{Forgotten, Ledger},
    server::{Answer, Server, take_a_while},
    shelves::Shelves,
    token::Entry,
};

const LIFETIME: Duration = Duration::from_secs(100);
/// From when on a token of that lifetime is stale, whatever the cache's place in the spread.
const STALE: Duration = Duration::from_secs(96);

/// Nothing is begun later than it could be, and nothing times out.
fn at_once() -> RefreshPolicy {
    let long = Duration::from_secs(3600);
    RefreshPolicy::default()
        .pause(Duration::ZERO, Duration::ZERO)
        .unlimited_budget()
        .attempt_timeout(long)
        .flight_deadline(long)
}

/// Callers who find the cache empty share one acquisition, also those on another runtime.
pub fn cold_start() {
    let (server, runtimes) = (Server::new(), [Runtime::driven(), Runtime::driven()]);
    let cache = server.meddled_cache(at_once());
    let callers = [0, 0, 1, 1].map(|runtime| {
        on(runtimes[runtime].handle(), &server, &cache, async |user| {
            assert_eq!(user.get().await.expect("a token").generation(), 1);
        })
    });
    join(callers);
    assert_eq!(server.ledger.calls(), 1);
    end(server, cache, runtimes);
}

/// Refused credentials are refused once, for everybody.
pub fn refusal() {
    let (server, runtime) = (Server::answering(Answer::Refusal), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            let error = user.get().await.expect_err("no token");
            assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
        })
    });
    join(callers);
    assert_eq!(server.ledger.calls(), 1);
    end(server, cache, [runtime]);
}

/// Another secret is tried once, as wrong as it is, and once more if somebody asks for that.
pub fn changed_secret() {
    let (server, runtime) = (Server::answering(Answer::Refusal), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    block_on(&runtime, cache.get(Duration::ZERO)).expect_err("no token");
    server.change_secret();
    let callers = [false, false, true].map(|invalidates| {
        on(runtime.handle(), &server, &cache, async move |user| {
            if invalidates {
                user.invalidate();
            }
            let error = user.get().await.expect_err("no token");
            assert_eq!(error.kind(), AuthErrorKind::CredentialsRejected);
        })
    });
    join(callers);
    end(server, cache, [runtime]);
}

/// Failures, panics among them, are for all who wait: nobody tries for himself after that.
pub fn failure() {
    let (answer, kind) = [
        (Answer::Outage, AuthErrorKind::Unavailable),
        (Answer::PanicAtOnce, AuthErrorKind::Panicked),
        (Answer::PanicLater, AuthErrorKind::Panicked),
    ][thread_rng().gen_range(0..3)];
    let (server, runtime) = (Server::answering(answer), Runtime::driven());
    let cache = server.meddled_cache(at_once().attempts(1).back_off(Duration::ZERO, Duration::ZERO));
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async move |user| {
            assert_eq!(user.get().await.expect_err("no token").kind(), kind);
        })
    });
    join(callers);
    assert!(server.ledger.calls() <= 3, "each begins one at most");
    end(server, cache, [runtime]);
}

/// A refresh token that comes without an access token is shown next, by whichever attempt that is.
pub fn rotation_alone() {
    let (server, runtime) =
        (Server::answering(Answer::Rotation).renewing(Renewal::KeepsPrevious, LIFETIME), Runtime::driven());
    let cache = server.meddled_cache(at_once().attempts(1).back_off(Duration::ZERO, Duration::ZERO));
    server.recover();
    block_on(&runtime, cache.get(Duration::ZERO)).expect("a token");
    server.relapse();
    advance(LIFETIME);
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            assert_eq!(user.get().await.expect_err("no token").kind(), AuthErrorKind::Unavailable);
        })
    });
    join(callers);
    server.recover();
    // Past the shortest pause there is.
    advance(Duration::from_secs(1));
    block_on(&runtime, cache.get(Duration::ZERO)).expect("a token");
    assert!((4..=8).contains(&server.ledger.calls()), "each flight asks twice");
    end(server, cache, [runtime]);
}

/// However late the rejections of one token come, they cost one acquisition, and everybody gets its token.
pub fn rejections_of_one_token() {
    let (server, runtime) = (Server::new(), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    let first = block_on(&runtime, cache.get(Duration::ZERO)).expect("a token");
    let callers = [(); 3].map(|()| {
        let first = first.generation();
        on(runtime.handle(), &server, &cache, async move |user| {
            take_a_while().await;
            user.reject(first);
            let second = user.replace(first).await.expect("another token");
            assert!(!second.is_rejected());
            assert_eq!(user.hot(), Some(second.generation()), "nothing is wrong with it");
        })
    });
    join(callers);
    assert_eq!(server.ledger.calls(), 2);
    end(server, cache, [runtime]);
}

/// A token that was accepted before it was rejected is replaced at once, though others accept it meanwhile.
pub fn acceptance_before_rejection() {
    let (server, runtime) = (Server::new(), Runtime::driven());
    let cache = server.meddled_cache(RefreshPolicy::default());
    // The second rejection in a row would pause.
    let second = block_on(&runtime, async {
        let first = cache.get(Duration::ZERO).await.expect("a token");
        cache.reject(&first).await.expect("another token").generation()
    });
    let callers = [false, true].map(|rejects| {
        on(runtime.handle(), &server, &cache, async move |user| {
            user.cache.mark_accepted(second);
            if rejects {
                user.reject(second);
                let third = user.replace(second).await.expect("no pause");
                assert!(!third.is_rejected());
            }
        })
    });
    join(callers);
    assert_eq!(server.ledger.calls(), 3);
    end(server, cache, [runtime]);
}

/// A stale token is renewed once, and nobody waits for it.
pub fn renewal_in_the_background() {
    let server = Server::new().renewing(Renewal::KeepsPrevious, LIFETIME);
    let runtime = Runtime::driven();
    let cache = server.meddled_cache(at_once());
    block_on(&runtime, cache.get(Duration::ZERO)).expect("a token");
    advance(STALE);
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            assert!(user.hot().is_some(), "it is still valid");
            take_a_while().await;
            assert!(user.hot().is_some(), "one of the two is valid");
        })
    });
    join(callers);
    runtime.join();
    // Whoever holds the lock sees to the renewal, but perhaps only looks at the state.
    assert!(server.ledger.calls() <= 2);
    end(server, cache, [runtime]);
}

/// If renewing kills the token, whoever comes while it is renewed waits.
pub fn renewal_that_kills() {
    let server = Server::new().renewing(Renewal::RevokesPrevious, LIFETIME);
    let runtime = Runtime::driven();
    let cache = server.meddled_cache(at_once());
    block_on(&runtime, cache.get(Duration::ZERO)).expect("a token");
    advance(STALE);
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            user.send().await.expect("a token");
            take_a_while().await;
            user.send().await.expect("a token");
        })
    });
    join(callers);
    assert!(server.ledger.calls() <= 2);
    end(server, cache, [runtime]);
}

/// If that renewal takes long, whoever has waited for a second goes on with the token, and so does everybody after that.
/// Who can't use it waits for the renewal.
pub fn renewal_that_hangs() {
    let server = Server::answering(Answer::Nothing).renewing(Renewal::RevokesPrevious, LIFETIME);
    let runtimes = [Runtime::driven(), Runtime::driven()];
    let year = Duration::from_secs(365 * 86_400);
    // The clock may go past any number of attempts while the flight's task does nothing.
    let policy = at_once().attempt_timeout(Duration::from_secs(10)).attempts(u32::MAX).flight_deadline(year);
    let cache = server.meddled_cache(policy);
    server.recover();
    block_on(&runtimes[0], cache.get(Duration::ZERO)).expect("a token");
    server.relapse();
    advance(STALE);
    cache_begins(&runtimes[0], &cache);
    let callers = [0, 0, 1].map(|runtime| {
        on(runtimes[runtime].handle(), &server, &cache, async |user| {
            assert_eq!(user.send().await.expect("the valid token"), 1);
            assert_eq!(user.hot(), Some(1), "nobody has to wait any more");
        })
    });
    let ledger = server.ledger.clone();
    let clock = thread::spawn(move || {
        ledger.outwait();
        advance(Duration::from_secs(1));
    });
    join(callers);
    join([clock]);
    assert!(server.ledger.calls() <= 2, "the flight is still the flight");
    assert!(cache.state().acquiring());

    server.recover();
    let done = Arc::new(AtomicUsize::new(0));
    let callers = [0, 1].map(|runtime| {
        let done = done.clone();
        on(runtimes[runtime].handle(), &server, &cache, async move |user| {
            user.reject(1);
            user.replace(1).await.expect("the renewal's, or a later one");
            done.fetch_add(1, SeqCst);
        })
    });
    while done.load(SeqCst) < callers.len() {
        advance(Duration::from_secs(5));
    }
    join(callers);
    end(server, cache, runtimes);
}

/// Invalidating and revoking in the middle of everything: afterwards no token from before is used.
pub fn forgetting() {
    let (server, runtime) = (Server::new(), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    let callers = [0, 1, 2].map(|number| {
        on(runtime.handle(), &server, &cache, async move |user| {
            user.send().await.expect("a token");
            match number {
                0 => user.invalidate(),
                1 => user.revoke().await.expect("the server lets us"),
                _ => {}
            }
            user.peek();
            user.send().await.expect("a token");
        })
    });
    join(callers);
    assert!(server.ledger.calls() <= 3);
    assert!(server.ledger.revocations() <= 1);
    end(server, cache, [runtime]);
}

/// Everything at once.
pub fn everything() {
    let renewal = [Renewal::KeepsPrevious, Renewal::RevokesPrevious][thread_rng().gen_range(0..2)];
    let (server, runtime) = (Server::new().renewing(renewal, LIFETIME), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    let callers = [(); 3].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            // What it was handed out, rejected or not.
            let mut seen = 0;
            for _ in 0..4 {
                let got = match thread_rng().gen_range(0..12) {
                    0 | 1 => user.send().await,
                    2 => user.get().await.map(|lease| lease.generation()),
                    3 | 4 if seen > 0 => {
                        user.reject(seen);
                        user.replace(seen).await.map(|lease| lease.generation())
                    }
                    5 if seen > 0 => {
                        user.reject(seen);
                        let _ = user.cache.begin_to_replace(seen);
                        continue;
                    }
                    6 if seen > 0 => {
                        user.cache.mark_accepted(seen);
                        continue;
                    }
                    7 => {
                        user.invalidate();
                        continue;
                    }
                    8 => {
                        // A flight that takes over may hold it up, but nobody answers no.
                        user.revoke().await.expect("the server lets us");
                        continue;
                    }
                    9 => {
                        // Its caller loses patience.
                        let (wait, patience) = (pin!(user.get()), pin!(take_a_while()));
                        match select(wait, patience).await {
                            Either::Left((result, _)) => result.map(|lease| lease.generation()),
                            Either::Right(_) => continue,
                        }
                    }
                    10 => {
                        advance(STALE);
                        continue;
                    }
                    _ => {
                        user.peek();
                        continue;
                    }
                };
                match got {
                    Ok(generation) => seen = generation,
                    // So many flights were superseded while it waited.
                    Err(error) => assert_eq!(error.kind(), AuthErrorKind::Lost, "{error:?}"),
                }
            }
        })
    });
    join(callers);
    end(server, cache, [runtime]);
}

/// A runtime goes away with the flight that is on it: those who wait on another one go on there.
pub fn runtime_gone() {
    let (server, going, staying) = (Server::new(), Runtime::driven(), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    cache_begins(&going, &cache);
    let callers = [(); 2].map(|()| {
        on(staying.handle(), &server, &cache, async |user| {
            user.get().await.expect("a token");
        })
    });
    let gone = goes(going, &server);
    join(callers);
    join([gone]);
    end(server, cache, [staying]);
}

/// A runtime goes away while one of its own threads waits. The flights that this one then begins there are lost at
/// once; whoever follows all of them is told so.
pub fn runtime_gone_with_a_caller() {
    let (server, going, staying) = (Server::new(), Runtime::driven(), Runtime::driven());
    let cache = server.meddled_cache(at_once());
    let callers = [&going, &staying, &staying].map(|runtime| {
        on(runtime.handle(), &server, &cache, async |user| {
            if let Err(error) = user.get().await {
                assert_eq!(error.kind(), AuthErrorKind::Lost);
            }
        })
    });
    let gone = goes(going, &server);
    join(callers);
    join([gone]);
    end(server, cache, [staying]);
}

/// A runtime takes the flight on and leaves it alone: once it is overdue, those who wait begin another one.
pub fn runtime_idle() {
    let (server, idle, driven) = (Server::new(), Runtime::idle(), Runtime::driven());
    let cache = server.meddled_cache(RefreshPolicy::default());
    cache_begins(&idle, &cache);
    let callers = [(); 2].map(|()| {
        on(driven.handle(), &server, &cache, async |user| {
            user.get().await.expect("a token");
        })
    });
    let ledger = server.ledger.clone();
    let clock = thread::spawn(move || {
        let overdue = ledger.begin_retirement();
        advance(Duration::from_secs(31));
        // It is over when those who wait have acted, so never as far as we know.
        drop(overdue);
    });
    join(callers);
    join([clock]);
    // It comes back, and finds that it is no longer wanted.
    idle.drive();
    idle.join();
    assert_eq!(server.ledger.calls(), 1);
    end(server, cache, [idle, driven]);
}

/// As [`runtime_idle`], but the runtime comes back at any moment.
pub fn runtime_back() {
    let (server, idle, driven) = (Server::new(), Runtime::idle(), Runtime::driven());
    let cache = server.meddled_cache(RefreshPolicy::default());
    cache_begins(&idle, &cache);
    let callers = [(); 2].map(|()| {
        on(driven.handle(), &server, &cache, async |user| {
            // The first flight's time may be up just when it begins to move.
            if let Err(error) = user.get().await {
                assert_eq!(error.kind(), AuthErrorKind::TimedOut);
            }
        })
    });
    let ledger = server.ledger.clone();
    let clock = thread::spawn(move || {
        drop(ledger.begin_retirement());
        advance(Duration::from_secs(31));
    });
    let back = thread::spawn(move || {
        idle.drive();
        idle
    });
    join(callers);
    join([clock]);
    let idle = back.join().expect("nothing fails there");
    assert!(server.ledger.calls() <= 2);
    end(server, cache, [idle, driven]);
}

/// The token endpoint never answers: everybody is told when the time is up.
pub fn no_answer() {
    let (server, runtime) = (Server::answering(Answer::Nothing), Runtime::driven());
    let cache = server.meddled_cache(RefreshPolicy::default().attempts(1));
    // The clock may go past a flight while its task does nothing, and then those who wait supersede it.
    let _overdue = server.ledger.begin_retirement();
    let answered = Arc::new(AtomicUsize::new(0));
    let callers = [(); 3].map(|()| {
        let answered = answered.clone();
        on(runtime.handle(), &server, &cache, async move |user| {
            let error = user.get().await.expect_err("no token");
            // Lost, if the clock went past several flights while this thread did nothing.
            assert!(matches!(error.kind(), AuthErrorKind::TimedOut | AuthErrorKind::Lost));
            answered.fetch_add(1, SeqCst);
        })
    });
    while answered.load(SeqCst) < callers.len() {
        advance(Duration::from_secs(5));
    }
    join(callers);
    // The last flight may have nobody left to wait for it.
    advance(Duration::from_secs(60));
    end(server, cache, [runtime]);
}

/// Callers lose patience and drop what they have of the cache, and the flight ends by itself.
pub fn everything_dropped() {
    let (server, runtime) = (Server::new(), Runtime::driven());
    let cache = TokenCache::with_policy(server.credential(), at_once());
    let callers = [(); 2].map(|()| {
        on(runtime.handle(), &server, &cache, async |user| {
            let (wait, patience) = (pin!(user.get()), pin!(take_a_while()));
            let _ = select(wait, patience).await;
        })
    });
    drop(cache);
    join(callers);
    if thread_rng().r#gen() {
        runtime.join();
    } else {
        drop(runtime);
    }
    assert!(server.ledger.calls() <= 1);
    assert!(server.is_freed(), "something is left of the cache");
}

/// Two processes that share a store start at once: one of them asks, and the other one gets what that brings.
pub fn shared_cold_start() {
    let (server, store) = (Server::new(), Shelves::new());
    let runtimes = [Runtime::driven(), Runtime::driven()];
    let caches = [0, 1].map(|_| server.shared_cache(&store, at_once()));
    let (ledger, done) = (&server.ledger, Arc::new(AtomicUsize::new(0)));
    let callers = [0, 0, 1].map(|process| {
        of_a_fleet(&runtimes[process], &server, &caches[process], &done, async |user| {
            let lease = user.cache.get(Duration::ZERO).await.expect("a token");
            assert_eq!(lease.token().expose_secret(), "1");
        })
    });
    let calls = pass_time(&server, &store, &done, callers.len());
    join(callers);
    assert!(ledger.calls() == 1 || calls == Claims::MayHaveEnded);
    end_fleet(server, caches, runtimes);
}

/// A process takes another one's token, beside a late rejection of the one before it, and beside somebody who invalidates.
pub fn adoption() {
    let (server, store) = (Server::new(), Shelves::new());
    let runtimes = [Runtime::driven(), Runtime::driven()];
    let caches = [0, 1].map(|_| server.shared_cache(&store, at_once()));
    let done = Arc::new(AtomicUsize::new(0));
    let first = caches.each_ref().map(|cache| {
        block_on(&runtimes[0], cache.get(Duration::ZERO)).expect("a token, without another call").generation()
    });
    block_on(&runtimes[1], async {
        caches[1].mark_rejected(first[1], Reason::Expired);
        let second = caches[1].replace(first[1]).await.expect("another token");
        assert_eq!(second.token().expose_secret(), "2");
    });
    let callers = [0, 1, 2].map(|number| {
        let first = first[0];
        of_a_fleet(&runtimes[0], &server, &caches[0], &done, async move |user| match number {
            0 => {
                user.cache.mark_rejected(first, Reason::Expired);
                let other = user.cache.replace(first).await.expect("another token");
                assert!(other.generation() > first && !other.is_rejected());
                user.ledger.got_anywhere(&other);
            }
            1 => {
                take_a_while().await;
                user.cache.mark_rejected(first, Reason::Expired);
            }
            _ => {
                take_a_while().await;
                user.invalidate_here();
                let other = user.cache.get(Duration::ZERO).await.expect("another token");
                assert!(other.generation() > first && !other.is_rejected());
                user.ledger.got_anywhere(&other);
            }
        })
    });
    let claims = pass_time(&server, &store, &done, callers.len());
    join(callers);
    let calls = server.ledger.calls();
    assert!(calls <= 3 || claims == Claims::MayHaveEnded, "one at most, for who has invalidated: {calls}");
    end_fleet(server, caches, runtimes);
}

/// A flight that has sent a refresh token is superseded. Whatever comes next, in this process or in another one, sends no
/// refresh token a second time.
pub fn superseded_after_sending() {
    let server = Server::new().renewing(Renewal::KeepsPrevious, LIFETIME).rotating();
    let (store, runtimes) = (Shelves::new(), [Runtime::driven(), Runtime::driven()]);
    let caches = [0, 1].map(|_| server.shared_cache(&store, at_once()));
    let done = Arc::new(AtomicUsize::new(0));
    for cache in &caches {
        block_on(&runtimes[0], cache.get(Duration::ZERO)).expect("a token");
    }
    advance(LIFETIME);
    let callers = [(0, false), (0, true), (1, false)].map(|(process, invalidates)| {
        of_a_fleet(&runtimes[process], &server, &caches[process], &done, async move |user| {
            if invalidates {
                take_a_while().await;
                user.invalidate_here();
            }
            let lease = user.cache.get(Duration::ZERO).await.expect("a token");
            assert_ne!(lease.token().expose_secret(), "1", "it has expired");
            user.ledger.got_anywhere(&lease);
        })
    });
    pass_time(&server, &store, &done, callers.len());
    join(callers);
    // Who is superseded before it sends may leave the other grant to those who come next.
    assert!(server.ledger.calls() >= 2);
    end_fleet(server, caches, runtimes);
}

/// Whether claims may have ended because the clock went too far while their holders did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claims {
    WereKept,
    MayHaveEnded,
}

/// Moves the clock until so many threads are done: those who wait for a claim look again after a while. Nobody who waits
/// for an answer is kept from it by that.
fn pass_time(server: &Server, store: &Shelves, done: &AtomicUsize, threads: usize) -> Claims {
    const STEP: Duration = Duration::from_millis(25);
    let (mut passed, mut overdue) = (Duration::ZERO, None);
    while done.load(SeqCst) < threads {
        if store.is_busy() || server.ledger.is_busy() {
            thread::yield_now();
            continue;
        }
        advance(STEP);
        passed += STEP;
        if passed > Duration::from_secs(4) && overdue.is_none() {
            // Whoever has a claim by now may lose it.
            overdue = Some(server.ledger.begin_retirement());
        }
    }
    if overdue.is_some() { Claims::MayHaveEnded } else { Claims::WereKept }
}

/// A thread of a process that shares its token with another one.
fn of_a_fleet<F>(
    runtime: &Runtime,
    server: &Server,
    cache: &TokenCache,
    done: &Arc<AtomicUsize>,
    work: F,
) -> thread::JoinHandle<()>
where
    F: AsyncFnOnce(User) + Send + 'static,
{
    let done = done.clone();
    on(runtime.handle(), server, cache, async move |user| {
        work(user).await;
        done.fetch_add(1, SeqCst);
    })
}

/// The end of a scenario with several processes: nothing is left of them when they are gone.
fn end_fleet(server: Server, caches: [TokenCache; 2], runtimes: [Runtime; 2]) {
    drop(caches);
    let is_over = Arc::new(AtomicUsize::new(0));
    let tells = is_over.clone();
    let gone = thread::spawn(move || {
        runtimes.iter().for_each(Runtime::join);
        tells.store(1, SeqCst);
    });
    // Some look each second whether they are still needed, and several may have passed before one of them gets to do so.
    for _ in 0..60 {
        if is_over.load(SeqCst) == 1 {
            break;
        }
        advance(Duration::from_secs(1));
    }
    gone.join().expect("nothing fails there");
    world::reset();
    server.ledger.calls();
}

/// One of the threads' way to use the cache: every operation goes through the ledger.
struct User {
    cache: TokenCache,
    ledger: Ledger,
    /// The token that this thread used last, as the layer holds on to its header value.
    last: RefCell<Option<Arc<Entry>>>,
}

impl User {
    /// As the layer gets its token. Returns the generation.
    async fn send(&self) -> Result<u64, AuthError> {
        if let Some(generation) = self.hot() {
            return Ok(generation);
        }
        let known = self.ledger.known();
        let lease = self.cache.usable().await?;
        self.ledger.got(&known, &lease);
        Ok(lease.generation())
    }

    fn hot(&self) -> Option<u64> {
        let known = self.ledger.known();
        let last = self.last.take().filter(|last| self.cache.is_newest(last) && self.cache.uses(last));
        let entry = last.or_else(|| self.cache.usable_now())?;
        self.ledger.used_as_good(&known, entry.generation, entry.token.expose_secret());
        let generation = entry.generation;
        self.last.replace(Some(entry));
        Some(generation)
    }

    fn peek(&self) {
        let known = self.ledger.known();
        if let Some(lease) = self.cache.try_get() {
            self.ledger.got(&known, &lease);
        }
    }

    async fn get(&self) -> Result<Lease, AuthError> {
        let known = self.ledger.known();
        let lease = self.cache.get(Duration::ZERO).await?;
        self.ledger.got(&known, &lease);
        Ok(lease)
    }

    fn reject(&self, generation: u64) {
        self.cache.mark_rejected(generation, Reason::Rejected);
        self.ledger.rejected(generation);
    }

    async fn replace(&self, generation: u64) -> Result<Lease, AuthError> {
        let known = self.ledger.known();
        let lease = self.cache.replace(generation).await?;
        assert!(lease.generation() > generation, "it is another token");
        self.ledger.got(&known, &lease);
        Ok(lease)
    }

    fn invalidate(&self) {
        let retirement = self.ledger.begin_retirement();
        self.cache.invalidate();
        retirement.over(Forgotten::Token);
    }

    /// As [`invalidate`](Self::invalidate), where another process may have got a newer token before.
    fn invalidate_here(&self) {
        let retirement = self.ledger.begin_retirement();
        self.cache.invalidate();
        retirement.over(Forgotten::Nothing);
    }

    async fn revoke(&self) -> Result<(), AuthError> {
        let retirement = self.ledger.begin_retirement();
        let result = self.cache.revoke().await;
        retirement.over(Forgotten::Token);
        result
    }
}

/// A thread that uses `cache` on `runtime`.
fn on<F>(runtime: &Handle, server: &Server, cache: &TokenCache, work: F) -> thread::JoinHandle<()>
where
    F: AsyncFnOnce(User) + Send + 'static,
{
    let user = User { cache: cache.clone(), ledger: server.ledger.clone(), last: RefCell::default() };
    let runtime = runtime.clone();
    thread::spawn(move || runtime.block_on(work(user)))
}

fn block_on<F: Future>(runtime: &Runtime, future: F) -> F::Output {
    runtime.handle().block_on(future)
}

/// Begins a flight on `runtime` that nobody there waits for.
fn cache_begins(runtime: &Runtime, cache: &TokenCache) {
    block_on(runtime, async {
        // Where the flight's task runs at once, there may be a token already.
        drop(cache.get(Duration::ZERO).now_or_never());
    });
}

/// A thread in which `runtime` goes away.
fn goes(runtime: Runtime, server: &Server) -> thread::JoinHandle<()> {
    let ledger = server.ledger.clone();
    thread::spawn(move || {
        let retirement = ledger.begin_retirement();
        drop(runtime);
        retirement.over(Forgotten::Nothing);
    })
}

fn join<const N: usize>(threads: [thread::JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().expect("a thread's failure is the scenario's");
    }
}

/// The end of a scenario whose threads are gone: the cache is in order, and works, and then there is nothing of it.
fn end<const N: usize>(server: Server, cache: TokenCache, runtimes: [Runtime; N]) {
    runtimes.iter().for_each(Runtime::join);
    let (state, published) = (cache.state(), cache.try_get());
    assert!(!state.acquiring(), "nothing moves any more");
    match state.token() {
        TokenState::Fresh | TokenState::Stale => {
            let published = published.expect("a valid token is published");
            assert_eq!(Some(published.generation()), state.generation());
        }
        other => assert!(published.is_none(), "{published:?} is published, and the token is {other:?}"),
    }
    server.recover();
    let user = User { cache, ledger: server.ledger.clone(), last: RefCell::default() };
    let last = runtimes.last().expect("a runtime is left");
    block_on(last, async {
        user.invalidate();
        user.get().await.expect("whatever was, the cache works");
    });
    drop(user);
    drop(runtimes);
    world::reset();
    assert!(server.is_freed(), "something is left of the cache");
    // Says what it would have said to a panic that was caught.
    server.ledger.calls();
}
