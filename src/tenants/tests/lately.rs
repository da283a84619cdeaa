//! What threads have at hand.

use std::{
    future::{pending, ready},
    hash::{Hash, Hasher},
    thread,
};

use futures_util::{FutureExt, future::join_all};
use http::HeaderValue;
use tokio::runtime::Builder;

use super::*;

/// Has its token at hand, which says whose it is.
struct Instantly<const LENGTH: usize>(u64);

impl<const LENGTH: usize> Credential for Instantly<LENGTH> {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        Ok(AccessToken::new(format!("{:0>LENGTH$}", self.0))?.with_lifetime(3600 * SECOND))
    }
}

/// Tenants of 30 KB, of whom there is room for some thirty, and how often each was built.
fn thirty() -> (Tenants<u64>, Arc<Mutex<HashMap<String, u32>>>) {
    let built = Arc::new(Mutex::new(HashMap::new()));
    let counts = built.clone();
    let make = move |id: u64| {
        count(&counts, &id.to_string());
        ready(Ok(Tenant::new(Instantly::<20>(id)).heap_bytes(30_000)))
    };
    (Tenants::builder(make).origin(origin()).bytes(1 << 20).build(), built)
}

fn origin() -> Origin {
    Origin::parse("https://api.test").unwrap()
}

/// Sends a request over a client that answers at once, and returns the token that it had.
async fn call<Id: TenantId>(tenants: &Tenants<Id>, id: Id) -> Result<String, AuthErrorKind> {
    let hear = Arc::new(Mutex::new(None::<HeaderValue>));
    let heard = hear.clone();
    let client = service_fn(move |request: Request<Full<Bytes>>| {
        *heard.lock().unwrap() = request.headers().get("authorization").cloned();
        ready(Ok::<_, BoxError>(Response::new(Full::<Bytes>::default())))
    });
    let request = Request::get("https://api.test/").extension(id).body(Full::default()).unwrap();
    let answer = AuthLayer::tenants(tenants.clone()).layer(client).oneshot(request).await;
    answer.map_err(|error| AuthError::find(&*error).unwrap().kind())?;
    let value = hear.lock().unwrap().take().unwrap();
    Ok(value.to_str().unwrap().trim_start_matches("Bearer ").trim_start_matches('0').to_owned())
}

fn is_at_hand<Id: TenantId>(tenants: &Tenants<Id>, id: &Id) -> bool {
    tenants.many.map.lately.find(id).is_ok()
}

