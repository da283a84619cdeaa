//! Tokens that outlive the program.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use http::StatusCode;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tower_reauth::testing::{FakeApiVideo, On, Revoked, Served, Times};

use crate::support::{
    client::get,
    process::{Ended, Program, Proxy, assert_none_shown},
    temporary::TemporaryDirectory,
    until,
};

const KEY: &str = "a-key-that-nobody-may-see";
const STORE_KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";
const OTHER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// api.video's fake, and what programs remember of it.
struct World {
    fake: FakeApiVideo,
    served: Served,
    directory: TemporaryDirectory,
}

impl World {
    async fn new(name: &str) -> Self {
        let fake = FakeApiVideo::new(KEY);
        let served = fake.serve().await.unwrap();
        Self { fake, served, directory: TemporaryDirectory::new(name) }
    }

    /// With a store of its own, and whatever is said of that beside its place.
    fn with(&self, program: Program, store: &str) -> Program {
        let program = program.args("--vendor api-video --key env:KEY --base-url").arg(self.served.origin());
        let program =
            program.secret("KEY", KEY).secret("STORE_KEY", STORE_KEY).secret("OTHER_KEY", OTHER_KEY);
        program.arg("--store").arg(self.directory.reference()).args(store)
    }

    async fn call_with(&self, store: &str) -> Ended {
        self.with(Program::call(), store).args("GET /videos").run().await
    }

    async fn call(&self) -> Ended {
        let ended = self.call_with("--subject us --store-key env:STORE_KEY").await;
        ended.assert_status(0);
        assert_eq!(ended.stderr, "");
        ended
    }

    fn proxy(&self) -> Program {
        self.with(Program::proxy(), "--subject us --store-key env:STORE_KEY")
    }

    /// How often the key was exchanged, and refreshed.
    fn counts(&self) -> (usize, usize) {
        (self.fake.counts().acquires, self.fake.counts().refreshes)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.fake.assert_no_refusals();
        }
    }
}

#[tokio::test]
async fn calls_have_one_token_together() {
    let world = World::new("store-calls").await;
    for _ in 0..3 {
        world.call().await;
    }
    assert_eq!((world.counts(), world.fake.counts().api_accepted), ((1, 0), 3));
    let at_once = futures_util::future::join_all((0..8).map(|_| world.call())).await;
    assert_eq!(at_once.len(), 8);
    assert_eq!((world.counts(), world.fake.counts().api_accepted), ((1, 0), 11));
}

#[tokio::test]
async fn calls_that_begin_at_once_make_one_token_call() {
    let world = World::new("store-cold").await;
    world.fake.controls().delay(On::Acquire, Times::Next(1), Duration::from_millis(300));
    futures_util::future::join_all((0..8).map(|_| world.call())).await;
    assert_eq!((world.counts(), world.fake.counts().api_accepted), ((1, 0), 8));
}

#[tokio::test]
async fn a_rotated_refresh_token_is_there_for_the_next_call() {
    let world = World::new("store-rotated").await;
    world.call().await;
    for refreshes in 1..3 {
        // Whoever rejects one token after the other is held back for a second.
        tokio::time::sleep(Duration::from_millis(1200)).await;
        world.fake.controls().revoke(Revoked::Expired);
        for _ in 0..2 {
            world.call().await;
            assert_eq!(world.counts(), (1, refreshes));
        }
    }
}

/// Each call's token was accepted in the end, so that none of them is one of a row.
#[tokio::test]
async fn calls_whose_tokens_are_revoked_one_after_the_other_are_not_held_back() {
    let world = World::new("store-revoked").await;
    world.call().await;
    for refreshes in 1..6 {
        world.fake.controls().revoke(Revoked::Expired);
        world.call().await;
        assert_eq!(world.counts(), (1, refreshes));
    }
}

