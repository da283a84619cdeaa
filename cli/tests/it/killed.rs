//! Proxies that are killed, with a store, refresh tokens that are good once, and requests all the time.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    authority::Manner, client::get, process::Proxy, remembering::World, temporary::TemporaryDirectory, until,
};

const KILLS: usize = 16;
const CALLERS: usize = 6;
// Long enough for a busy machine to save a token and use it.
const MANNER: Manner = Manner { lives: Duration::from_secs(1), way: Duration::from_millis(25) };

/// Has it called all the time, and kills it: at any moment, or while a token request is under way. Returns the statuses of what
/// was answered.
async fn call_and_kill(world: &World, proxy: Proxy, while_it_renews: bool) -> Vec<u16> {
    let answers = Arc::new(Mutex::new(Vec::new()));
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (client, url, answers) = (client.clone(), proxy.url("/x"), answers.clone());
        callers.spawn(async move {
            while let Ok(answer) = client.get(url.parse().unwrap()).await {
                answers.lock().unwrap().push(answer.status().as_u16());
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
    if while_it_renews {
        let before = world.authority.books().begun;
        until("a token request", || world.authority.books().begun > before).await;
        // It is under way for two ways, and then its answer is saved.
        sleep(random(MANNER.way * 3)).await;
    } else {
        sleep(random(MANNER.lives)).await;
    }
    proxy.signal("KILL").await;
    proxy.ended().await;
    callers.join_all().await;
    // What was sent arrives all the same, and is answered to nobody.
    sleep(MANNER.way * 2).await;
    std::mem::take(&mut answers.lock().unwrap())
}

fn random(below: Duration) -> Duration {
    let number = RandomState::new().build_hasher().finish() % u64::try_from(below.as_micros()).unwrap();
    Duration::from_micros(number)
}

#[tokio::test]
async fn with_a_key_as_well_no_kill_costs_a_login_or_a_request() {
    let directory = TemporaryDirectory::new("killed-key");
    let world = World::new("killed-key", MANNER, directory.path()).await;
    let mut doubts = 0;
    for kill in 0..KILLS {
        let proxy = world.proxy("key").await;
        assert_eq!(get(&proxy.url("/x")).await.status(), 200);
        let answers = call_and_kill(&world, proxy, kill % 2 == 0).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        doubts += usize::from(world.is_in_doubt());
    }
    let books = world.authority.books();
    assert_eq!(books.reused, 0, "a refresh token was sent twice");
    // Else it goes on with the refresh token that was saved.
    assert!((1..=1 + doubts).contains(&books.logins), "{} logins, {doubts} doubts", books.logins);
    // After each doubt comes a login, and no refresh.
    assert!(doubts > 0 && books.refreshes > 0 && books.begun > KILLS / 2, "{doubts} {}", books.refreshes);
    assert!(books.hits > KILLS * 2, "{}", books.hits);
}

#[tokio::test]
async fn a_login_outlives_each_kill_but_one_between_note_and_save_and_then_it_is_not_risked() {
    let directory = TemporaryDirectory::new("killed-login");
    let world = World::new("killed-login", MANNER, directory.path()).await;
    assert_eq!(world.log_in().await.0, Some(0));
    let mut doubts = 0;
    for kill in 0..KILLS {
        let proxy = world.proxy("me").await;
        assert_eq!(get(&proxy.url("/x")).await.status(), 200, "the login is lost");
        let answers = call_and_kill(&world, proxy, kill % 2 == 0).await;
        assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
        if world.is_in_doubt() {
            doubts += 1;
            sleep(MANNER.lives).await;
            let begun = world.authority.books().begun;
            let proxy = world.proxy("me").await;
            let answer = get(&proxy.url("/x")).await;
            assert_eq!(answer.status(), 503);
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            assert!(said.contains("may have sent the refresh token"), "{said}");
            assert_eq!(world.authority.books().begun, begun, "what may have been sent isn't sent for 15 s");
            proxy.signal("KILL").await;
            proxy.ended().await;
            // That is the end of the doubt, too.
            assert_eq!(world.log_in().await.0, Some(0));
        }
    }
    let books = world.authority.books();
    assert_eq!((books.reused, books.logins), (0, 1 + doubts));
    assert!(
        doubts > 0 && books.refreshes >= KILLS / 2 && books.hits > KILLS * 2,
        "{doubts} {}",
        books.refreshes
    );
}
