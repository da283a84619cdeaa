//! A store on a disk that is full, for a while.
#![cfg(target_os = "linux")]

use std::time::Duration;

use crate::support::{
    authority::Manner,
    client::get,
    disk::Disk,
    process::{Ended, Proxy},
    remembering::World,
    temporary::TemporaryDirectory,
    until,
};

const LIVES: Duration = Duration::from_secs(3600);
const NONE: Duration = Duration::ZERO;
const SAYS: &str = "tokens aren't remembered: ";
const WHY: &str = "; make room on the disk: No space left on device";

async fn world(name: &str, disk: &Disk, lives: Duration, way: Duration) -> World {
    World::new(name, Manner { lives, way }, &disk.path.join("tokens")).await
}

#[track_caller]
fn assert_fine(ended: &Ended) {
    ended.assert_status(0);
    assert_eq!((&*ended.stdout, &*ended.stderr), ("fine", ""));
}

/// What health says of the store.
async fn store_error(proxy: &Proxy) -> Option<String> {
    let health = get(&proxy.url("/.tower-reauth/health")).await;
    assert_eq!(health.status(), 200, "{health:?}");
    let health: serde_json::Value = serde_json::from_slice(health.body()).unwrap();
    health["store_error"].as_str().map(str::to_owned)
}