#[tokio::test]
async fn a_proxy_that_starts_again_has_its_token_and_calls_have_it_too() {
    let world = World::new("store-proxy").await;
    for _ in 0..2 {
        let proxy = Proxy::start(world.proxy()).await;
        assert_eq!(get(&proxy.url("/videos")).await.status(), StatusCode::OK);
        let health = get(&proxy.url("/.tower-reauth/health")).await;
        assert!(String::from_utf8_lossy(health.body()).contains(r#""store_error":null"#), "{health:?}");
        proxy.stop().await;
        world.call().await;
        assert_eq!(world.counts(), (1, 0));
    }
}

#[tokio::test]
async fn a_token_that_is_being_acquired_is_saved_before_the_program_ends() {
    let world = World::new("store-term").await;
    world.fake.controls().delay(On::Acquire, Times::Next(1), Duration::from_millis(700));
    let proxy = Proxy::start(world.proxy()).await;
    let mut tcp = TcpStream::connect(&proxy.address).await.unwrap();
    let request = format!("GET /videos HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    tcp.write_all(request.as_bytes()).await.unwrap();
    until("the token call", || world.counts() == (1, 0)).await;
    drop(tcp);
    proxy.stop().await;
    world.call().await;
    assert_eq!((world.counts(), world.fake.counts().api_calls), ((1, 0), 1));

    let world = World::new("store-timeout").await;
    world.fake.controls().delay(On::Acquire, Times::Next(1), Duration::from_millis(700));
    let ended = world.call_with("--subject us --store-key env:STORE_KEY --timeout 0.2").await;
    ended.assert_status(7);
    world.call().await;
    assert_eq!((world.counts(), world.fake.counts().api_calls), ((1, 0), 1));
}

#[tokio::test]
async fn tokens_that_are_kept_as_they_are_are_said_to_be_once() {
    let world = World::new("store-plain").await;
    world.call_with("--subject us").await.assert_status(0).assert_says("as they are, for whoever can read");
    let ended = world.call_with("--subject us").await;
    assert_eq!((ended.assert_status(0).stderr.as_str(), world.counts()), ("", (1, 0)));
    let token = world.fake.controls().tokens()[0].clone();
    let holds = |directory: &TemporaryDirectory| {
        let bytes = fs::read(directory.file(".record")).unwrap();
        bytes.windows(token.len()).any(|bytes| bytes == token.as_bytes())
    };
    assert!(holds(&world.directory));
    let sealed = World::new("store-sealed").await;
    sealed.call().await;
    assert!(!holds(&sealed.directory));
    for name in [".record", ".lock"] {
        let mode = fs::metadata(sealed.directory.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_makes_another_place_has_another_token() {
    let world = World::new("store-places").await;
    let sealed = "--store-key env:STORE_KEY --subject";
    for (number, store) in
        [format!("{sealed} us"), format!("{sealed} them"), format!("{sealed} us --slot other")]
            .iter()
            .enumerate()
    {
        for _ in 0..2 {
            world.call_with(store).await.assert_status(0);
            assert_eq!(world.counts(), (number + 1, 0));
        }
    }
}

#[tokio::test]
async fn a_key_is_changed_by_naming_the_old_one_too() {
    let world = World::new("store-keys").await;
    world.call().await;
    let new = "--subject us --store-key env:OTHER_KEY";
    let both = world.call_with(&format!("{new} --old-store-key env:STORE_KEY")).await;
    assert_eq!((both.assert_status(0).stderr.as_str(), world.counts()), ("", (1, 0)));
    // The record is sealed with the new key once there is a new token.
    world.fake.controls().revoke(Revoked::Expired);
    world.call_with(&format!("{new} --old-store-key env:STORE_KEY")).await.assert_status(0);
    world.call_with(new).await.assert_status(0);
    assert_eq!(world.counts(), (1, 1));
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_left_alone_and_the_call_is_made() {
    let world = World::new("store-unreadable").await;
    world.call().await;
    let record = world.directory.file(".record");
    let sealed = fs::read(&record).unwrap();
    for (store, bytes, says) in [
        ("--subject us --store-key env:OTHER_KEY", sealed.as_slice(), "key"),
        ("--subject us", sealed.as_slice(), "open it with the key"),
        ("--subject us --store-key env:STORE_KEY", b"nonsense", "record"),
    ] {
        fs::write(&record, bytes).unwrap();
        let before = world.counts().0;
        let ended = world.call_with(store).await;
        ended.assert_status(0).assert_says("reauth call: tokens aren't remembered: ").assert_says(says);
        assert_eq!(fs::read(&record).unwrap(), bytes, "{store}");
        assert_eq!(world.counts().0, before + 1);
    }
}

#[tokio::test]
async fn a_store_that_can_not_be_used_is_wrong_usage() {
    let world = World::new("store-wrong").await;
    let open = TemporaryDirectory::new("store-open");
    fs::create_dir(open.path()).unwrap();
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = world.directory.reference();
    let sealed = "--subject us --store-key env:STORE_KEY";
    for (store, says) in [
        (format!("--subject us --store {}", open.reference()), "is open to other users"),
        (format!("--store {file}"), "give the slot a subject; see --subject"),
        (format!("--store {file} --subject us --slot A/B"), "a slot's name is"),
        (format!("--store {file} --subject us --store-key env:KEY"), "32 bytes in base64"),
        (format!("--store {file} --subject us --old-store-key env:STORE_KEY"), "--store-key"),
        ("--store file:~/tokens --subject us".to_owned(), "put your home in the place of ~"),
        (format!("--store {sealed}"), "--store"),
        (format!("--store tokens {sealed}"), "write file:DIR"),
        (format!("--store redis://u:{KEY}@localhost {sealed}"), "put the URL into that variable"),
        (format!("--store sentinel:redis://m,redis://u:{KEY}@s1 {sealed}"), "put the URL into that variable"),
        (format!("--store cluster:redis://u:{KEY}@n1 {sealed}"), "put the URL into that variable"),
        (format!("--store sentinel:redis://m {sealed}"), "there is no sentinel to ask"),
        (format!("--store sentinel:redis://s1:26379,redis://m {sealed}"), "write redis://NAME"),
        (format!("--store sentinel:redis://m,s1:26379 {sealed}"), "redis:// or rediss://"),
        (format!("--store cluster: {sealed}"), "redis:// or rediss://"),
        (format!("--store redis-cluster://n1 {sealed}"), "cluster:redis://HOST,redis://HOST,"),
        (format!("--store env:NOT_SET {sealed}"), "the environment variable NOT_SET has no URL"),
        (format!("--store env:KEY {sealed}"), "redis:// or rediss://"),
        ("--store redis://localhost --subject us".to_owned(), "give --store-key"),
        ("--subject us".to_owned(), "--store"),
        ("--slot other".to_owned(), "--store"),
        ("--store-key env:STORE_KEY".to_owned(), "--store"),
    ] {
        let program =
            Program::call().args("--vendor api-video --key env:KEY --base-url").arg(world.served.origin());
        let program = program.secret("KEY", KEY).secret("STORE_KEY", STORE_KEY);
        let ended = program.args(&store).args("GET /videos").run().await;
        ended.assert_status(2).assert_says(says);
        assert_none_shown([KEY, STORE_KEY], &ended.stderr);
    }
    let fixed = Program::call().args("--vendor videsk --key env:KEY --subject us --store").arg(&file);
    let ended = fixed.secret("KEY", KEY).args("GET /x").run().await;
    ended.assert_status(2).assert_says("nothing to share");
    assert_eq!(world.fake.counts().token_calls(), 0);
}

#[tokio::test]
async fn a_store_that_is_not_there_is_said_and_the_call_is_made() {
    let world = World::new("store-absent").await;
    // Nobody listens at the port of a server that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let places = [
        format!("redis://{gone}"),
        format!("valkey://{gone}"),
        format!("sentinel:redis://mymaster,redis://{gone}"),
        format!("cluster:redis://{gone},redis://{gone}"),
    ];
    for (number, place) in (1..).zip(&places) {
        let program =
            Program::call().args("--vendor api-video --key env:KEY --base-url").arg(world.served.origin());
        let program = program.secret("KEY", KEY).secret("STORE_KEY", STORE_KEY).arg("--store").arg(place);
        let ended = program.args("--subject us --store-key env:STORE_KEY GET /videos").run().await;
        ended.assert_status(0).assert_says("reauth call: tokens aren't remembered: ");
        assert_eq!(world.counts(), (number, 0), "{place}");
    }
    // A variable has any of them, with passwords.
    let program =
        Program::call().args("--vendor api-video --key env:KEY --base-url").arg(world.served.origin());
    let program = program.secret("KEY", KEY).secret("STORE_KEY", STORE_KEY);
    let place = format!("sentinel:redis://u:p@mymaster,redis://u:p@{gone}");
    let program = program.secret("STORE_URL", &place).args("--store env:STORE_URL");
    let ended = program.args("--subject us --store-key env:STORE_KEY GET /videos").run().await;
    ended.assert_status(0).assert_says("no sentinel can be reached");
}