/// Runs on a thread of its own, which has a table of its own.
fn on_another_thread(run: impl AsyncFnOnce() + Send) {
    let runtime = || Builder::new_current_thread().enable_time().build().unwrap();
    thread::scope(|scope| scope.spawn(move || runtime().block_on(run())).join().unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_is_called_again_and_again_is_at_hand_on_each_thread_that_does_so() {
    let (tenants, _) = thirty();
    for is_there in [false, true, true] {
        assert_eq!(call(&tenants, 7).await.unwrap(), "7");
        assert_eq!(is_at_hand(&tenants, &7), is_there);
    }
    on_another_thread(async || {
        assert!(!is_at_hand(&tenants, &7));
        assert_eq!(call(&tenants, 7).await.unwrap(), "7");
        assert!(is_at_hand(&tenants, &7));
    });
    let held = tenants.many.map.get(&7).unwrap();
    assert_eq!(held.tables().count_ones(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_at_hand_makes_room_and_is_at_nobodys_hand_then() {
    let (tenants, built) = thirty();
    for id in 1..=200 {
        for _ in 0..3 {
            assert_eq!(call(&tenants, id).await.unwrap(), id.to_string(), "nobody is refused");
        }
        assert!(tenants.census().bytes <= 1 << 20, "{:?}", tenants.census());
    }
    let at_hand: Vec<_> = (1..=200).filter(|id| is_at_hand(&tenants, id)).collect();
    let kept: Vec<_> = (1..=200).filter(|id| tenants.find(id).is_some()).collect();
    assert!((10..40).contains(&kept.len()), "{kept:?}");
    assert!(!at_hand.is_empty() && at_hand.iter().all(|id| kept.contains(id)), "{at_hand:?} {kept:?}");
    // Who was given up is built again, and works.
    let gone = (1..=200).find(|id| !kept.contains(id)).unwrap();
    assert_eq!(call(&tenants, gone).await.unwrap(), gone.to_string());
    assert_eq!(of(&built, &gone.to_string()), 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_in_flight_by_what_is_at_hand_keeps_its_place() {
    let (tenants, built) = thirty();
    for _ in 0..3 {
        call(&tenants, 7).await.unwrap();
    }
    let client = service_fn(|_: Request<Full<Bytes>>| pending::<Result<Response<Full<Bytes>>, BoxError>>());
    let request = Request::get("https://api.test/").extension(7u64).body(Full::default()).unwrap();
    let mut flying = Box::pin(AuthLayer::tenants(tenants.clone()).layer(client).oneshot(request));
    assert!(flying.as_mut().now_or_never().is_none());
    for id in 100..300 {
        call(&tenants, id).await.unwrap();
    }
    assert!(tenants.find(&7).is_some());
    assert!(!is_at_hand(&tenants, &7), "whether it is in use was asked, and that was found out without it");
    assert_eq!(of(&built, "7"), 1);
    drop(flying);
    for id in 300..600 {
        call(&tenants, id).await.unwrap();
    }
    assert!(tenants.find(&7).is_none(), "it has landed");
}

#[tokio::test(start_paused = true)]
async fn who_is_in_use_by_what_is_at_hand_is_kept_among_those_who_call_twice() {
    let (tenants, built) = thirty();
    for round in 0..200 {
        for _ in 0..16 {
            for id in [1, 2] {
                call(&tenants, id).await.unwrap();
            }
        }
        for _ in 0..2 {
            call(&tenants, 1000 + round).await.unwrap();
        }
    }
    assert_eq!([1, 2].map(|id| of(&built, &id.to_string())), [1; 2]);
}

#[tokio::test(start_paused = true)]
async fn who_is_removed_is_at_nobodys_hand_from_then_on() {
    let (tenants, built) = thirty();
    for _ in 0..3 {
        call(&tenants, 7).await.unwrap();
    }
    let held = tenants.many.map.get(&7).unwrap();
    on_another_thread(async || {
        call(&tenants, 7).await.unwrap();
        assert!(is_at_hand(&tenants, &7));
        // Which one thread does, counts for all, with the first poll.
        drop(Box::pin(tenants.remove(&7)).now_or_never());
        assert!(!is_at_hand(&tenants, &7));
    });
    assert!(!is_at_hand(&tenants, &7));
    // Somebody has found it in the map before.
    let stamp = crate::auth::Stamp::of(&held.tokens, &Placement::bearer());
    assert!(stamp.is_none(), "its token is gone");
    assert_eq!((held.tables(), held.is_in()), (0, false));
    for _ in 0..3 {
        assert_eq!(call(&tenants, 7).await.unwrap(), "7");
    }
    assert!(is_at_hand(&tenants, &7));
    assert_eq!((of(&built, "7"), held.tables()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn who_has_left_comes_to_nobodys_hand() {
    let (tenants, _) = thirty();
    for _ in 0..2 {
        call(&tenants, 7).await.unwrap();
    }
    let map = &tenants.many.map;
    let held = map.get(&7).unwrap();
    let stamp = || crate::auth::Stamp::of(&held.tokens, &Placement::bearer()).unwrap().0;
    map.lately.take(&held, stamp());
    assert!(is_at_hand(&tenants, &7));
    map.remove(&held);
    map.lately.take(&held, stamp());
    assert!(!is_at_hand(&tenants, &7));
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_another_one_is_not_sent_by_what_is_at_hand() {
    let world = World::default();
    let tenants = world.tenants(Grants::Reusable).build();
    for _ in 0..3 {
        assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK));
    }
    assert!(is_at_hand(&tenants, &"acme".to_owned()));
    tenants.find(&"acme".to_owned()).unwrap().invalidate();
    for _ in 0..4 {
        assert_eq!(world.call(&tenants, "acme").await, Ok(StatusCode::OK));
    }
    assert!(is_at_hand(&tenants, &"acme".to_owned()));
    assert_eq!(world.sent()[2..], ["acme-1", "acme-2", "acme-2", "acme-2", "acme-2"]);
    let stray = get("umbrella").extension("acme".to_owned());
    assert_eq!(world.send(&tenants, stray).await, Err(AuthErrorKind::OtherTenant));
}

/// An id that can't be told from others by its hash.
#[derive(Clone, PartialEq, Eq)]
struct Alike(u64);

impl Hash for Alike {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl TenantId for Alike {
    fn heap_bytes(&self) -> usize {
        0
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_have_one_seat_are_told_apart() {
    let make = |id: Alike| ready(Ok(Tenant::new(Instantly::<20>(id.0))));
    let tenants = Tenants::builder(make).origin(origin()).build();
    for _ in 0..100 {
        for id in 1..=5 {
            assert_eq!(call(&tenants, Alike(id)).await.unwrap(), id.to_string());
        }
    }
    let at_hand = (1..=5).filter(|id| is_at_hand(&tenants, &Alike(*id))).count();
    assert_eq!(at_hand, 2, "there are two seats for them");
}

#[tokio::test(start_paused = true)]
async fn a_table_takes_no_more_than_its_share() {
    const ROOM: u64 = 32 << 20;
    let make = |id: u64| ready(Ok(Tenant::new(Instantly::<1000>(id))));
    let tenants = Tenants::builder(make).origin(origin()).bytes(ROOM).build();
    let ids = || 0..1000;
    for _ in 0..4 {
        assert!(join_all(ids().map(|id| call(&tenants, id))).await.iter().all(Result::is_ok));
    }
    let (bytes, hands) = tenants.many.map.lately.here();
    assert!(bytes as u64 <= ROOM / 512, "{bytes}");
    // A token of 1,000 bytes and what is about it.
    assert!((40..64).contains(&hands) && bytes >= 1000 * hands, "{hands} {bytes}");
    assert_eq!(ids().filter(|id| is_at_hand(&tenants, id)).count(), hands);
    for id in ids() {
        assert_eq!(tenants.many.map.get(&id).unwrap().tables().count_ones() == 1, is_at_hand(&tenants, &id));
    }
}

#[tokio::test(start_paused = true)]
async fn where_there_is_little_room_nothing_is_at_hand() {
    let make = |id: u64| ready(Ok(Tenant::new(Instantly::<1000>(id))));
    let tenants = Tenants::builder(make).origin(origin()).bytes(200_000).build();
    for _ in 0..10 {
        assert_eq!(call(&tenants, 7).await.unwrap(), "7");
    }
    assert!(!is_at_hand(&tenants, &7));
}
