//! The configuration file: credentials by name.

use std::{fs, os::unix::fs::PermissionsExt};

use tower_reauth::testing::{FakeApiVideo, FakeVidizmo};

use crate::support::{
    client::get,
    process::{Ended, Program, Proxy, assert_none_shown},
    server::Raw,
    temporary::{Temporary, TemporaryDirectory},
};

mod command;
mod refused;

const KEY: &str = "a-key-that-nobody-may-see";

/// A call as the credential `us` of a file.
async fn call(name: &str, content: &str, args: &str) -> Ended {
    let file = Temporary::new(name, content);
    let program = Program::call().args("--as us --file").arg(file.path()).args(args);
    program.secret("KEY", KEY).args("GET /videos").run().await
}

#[tokio::test]
async fn a_credential_by_name_has_all_that_the_options_say() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("config-store");
    let content = format!(
        "[credentials.us]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n\
         store = {{ place = \"{}\", subject = \"us\", slot = \"videos\" }}\n\
         connections = {{ roots = \"bundled\", no-proxy = true }}\n",
        served.origin(),
        directory.reference()
    );
    for name in ["config-whole-1.toml", "config-whole-2.toml"] {
        let ended = call(name, &content, "").await;
        ended.assert_status(0);
    }
    let counts = fake.counts();
    assert_eq!((counts.acquires, counts.refreshes, counts.api_accepted), (1, 0, 2), "the store is used");
    assert!(
        directory.file(".record").to_string_lossy().contains("videos."),
        "the slot is the one that is named"
    );
    fake.assert_no_refusals();
}

#[tokio::test]
async fn the_store_of_the_whole_file_is_each_credentials_that_has_none() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("config-default-store");
    let content = format!(
        "[store]\nplace = \"{}\"\nsubject = \"us\"\n[credentials.us]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n",
        directory.reference(),
        served.origin(),
    );
    call("config-default-1.toml", &content, "").await.assert_status(0);
    call("config-default-2.toml", &content, "").await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (1, 2));
    // The command line's own is another one.
    let other = TemporaryDirectory::new("config-other-store");
    let args = format!("--subject us --store {}", other.reference());
    call("config-default-3.toml", &content, &args).await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (2, 3));
}

#[tokio::test]
async fn the_store_of_the_whole_file_is_nothing_to_those_who_have_nothing_to_remember() {
    let directory = TemporaryDirectory::new("config-needless-store");
    let content = |store: &str| {
        let place = directory.reference();
        format!(
            "[store]\nplace = \"{place}\"\n[credentials.us]\nvendor = \"videsk\"\nkey = \"env:KEY\"\n{store}"
        )
    };
    let file = Temporary::new("config-needless.toml", &content(""));
    // The key is the token, which is to be shown.
    let run = |args: &str| {
        Program::bare().args(args).variable("REAUTH_CONFIG", file.path()).variable("KEY", KEY).run()
    };
    let ended = run("token us").await;
    ended.assert_status(0);
    assert_eq!(ended.stdout.trim_end(), KEY);
    let ended = run("status us").await;
    ended.assert_status(0);
    assert_eq!(ended.stdout, "us: no-store\n");
    run("logout us").await.assert_status(2).assert_says("nothing is remembered of us; it has no store");
    // Whoever says that it has something is told that it hasn't, and nothing of a subject.
    let ended = call("config-needless-own.toml", &content("store = { subject = \"us\" }\n"), "").await;
    ended.assert_status(2).assert_says("there is nothing to share").assert_says("; leave store out");
}

#[tokio::test]
async fn a_credential_says_whose_it_is_in_the_store_of_the_whole_file() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("config-shared-store");
    let credential = |name: &str, store: &str| {
        let (vendor, origin) = ("vendor = \"api-video\"\nkey = \"env:KEY\"", served.origin());
        format!("[credentials.{name}]\n{vendor}\nbase-url = \"{origin}\"\nstore = {store}\n")
    };
    let content = |store| {
        let other = credential("other", "{ subject = \"other\", slot = \"another\" }");
        format!("[store]\nplace = \"{}\"\n{}{other}", directory.reference(), credential("us", store))
    };
    let us = content("{ subject = \"us\" }");
    call("config-shared-1.toml", &us, "").await.assert_status(0);
    call("config-shared-2.toml", &us, "").await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (1, 2), "the store is used");
    // Somebody else's is another token.
    call("config-shared-3.toml", &content("{ subject = \"them\" }"), "").await.assert_status(0);
    assert_eq!((fake.counts().acquires, fake.counts().api_accepted), (2, 3));
    // Who has nothing to add is as the file says, which is not enough here.
    let ended = call("config-shared-4.toml", &content("{}"), "").await;
    ended.assert_status(2).assert_says("credentials.us: store: nobody can tell whose token this is");
}

#[tokio::test]
async fn the_pages_example_works_as_it_is_written() {
    const PAGE: &str = include_str!("../../../docs/program.md");
    const OURS: &str = include_str!("../../../tests/declared/api-video.toml");
    let home = TemporaryDirectory::new("config-page");
    fs::create_dir(home.path()).unwrap();
    let path = home.path().join("config.toml");
    let example = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    for (name, content) in [
        ("config.toml", example),
        ("store.key", "WBDkqWcOM8sjkf8gPzJVUBp2pIczB+WxmNHPp85m7KY=\n"),
        ("zoom.secret", "a-secret\n"),
        ("ours.toml", OURS),
        ("billing.pem", &key.serialize_pem()),
    ] {
        fs::write(home.path().join(name), content).unwrap();
    }
    let program = Program::bare().args("status --file").arg(&path).variable("HOME", home.path());
    let ended = program.secret("ZOOM_CLIENT_ID", "an-id").run().await;
    ended.assert_status(0);
    assert_eq!(ended.stdout, "billing: none\nmeetings: none\nours: none\nvideos: none\n");
}

