//! What there is without a login, after one, and when it is over.

use super::*;
use crate::support::{client::get, process::Proxy};

const LOGIN: &str = "authorization-url = \"ORIGIN/auth\", revocation-url = \"ORIGIN/revoke\"";
const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

impl World {
    async fn log_in(&self) {
        let waiting = Waiting::start(self.program("login me --no-browser")).await;
        waiting.back("code=c&state=STATE").await;
        assert_eq!(waiting.ended().await.0, Some(0));
    }
}

#[tokio::test]
async fn nothing_but_login_begins_one() {
    let world = World::new("state-nobody", LOGIN, &[tokens("a1", "r1")]).await;
    assert_eq!(world.state().await, "logged-out");
    for _ in 0..2 {
        let ended = world.run("token me").await;
        ended.assert_status(3).assert_says("no token: nobody is logged in; run `reauth login me`");
    }
    let ended = world.run("call --as me GET /x").await;
    ended.assert_status(3).assert_says("no token: nobody is logged in; run `reauth login me`");
    // In whichever file it is.
    let elsewhere = TemporaryDirectory::new("state nobody");
    std::fs::create_dir(elsewhere.path()).unwrap();
    let file = elsewhere.path().join("other.toml");
    std::fs::copy(world.file.path(), &file).unwrap();
    let ended = Program::bare().args("token me --file").arg(&file).run().await;
    ended.assert_status(3).assert_says(&format!("run `reauth login me --file '{}'`", file.display()));
    assert_eq!(world.server.seen().len(), 0, "no server is asked");
    // What these have failed by holds nobody back who logs in.
    world.log_in().await;
    assert_eq!(world.run("token me").await.stdout, "a1\n");
}

#[tokio::test]
async fn a_logout_has_the_server_forget_as_well() {
    let answers = [tokens("a1", "r1"), EMPTY.to_owned(), EMPTY.to_owned(), tokens("a2", "r2")];
    let world = World::new("state-logout", LOGIN, &answers).await;
    world.log_in().await;
    let ended = world.run("logout me").await;
    ended.assert_status(0).assert_says("me is logged out, and its tokens are revoked");
    let seen = world.server.seen();
    let [_, refresh, access] = &seen[..] else { panic!("{seen:?}") };
    assert!(refresh.starts_with("POST /revoke ") && access.starts_with("POST /revoke "), "{seen:?}");
    assert_eq!(
        (field(refresh, "token"), field(refresh, "token_type_hint")),
        ("r1".to_owned(), "refresh_token".to_owned())
    );
    assert_eq!(field(access, "token"), "a1");
    assert_eq!(world.state().await, "logged-out");
    world.run("token me").await.assert_status(3).assert_says("run `reauth login me`");
    world.run("logout me").await.assert_status(0).assert_says("nobody was logged in as me");
    assert_eq!(world.server.seen().len(), 3);
    world.log_in().await;
    assert_eq!(world.run("token me").await.stdout, "a2\n");
}

#[tokio::test]
async fn who_can_not_be_told_of_a_logout_is_named() {
    let login = "authorization-url = \"ORIGIN/auth\"";
    let world = World::new("state-irrevocable", login, &[tokens("a1", "r1")]).await;
    world.log_in().await;
    world.run("logout me").await.assert_status(0).assert_says("the server can't be told");
    assert_eq!((world.server.seen().len(), &*world.state().await), (1, "logged-out"));

    let answers = [tokens("a1", "r1"), json("500 Oh", "{}")];
    let world = World::new("state-unrevoked", LOGIN, &answers).await;
    world.log_in().await;
    let ended = world.run("logout me").await;
    ended
        .assert_status(3)
        .assert_says("but the server couldn't be told, and may take its tokens until they expire: ");
    ended.assert_says("/revoke failed (status 500)");
    assert!(!ended.stderr.contains("try again"), "there is nothing any more to try it with: {ended:?}");
    assert_eq!(world.state().await, "logged-out");
}

