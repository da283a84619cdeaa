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
    let (_, rest) = PAGE.split_once("<<'END'\n").unwrap();
    let (config, _) = rest.split_once("END\n").unwrap();
    let fake = FakeApiVideo::new(KEY);
    let served = fake.serve().await.unwrap();
    let directory = TemporaryDirectory::new("first-steps");
    std::fs::create_dir(directory.path()).unwrap();
    std::fs::write(directory.path().join("videos.key"), KEY).unwrap();
    // The vendor's own server is the only thing that differs.
    let config = config.replace("sandbox = true", &format!("base-url = \"{}\"", served.origin()));
    let path = directory.path().join("config.toml");
    std::fs::write(&path, config).unwrap();
    let call = Program::call().args("--as videos --file").arg(&path).args("GET /videos").run().await;
    call.assert_status(0);
    let proxy = Proxy::start(Program::proxy().args("--upstreams --file").arg(&path)).await;
    assert_eq!(get(&proxy.url("/videos-api/videos")).await.status(), 200);
    assert_eq!(get(&proxy.url("/.tower-reauth/health")).await.status(), 200);
    assert_eq!(fake.requests().pop().unwrap().target(), "/videos");
    fake.assert_no_refusals();
    proxy.stop().await;
}