#[tokio::test]
async fn the_file_is_where_the_environment_says_it_is() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let home = TemporaryDirectory::new("config-home");
    let path = home.path().join(".config/reauth/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let content = format!(
        "[credentials.us]\nvendor = \"api-video\"\nkey = \"file:key\"\nbase-url = \"{}\"\n",
        served.origin()
    );
    fs::write(&path, content).unwrap();
    // A path in the file is relative to it.
    fs::write(path.with_file_name("key"), KEY).unwrap();
    let program = || Program::call().args("--as us GET /videos");
    program().variable("REAUTH_CONFIG", &path).run().await.assert_status(0);
    program().variable("XDG_CONFIG_HOME", home.path().join(".config")).run().await.assert_status(0);
    program().variable("HOME", home.path()).run().await.assert_status(0);
    // By the XDG base directory specification a relative path is ignored.
    let ended = program().variable("XDG_CONFIG_HOME", ".config").variable("HOME", home.path()).run().await;
    ended.assert_status(0);
    assert_eq!(fake.counts().api_accepted, 4);
    let ended = program().run().await;
    ended.assert_status(2).assert_says("HOME isn't set").assert_says("--file");
    let ended = program().variable("HOME", "/nowhere").run().await;
    ended
        .assert_status(2)
        .assert_says("/nowhere/.config/reauth/config.toml can't be read")
        .assert_says("--file")
        .assert_says("`reauth --help` has an example");
    fs::remove_dir_all(home.path()).unwrap();
}

#[tokio::test]
async fn a_declaration_and_its_inputs_are_of_the_file() {
    let server = Raw::start(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let declaration = Temporary::new(
        "config-declared-vendor.toml",
        "name = \"A\"\nbase_url = \"https://{host}.example.invalid\"\nkey = \"input:key\"\nplacement = { header = \"x-key\" }\n",
    );
    let name = declaration.path().file_name().unwrap().to_str().unwrap();
    let content = format!(
        "[credentials.us]\ndeclaration = \"{name}\"\nbase-url = \"{}\"\nset = {{ host = \"text:a\", key = \"env:KEY\" }}\n",
        server.origin
    );
    call("config-declared.toml", &content, "").await.assert_status(0);
    assert!(server.seen()[0].contains(&format!("x-key: {KEY}\r\n")), "{:?}", server.seen());
}

#[tokio::test]
async fn a_proxy_has_credentials_by_name_too() {
    let fake = FakeVidizmo::password("me@example.com", KEY);
    let served = fake.serve().await.unwrap();
    let content = format!(
        "[credentials.us]\nvendor = \"vidizmo\"\ndomain = \"portal.example.com\"\nemail = \"me@example.com\"\n\
         password = \"env:KEY\"\nbase-url = \"{}\"\n",
        served.origin()
    );
    let file = Temporary::new("config-proxy.toml", &content);
    let program = Program::proxy().args("--as us --file").arg(file.path()).secret("KEY", KEY);
    let proxy = Proxy::start(program).await;
    get(&proxy.url("/api/v1/media")).await;
    assert_eq!(fake.counts().acquires, 1);
    proxy.stop().await;
}

#[tokio::test]
async fn who_may_write_the_file_says_what_is_run() {
    let file =
        Temporary::new("config-public.toml", "[credentials.us]\nvendor = \"api-video\"\nkey = \"env:KEY\"\n");
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o646)).unwrap();
    let ended = Program::call().args("--as us GET / --file").arg(file.path()).secret("KEY", KEY).run().await;
    ended.assert_status(2).assert_says("may be written by every user").assert_says("chmod o-w");
    assert_none_shown([KEY], &ended.stderr);
}

#[tokio::test]
async fn without_a_home_those_that_need_none_are_as_they_are() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let content = format!(
        "[credentials.me]\nvendor = \"oauth2\"\nbase-url = \"https://a.invalid\"\nclient-id = \"x\"\n\
         login = {{ issuer = \"https://b.invalid\" }}\n[credentials.us]\nvendor = \"api-video\"\nkey = \"env:KEY\"\n\
         base-url = \"{}\"\n",
        served.origin()
    );
    call("config-homeless.toml", &content, "").await.assert_status(0);
    let file = Temporary::new("config-homeless-login.toml", &content);
    let ended = Program::bare().args("login me --file").arg(file.path()).run().await;
    ended
        .assert_status(2)
        .assert_says("line 1: credentials.me: HOME isn't set; say by store where tokens are to be");
    fake.assert_no_refusals();
}

#[tokio::test]
async fn a_file_and_a_variable_are_read_as_editors_and_shells_leave_them() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let content = format!(
        "\u{feff}[credentials.us]\r\nvendor = \"api-video\"\r\nbase-url = \"{}\"\r\nkey = \"env:KEY\"\r\n",
        served.origin()
    );
    let file = Temporary::new("config-edited.toml", &content);
    let program = || Program::call().args("--as us GET /videos --file").arg(file.path());
    program().secret("KEY", &format!("{KEY}\r\n")).run().await.assert_status(0);
    let mut bytes = content.into_bytes();
    bytes.extend(b"# caf\xe9\n");
    fs::write(file.path(), bytes).unwrap();
    let ended = program().secret("KEY", KEY).run().await;
    ended.assert_status(2).assert_says("config-edited.toml, line 5: it isn't utf-8");
    assert_eq!(fake.counts().api_accepted, 1);
    fake.assert_no_refusals();
}
