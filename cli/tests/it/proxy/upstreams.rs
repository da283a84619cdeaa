//! Several vendors behind one proxy, each by path or host.

use serde_json::Value;

use super::*;
use crate::support::{process::assert_none_shown, temporary::Temporary};

const OTHER_KEY: &str = "another-key-that-nobody-may-see";

/// Credentials for two servers, and what is said of the proxy.
fn file(name: &str, videos: &Raw, billing: &Raw, proxy: &str) -> Temporary {
    let credential = |name: &str, key: &str, origin: &str| {
        format!("[credentials.{name}]\nvendor = \"videsk\"\nkey = \"env:{key}\"\nbase-url = \"{origin}\"\n")
    };
    let credentials =
        credential("videos", "KEY", &videos.origin) + &credential("billing", "OTHER", &billing.origin);
    Temporary::new(name, &format!("{credentials}{proxy}"))
}

fn program(file: &Temporary) -> Program {
    let program = Program::proxy().args("--upstreams --file").arg(file.path());
    program.secret("KEY", KEY).secret("OTHER", OTHER_KEY)
}

const UPSTREAMS: &str = "[[proxy.upstreams]]\nas = \"videos\"\npath = \"/videos\"\n\
                         [[proxy.upstreams]]\nas = \"billing\"\nhost = \"billing.internal\"\n\
                         [[proxy.upstreams]]\nas = \"billing\"\nname = \"archive\"\npath = \"/videos/archive\"\n";

