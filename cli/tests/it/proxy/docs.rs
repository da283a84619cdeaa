//! The page about the proxy: its options exist, and its first steps lead where they are said to.

use super::*;
use crate::support::temporary::TemporaryDirectory;

const PAGE: &str = include_str!("../../../../docs/proxy.md");

#[tokio::test]
async fn every_option_of_the_page_is_one() {
    let help = Program::bare().args("proxy --help").run().await.stdout;
    // Of cargo and of docker.
    let others = ["--locked", "--path", "--root", "--from"];
    let words = PAGE.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let mut options: Vec<_> =
        words.filter(|word| word.starts_with("--") && word.contains(char::is_alphabetic)).collect();
    options.sort_unstable();
    options.dedup();
    assert!(options.len() > 10, "{options:?}");
    for option in options.iter().filter(|option| !others.contains(option) && **option != "--help") {
        assert!(help.contains(option) || *option == "--as", "{option}");
    }
}

#[tokio::test]
async fn the_first_steps_lead_to_an_answer() {
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("first-steps");
    std::fs::create_dir(directory.path()).unwrap();
    std::fs::write(directory.path().join("videos.key"), KEY).unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, config(&served)).unwrap();
    let call = Program::call().args("--as videos --file").arg(&path).args("GET /videos").run().await;
    call.assert_status(0);
    let proxy = Proxy::start(Program::proxy().args("--upstreams --file").arg(&path)).await;
    assert_eq!(get(&proxy.url("/videos-api/videos")).await.status(), 200);
    assert_eq!(get(&proxy.url("/.tower-reauth/health")).await.status(), 200);
    assert_eq!(fake.requests().pop().unwrap().target(), "/videos");
    fake.assert_no_refusals();
    proxy.stop().await;
}

#[tokio::test]
async fn the_containers_command_serves_whoever_shows_the_key() {
    let (_, rest) = PAGE.split_once("command: >\n").unwrap();
    let (command, _) = rest.split_once("secrets: [").unwrap();
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    // Compose puts each secret here, by its name.
    let secrets = TemporaryDirectory::new("run-secrets");
    std::fs::create_dir(secrets.path()).unwrap();
    for (name, content) in
        [("config", &*config(&served)), ("videos.key", KEY), ("client-key", "a-clients-key-of-its-own\n")]
    {
        std::fs::write(secrets.path().join(name), content).unwrap();
    }
    let command = command.replace("0.0.0.0:8080", "127.0.0.1:0");
    let command = command.replace("/run/secrets", secrets.path().to_str().unwrap());
    let proxy = Proxy::start(Program::bare().args(&command)).await;
    for (host, key, expected) in [
        ("reauth:8080", "a-clients-key-of-its-own", 200),
        ("reauth:8080", "another-key-that-is-none", 407),
        ("other:8080", "a-clients-key-of-its-own", 403),
    ] {
        let head = format!("Host: {host}\r\nProxy-Authorization: Bearer {key}\r\nConnection: close\r\n\r\n");
        let answer = raw(&proxy.address, &format!("GET /videos-api/videos HTTP/1.1\r\n{head}")).await;
        assert_eq!(status(&answer), expected, "{host} {key}: {answer}");
    }
    fake.assert_no_refusals();
    proxy.stop().await;
}

/// The page's configuration. The vendor's own server is the only thing that differs.
fn config(served: &Served) -> String {
    let (_, rest) = PAGE.split_once("<<'END'\n").unwrap();
    let (config, _) = rest.split_once("END\n").unwrap();
    config.replace("sandbox = true", &format!("base-url = \"{}\"", served.origin()))
}