/// Waits until health says this of the store, or nothing. A disk of a busy machine may also be said to be slow.
async fn until_said(proxy: &Proxy, words: Option<&str>) {
    let mut last = None;
    for _ in 0..400 {
        last = store_error(proxy).await;
        match (&last, words) {
            (Some(said), Some(words)) if said.contains(words) => return,
            (None, None) => return,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("it is {last:?}");
}

#[tokio::test]
async fn calls_and_tokens_are_had_and_it_is_said_that_they_are_not_remembered() {
    let Some(disk) = Disk::new("full-calls", 16).await else { return };
    let world = world("full-calls", &disk, LIVES, NONE).await;
    for fill in [Disk::fill, Disk::crowd] {
        std::fs::create_dir_all(disk.path.join("tokens")).unwrap();
        std::fs::set_permissions(
            disk.path.join("tokens"),
            std::os::unix::fs::PermissionsExt::from_mode(0o700),
        )
        .unwrap();
        fill(&disk);
        let before = world.authority.books().logins;
        for (args, prints) in [("call --as key GET /x", "fine"), ("token key", "access-")] {
            let ended = world.program(args).run().await;
            ended.assert_status(0).assert_says(SAYS).assert_says(WHY);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert!(ended.stdout.starts_with(prints), "{}", ended.stdout);
        }
        assert_eq!(world.authority.books().logins, before + 2);
        disk.free();
        for _ in 0..2 {
            assert_fine(&world.program("call --as key GET /x").run().await);
        }
        assert_eq!(world.authority.books().logins, before + 3);
        std::fs::remove_dir_all(disk.path.join("tokens")).unwrap();
    }
}

#[tokio::test]
async fn a_login_that_can_not_be_remembered_is_none_and_the_one_before_it_is_as_it_was() {
    let Some(disk) = Disk::new("full-login", 16).await else { return };
    let world = world("full-login", &disk, LIVES, NONE).await;
    for logins in [1, 3] {
        disk.fill();
        let (status, said) = world.log_in().await;
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("reauth login: the login can't be remembered: "), "{said}");
        assert!(said.contains(WHY) && !said.contains("you are logged in"), "{said}");
        if logins == 1 {
            let ended = world.program("call --as me GET /x").run().await;
            ended.assert_status(3).assert_says(WHY);
        } else {
            assert_fine(&world.program("call --as me GET /x").run().await);
        }
        disk.free();
        if logins == 1 {
            assert_eq!(world.log_in().await.0, Some(0));
        }
        assert_fine(&world.program("call --as me GET /x").run().await);
        assert_eq!(world.authority.books().logins, if logins == 1 { 2 } else { 3 });
    }
}

#[tokio::test]
async fn the_only_grant_is_not_sent_where_it_can_not_be_noted() {
    let Some(disk) = Disk::new("full-only", 16).await else { return };
    let lives = Duration::from_secs(1);
    let world = world("full-only", &disk, lives, NONE).await;
    assert_eq!(world.log_in().await.0, Some(0));
    disk.fill();
    tokio::time::sleep(lives).await;
    let proxy = world.proxy("me").await;
    let answer = get(&proxy.url("/x")).await;
    assert_eq!(answer.status(), 503);
    let said = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(said.contains(WHY), "{said}");
    for args in ["call --as me GET /x", "token me"] {
        world.program(args).run().await.assert_status(3).assert_says(WHY);
    }
    assert_eq!(world.authority.books().begun, 1);
    disk.free();
    let mut status = 0;
    for _ in 0..100 {
        status = get(&proxy.url("/x")).await.status().as_u16();
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200, "{}", proxy.log());
    proxy.stop().await;
    let books = world.authority.books();
    assert!(books.refreshes > 0 && books.reused == 0, "{} {}", books.refreshes, books.reused);
}

#[tokio::test]
async fn a_proxy_keeps_what_came_while_there_was_no_room_and_saves_it_when_there_is() {
    let Some(disk) = Disk::new("full-proxy", 16).await else { return };
    let lives = Duration::from_secs(2);
    let world = world("full-proxy", &disk, lives, Duration::from_millis(200)).await;
    assert_eq!(world.log_in().await.0, Some(0));
    tokio::time::sleep(lives).await;
    let proxy = world.proxy("me").await;
    let url = proxy.url("/x");
    let call = tokio::spawn(async move { get(&url).await.status().as_u16() });
    until("a token request", || world.authority.books().begun == 2).await;
    disk.fill();
    assert_eq!(call.await.unwrap(), 200);
    until_said(&proxy, Some(WHY)).await;
    assert!(world.is_in_doubt());
    disk.free();
    until_said(&proxy, None).await;
    assert!(!world.is_in_doubt());
    proxy.stop().await;
    // Whoever comes next renews it, with what was saved late.
    tokio::time::sleep(lives).await;
    assert_fine(&world.program("call --as me GET /x").run().await);
    let books = world.authority.books();
    assert_eq!((books.logins, books.reused), (1, 0));
    assert!(books.refreshes >= 2, "{}", books.refreshes);
}

#[tokio::test]
async fn a_proxy_that_ends_meanwhile_says_that_it_is_not_remembered() {
    let Some(disk) = Disk::new("full-end", 16).await else { return };
    let world = world("full-end", &disk, LIVES, NONE).await;
    disk.fill();
    let proxy = world.proxy("key").await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 200);
    until_said(&proxy, Some(WHY)).await;
    let log = proxy.stop().await;
    assert!(log.contains(SAYS) && log.contains(WHY), "{log}");
    disk.free();
    assert_fine(&world.program("call --as key GET /x").run().await);
    assert_eq!(world.authority.books().logins, 2);
}

/// Where files may have no more than a certain length, the system sends a signal that ends a program which doesn't know it.
#[tokio::test]
async fn where_files_may_not_be_long_enough_it_is_the_same() {
    let directory = TemporaryDirectory::new("full-limit");
    let world = World::new("full-limit", Manner { lives: LIVES, way: NONE }, directory.path()).await;
    for (args, prints) in [("call --as key GET /x", "fine"), ("token key", "access-")] {
        let ended = world.program(args).ulimit("-f 0").run().await;
        ended.assert_status(0).assert_says(SAYS).assert_says("; make room on the disk: File too large");
        assert!(ended.stdout.starts_with(prints), "{}", ended.stdout);
    }
    let program = world.program("proxy --listen 127.0.0.1:0 --as key").ulimit("-f 0");
    let proxy = Proxy::start(program).await;
    assert_eq!(get(&proxy.url("/x")).await.status(), 200);
    until_said(&proxy, Some("make room on the disk")).await;
    proxy.stop().await;
    assert_fine(&world.program("call --as key GET /x").run().await);
    assert_eq!(world.authority.books().logins, 4);
}