#[tokio::test]
async fn a_request_is_for_the_narrowest_that_it_fits_and_gets_the_token_of_that() {
    let (videos, billing) = (Raw::start(&[EMPTY]).await, Raw::start(&[EMPTY]).await);
    let file = file("upstreams.toml", &videos, &billing, UPSTREAMS);
    let proxy = Proxy::start(program(&file)).await;
    let own = &*proxy.address;
    let port = proxy.port();
    for (host, target, server, expected) in [
        (own, "/videos", Some(&videos), "/"),
        (own, "/videos/a?b=/c", Some(&videos), "/a?b=/c"),
        (own, "/videos?a", Some(&videos), "/?a"),
        (own, "/videos//a", Some(&videos), "//a"),
        (own, "/videos/archived", Some(&videos), "/archived"),
        (own, "/videos/archive/a", Some(&billing), "/a"),
        (own, "/videos/archive/../a", Some(&billing), "/../a"),
        ("billing.internal", "/videos/a", Some(&billing), "/videos/a"),
        ("Billing.Internal:9", "/a", Some(&billing), "/a"),
        (own, "/videosx", None, ""),
        (own, "/%76ideos", None, ""),
        (own, "/", None, ""),
        ("127.9.9.9:PORT", "/billing", None, ""),
    ] {
        let host = host.replace("PORT", port);
        let before = (videos.seen().len(), billing.seen().len());
        let answer = raw(own, &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let Some(server) = server else {
            assert_eq!(status(&answer), 404, "{target}: {answer}");
            assert!(answer.contains("error=destination_not_found\r\n"), "{answer}");
            assert_eq!((videos.seen().len(), billing.seen().len()), before, "{target}");
            continue;
        };
        assert_eq!(status(&answer), 204, "{host} {target}: {answer}");
        let seen = server.seen().pop().unwrap();
        assert!(seen.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{target}: {seen}");
        let key = if std::ptr::eq(server, &videos) { KEY } else { OTHER_KEY };
        assert!(seen.contains(&format!("authorization: Bearer {key}\r\n")), "{seen}");
        let sent = videos.seen().len() + billing.seen().len();
        assert_eq!(sent, before.0 + before.1 + 1, "{target}");
    }
    // Its hosts are the proxy's, and no other ones are.
    let answer = raw(own, "GET /videos HTTP/1.1\r\nHost: evil.internal\r\n\r\n").await;
    assert_eq!(status(&answer), 403);
    let log = proxy.stop().await;
    assert!(log.contains(&format!(", /videos/archive, go to {} with a token", billing.origin)), "{log}");
}

#[tokio::test]
async fn redirects_lead_back_beneath_the_path_that_they_came_from() {
    let locations = [
        ("ORIGIN/a?b", "/videos/a?b"),
        ("/relative", "/videos/relative"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
        ("relative", "relative"),
    ];
    let answers = locations.map(|(location, _)| {
        format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
    });
    let videos = Raw::start(&answers.each_ref().map(|answer| &**answer)).await;
    let billing = Raw::start(&[EMPTY]).await;
    let file = file("upstreams-redirects.toml", &videos, &billing, UPSTREAMS);
    let proxy = Proxy::start(program(&file)).await;
    for (location, expected) in locations {
        let answer = raw(&proxy.address, "GET /videos/x HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
        assert!(answer.contains(&format!("location: {expected}\r\n")), "{location}: {answer}");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn an_upstream_may_have_keys_of_its_own_and_all_else_the_proxys() {
    let (videos, billing) = (Raw::start(&[EMPTY]).await, Raw::start(&[EMPTY]).await);
    let (all, few) = ("the-key-of-all-clients", "the-key-of-a-few-clients");
    let proxy = "[proxy]\nkeys = [\"env:ALL\"]\nallow-hosts = [\"proxy.internal\"]\n\
                 allow-origins = [\"https://page.example\"]\n\
                 [[proxy.upstreams]]\nas = \"videos\"\n\
                 [[proxy.upstreams]]\nas = \"billing\"\npath = \"/billing\"\nkeys = [\"env:FEW\"]\n";
    let file = file("upstreams-keys.toml", &videos, &billing, proxy);
    let proxy = Proxy::start(program(&file).secret("ALL", all).secret("FEW", few)).await;
    for (path, key, expected) in [
        ("/x", all, 204),
        ("/x", few, 407),
        ("/x", "", 407),
        ("/billing", few, 204),
        ("/billing/x", all, 407),
        ("/billing", "", 407),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nProxy-Authorization: Bearer {key}\r\n\r\n");
        assert_eq!(status(&raw(&proxy.address, &request).await), expected, "{path} {key}");
    }
    let page = format!(
        "GET /x HTTP/1.1\r\nHost: proxy.internal\r\nOrigin: https://page.example\r\nProxy-Authorization: Bearer {all}\r\n\r\n"
    );
    assert_eq!(status(&raw(&proxy.address, &page).await), 204);
    assert_eq!((videos.seen().len(), billing.seen().len()), (2, 1));
    proxy.stop().await;
}

#[tokio::test]
async fn upstreams_of_one_credential_have_one_token() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let file = Temporary::new(
        "upstreams-shared.toml",
        &format!(
            "[credentials.videos]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n\
             [[proxy.upstreams]]\nas = \"videos\"\npath = \"/one\"\n\
             [[proxy.upstreams]]\nas = \"videos\"\nname = \"two\"\npath = \"/two\"\n",
            served.origin()
        ),
    );
    let proxy = Proxy::start(program(&file)).await;
    for path in ["/one/a", "/two/a", "/one/b"] {
        assert_eq!(get(&proxy.url(path)).await.status(), 200);
    }
    assert_eq!((fake.counts().token_calls(), fake.counts().api_accepted), (1, 3));
    fake.assert_no_refusals();
    proxy.stop().await;
}

/// What an upstream says comes before what the option says.
#[tokio::test]
async fn each_upstream_keeps_as_much_of_a_body_as_it_says() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let file = Temporary::new(
        "upstreams-replay.toml",
        &format!(
            "[credentials.videos]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n\
             [[proxy.upstreams]]\nas = \"videos\"\n\
             [[proxy.upstreams]]\nas = \"videos\"\nname = \"more\"\npath = \"/more\"\nreplay-limit = 0x7d0\n\
             [[proxy.upstreams]]\nas = \"videos\"\nname = \"none\"\npath = \"/none\"\nreplay-limit = 0\n",
            served.origin()
        ),
    );
    let proxy = Proxy::start(program(&file).args("--replay-limit 1000")).await;
    let upload = |path: &str, length: usize| {
        let request = Request::post(proxy.url(path)).header("content-type", "video/mp4");
        send(request.body(Full::from(vec![b'x'; length])).unwrap())
    };
    for (path, length, expected) in [
        ("/x", 1000, 200),
        ("/x", 1001, 401),
        ("/more/x", 2000, 200),
        ("/more/x", 2001, 401),
        ("/none/x", 0, 200),
        ("/none/x", 1, 401),
    ] {
        // A token that was accepted, so that its rejection is no reason to pause.
        assert_eq!(upload("/x", 1).await.status(), 200);
        let refreshes = fake.counts().refreshes;
        fake.controls().fail(On::Api, Times::Next(1), ApiVideoError::AccessTokenInvalidOrExpired);
        assert_eq!(upload(path, length).await.status(), expected, "{path} {length}");
        until("a new token", || fake.counts().refreshes > refreshes).await;
    }
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn health_tells_of_each_and_is_well_if_all_are() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let other = Raw::start(&[EMPTY]).await;
    let file = Temporary::new(
        "upstreams-health.toml",
        &format!(
            "[credentials.videos]\nvendor = \"api-video\"\nkey = \"env:KEY\"\nbase-url = \"{}\"\n\
             [credentials.billing]\nvendor = \"videsk\"\nkey = \"env:OTHER\"\nbase-url = \"{}\"\n\
             [[proxy.upstreams]]\nas = \"videos\"\npath = \"/videos\"\n[[proxy.upstreams]]\nas = \"billing\"\n",
            served.origin(),
            other.origin
        ),
    );
    let proxy = Proxy::start(program(&file)).await;
    let health = async |path: &str| {
        let response = get(&proxy.url(&format!("/.tower-reauth/{path}"))).await;
        let content: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        (response.status().as_u16(), content)
    };
    for path in ["health", "health/videos", "health/billing", "live"] {
        assert_eq!(health(path).await.0, 200, "{path}");
    }
    fake.controls().revoke(Revoked::Removed);
    assert_eq!(get(&proxy.url("/videos/x")).await.status(), 503);
    let (status, content) = health("health").await;
    assert_eq!((status, &content["status"]), (503, &Value::from("not ready")));
    assert_eq!(content["upstreams"]["videos"]["status"], "not ready");
    assert_eq!(content["upstreams"]["billing"]["status"], "ready");
    assert!(content["upstreams"]["videos"]["error"].as_str().unwrap().contains("rejected"), "{content}");
    assert_eq!(health("health/videos").await.0, 503);
    assert_eq!(health("health/billing").await.0, 200);
    assert_eq!(health("live").await, (200, serde_json::json!({ "status": "alive" })));
    assert_none_shown([KEY, OTHER_KEY], &content.to_string());
    // A name that nobody has is a path like any other.
    assert_eq!((health("health/nobody").await.0, other.seen().len()), (204, 1));
    proxy.stop().await;
}

#[tokio::test]
async fn what_is_wrong_in_the_file_is_said_with_its_line() {
    let (videos, billing) = (Raw::start(&[EMPTY]).await, Raw::start(&[EMPTY]).await);
    for (number, (proxy, says)) in [
        ("", "there is no [proxy]; write [[proxy.upstreams]]"),
        ("[proxy]\nkeys = [\"env:KEY\"]\n", "line 9: proxy: it has no upstream"),
        ("[[proxy.upstreams]]\npath = \"/a\"\n", "it needs as = \"NAME\", the name of a credential"),
        ("[[proxy.upstreams]]\nas = \"vidoes\"\n", "has no credential \"vidoes\"; did you mean videos?"),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\npaht = \"/a\"\n",
            "line 11: proxy.upstreams.0.paht: there is no such key; did you mean path?",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\npath = \"a/\"\n",
            "line 11: proxy.upstreams.0.path: write a path such as /videos",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\nhost = \"a:80\"\n",
            "line 11: proxy.upstreams.0.host: write a host alone",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\nname = \"a/b\"\n",
            "line 11: proxy.upstreams.0.name: an upstream is called by letters",
        ),
        ("[[proxy.upstreams]]\nas = \"videos\"\nkeys = []\n", "line 11: proxy.upstreams.0.keys: it is empty"),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\nkeys = [\"s3cret\"]\n",
            "line 11: proxy.upstreams.0.keys.0: write \"env:NAME\"",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\ntimeout = 0\n",
            "line 11: proxy.upstreams.0.timeout: give seconds",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\nreplay-limit = -1\n",
            "line 11: proxy.upstreams.0.replay-limit: write a number of bytes, as a whole number from 0",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\nreplay-limit = \"64 KiB\"\n",
            "line 11: proxy.upstreams.0.replay-limit: write a number of bytes, as a whole number from 0",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\n[[proxy.upstreams]]\nas = \"videos\"\npath = \"/a\"\n",
            "another upstream is called \"videos\", too",
        ),
        (
            "[[proxy.upstreams]]\nas = \"videos\"\n[[proxy.upstreams]]\nas = \"billing\"\n",
            "\"videos\" has the same requests, all else",
        ),
        (
            "[proxy]\nkeys = [\"env:SHORT\"]\n[[proxy.upstreams]]\nas = \"videos\"\n",
            "proxy.keys: a key has 16 characters or more",
        ),
        (
            "[proxy]\nlisten = \"x\"\n[[proxy.upstreams]]\nas = \"videos\"\n",
            "proxy.listen: there is no such key",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let file = file(&format!("upstreams-refused-{number}.toml"), &videos, &billing, proxy);
        let ended = program(&file).secret("SHORT", "too-short").run().await;
        ended.assert_status(2).assert_says(says);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
    let file = file("upstreams-refused.toml", &videos, &billing, UPSTREAMS);
    for (args, says) in [
        ("--key env:KEY", "--key means nothing to --upstreams"),
        ("--vendor videsk", "cannot be used with"),
        ("--as videos", "cannot be used with"),
    ] {
        program(&file).args(args).run().await.assert_status(2).assert_says(says);
    }
    let alone = Program::proxy().arg("--file").arg(file.path()).run().await;
    alone.assert_status(2).assert_says("say by --as which one");
    Program::proxy().run().await.assert_status(2).assert_says("say whose token it is: by --as");
}