#[tokio::test]
async fn a_login_that_has_ended_says_so_until_somebody_logs_in() {
    let dying = ok(r#"{"access_token":"a1","refresh_token":"r1","token_type":"Bearer","expires_in":1}"#);
    let world = World::new("state-dead", LOGIN, &[dying, error("invalid_grant"), tokens("a2", "r2")]).await;
    world.log_in().await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    for _ in 0..3 {
        let ended = world.run("token me").await;
        ended.assert_status(3).assert_says("the login has ended; run `reauth login me`");
    }
    assert_eq!((world.server.seen().len(), &*world.state().await), (2, "dead"), "it is sent once");
    let ended = world.run("status me").await;
    ended.assert_status(3);
    assert!(ended.stdout.starts_with("me: dead, its token has expired; "), "{ended:?}");
    world.log_in().await;
    assert_eq!((&*world.run("token me").await.stdout, &*world.state().await), ("a2\n", "logged-in"));
}

#[tokio::test]
async fn a_proxy_calls_as_whoever_is_logged_in_and_as_nobody_else() {
    let world = World::new("state-proxy", LOGIN, &[tokens("a1", "r1"), EMPTY.to_owned()]).await;
    let proxy = |world: &World| {
        let program = Program::proxy().args("--as me").variable("REAUTH_CONFIG", world.file.path());
        Proxy::start(program)
    };
    let refused = proxy(&world).await;
    let answer = get(&refused.url("/x")).await;
    assert_eq!((answer.status().as_u16(), world.server.seen().len()), (503, 0), "{answer:?}");
    // Whoever logs in is seen by a proxy that runs.
    world.log_in().await;
    let let_in = async {
        while get(&refused.url("/x")).await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    soon(let_in).await;
    assert!(world.server.seen().last().unwrap().contains("authorization: Bearer a1\r\n"));
    refused.stop().await;
    let next = proxy(&world).await;
    assert_eq!(get(&next.url("/x")).await.status(), 200);
    next.stop().await;
}

#[tokio::test]
async fn status_tells_of_all_and_shows_no_token() {
    let world = World::new("state-all", LOGIN, &[tokens("a1", "r1")]).await;
    world.log_in().await;
    let mut content = std::fs::read_to_string(world.file.path()).unwrap();
    content.push_str(
        "[credentials.key]\nvendor = \"videsk\"\nkey = \"env:KEY\"\n\
         [credentials.broken]\nvendor = \"api-video\"\nkey = \"env:NOT_SET\"\n\
         [credentials.fresh]\nvendor = \"api-video\"\nkey = \"env:KEY\"\n",
    );
    let store = |name: &str| {
        format!("store = {{ place = \"{}\", subject = \"{name}\" }}\n", world.directory.reference())
    };
    content.push_str(&store("fresh"));
    content =
        content.replace("key = \"env:NOT_SET\"\n", &format!("key = \"env:NOT_SET\"\n{}", store("broken")));
    let file = Temporary::new("state-all-2.toml", &content);
    let program = Program::bare().args("status --file").arg(file.path()).secret("KEY", "a-key");
    let ended = program.run().await;
    ended.assert_status(1);
    let lines: Vec<_> = ended.stdout.lines().collect();
    let [broken, fresh, key, me] = lines[..] else { panic!("{ended:?}") };
    assert!(broken.starts_with("broken: unknown; ") && broken.contains("NOT_SET"), "{broken}");
    assert_eq!((fresh, key), ("fresh: none", "key: no-store"));
    assert!(me.starts_with("me: logged-in, its token expires in 3"), "{me}");
    assert!(!ended.stdout.contains("a1") && !ended.stdout.contains("r1"));
    let json = Program::bare().args("status me --json --file").arg(file.path()).run().await;
    json.assert_status(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["name"], &json["state"], &json["renewable"]),
        (&"me".into(), &"logged-in".into(), &true.into())
    );
}

#[tokio::test]
async fn what_has_no_login_is_refused() {
    let content = "[credentials.key]\nvendor = \"videsk\"\nkey = \"env:KEY\"\n";
    let file = Temporary::new("state-key.toml", content);
    let run = |args: &str| {
        Program::bare().args(args).variable("REAUTH_CONFIG", file.path()).secret("KEY", "k3y").run()
    };
    run("login key").await.assert_status(2).assert_says("it needs a table [credentials.key.login]");
    run("logout key").await.assert_status(2).assert_says("it has no store");
    run("login nobody").await.assert_status(2).assert_says("has no credential");
    for (name, login, says) in [
        ("state-1", "by = \"phone\"", "me.login.by: there is no such value"),
        ("state-2", "prt = 1", "me.login.prt: there is no such key; did you mean port?"),
        ("state-3", "port = 70000", "me.login.port: write a port"),
        ("state-4", "params = { x = 1 }", "me.login.params.x: write text"),
        ("state-4-own", "params = { state = \"x\" }", "me.login.params.state: the program says it by itself"),
        (
            "state-4-scope",
            "params = { scope = \"x\" }",
            "me.login.params.scope: the program says it by itself",
        ),
    ] {
        let world = World::new(name, login, &[ok("{}")]).await;
        world.run("login me").await.assert_status(2).assert_says(says);
    }
}

#[tokio::test]
async fn what_the_store_has_and_cannot_read_is_said_before_anybody_logs_in_and_no_logout() {
    let world = World::new("state-damaged", LOGIN, &[tokens("a1", "r1"), EMPTY.to_owned()]).await;
    world.log_in().await;
    let record = world.directory.file(".record");
    let whole = std::fs::read(&record).unwrap();
    std::fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let damaged = "the record is damaged, or cut off (";
    for (command, status, words) in [
        ("login me --no-browser", 1, "reauth login: the login can't be remembered: "),
        ("logout me", 1, "reauth logout: me isn't logged out: "),
        ("token me", 3, "reauth token: no token: nobody knows who is logged in: "),
        ("call --as me GET /x", 3, "reauth call: no token: nobody knows who is logged in: "),
    ] {
        let ended = world.run(command).await;
        ended.assert_status(status).assert_says(words).assert_says(damaged);
        assert!(!ended.stderr.contains("go to"), "nobody is sent away: {ended:?}");
    }
    world.run("logout me").await.assert_says("; remove it, and log in again");
    assert_eq!((world.server.seen().len(), &*world.state().await), (1, "unknown"));
    std::fs::write(&record, whole).unwrap();
    world.run("logout me").await.assert_status(0);
}
