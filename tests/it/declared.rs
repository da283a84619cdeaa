//! What is a declared vendor's own: keys that change in their files, variables, a logout, and keys without an exchange.

use std::{env, fs, process::Command, time::Duration};

use http::StatusCode;
use tokio::time::Instant;
use tower::Layer;
use tower_reauth::{
    AuthErrorKind, Declaration, RefreshPolicy, Verdict,
    testing::{ApiVideoError, Endpoint, FakeApiVideo, FakeVidesk, Revoked, Served, VideskError},
};

use crate::support::{
    KEYS, SecretFile, Secrets, auth_error, bearers, client, declared, declared_vidizmo, get, requests_to,
    send, send_all,
};

impl SecretFile {
    /// A file of `tests/declared` that has its secret here.
    fn vendor(&self, file: &str, written: &str, served: &Served) -> Declaration {
        let (text, written) = (declared(file), format!("file:tests/declared/secrets/{written}"));
        assert_eq!(text.matches(&written).count(), 1);
        let text = text.replace(&written, &format!("file:{}", self.0.display()));
        toml::from_str::<Declaration>(&text).unwrap().base_url(served.origin())
    }
}

#[tokio::test]
async fn a_key_that_was_replaced_in_its_file_is_what_the_replay_carries() {
    let videsk = FakeVidesk::new();
    let (served, file) = (videsk.serve().await.unwrap(), SecretFile::new(&videsk.key()));
    let layer = file.vendor("videsk.toml", "videsk-key", &served).layer(client()).unwrap();
    let service = layer.layer(client());
    let request = || get(&served.url("/users"));
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    let minted = videsk.mint();
    file.write(&minted);
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    assert_ne!(bearers(&videsk.requests())[1], minted, "a key is read when it is needed");

    videsk.controls().revoke(Revoked::Expired);
    let minted = videsk.mint();
    file.write(&minted);
    videsk.controls().reset_counts();
    let answers = send_all(&service, 20, request).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == StatusCode::OK));
    let counts = videsk.counts();
    assert_eq!((counts.api_accepted, counts.api_calls), (20, 20 + counts.api_unauthorised));
    assert!(counts.api_unauthorised >= 1);
    assert_eq!(bearers(&videsk.requests()).last(), Some(&minted));
    videsk.assert_no_refusals();
}

#[tokio::test]
async fn a_key_that_is_still_the_rejected_one_is_handed_over_and_looked_for_again() {
    let videsk = FakeVidesk::new();
    let (served, file) = (videsk.serve().await.unwrap(), SecretFile::new(&videsk.key()));
    let pause = Duration::from_millis(300);
    let layer = file.vendor("videsk.toml", "videsk-key", &served).layer(client()).unwrap();
    let service = layer.policy(RefreshPolicy::default().pause(pause, pause)).layer(client());
    let request = || get(&served.url("/users"));
    send(&service, request()).await.unwrap();
    videsk.controls().revoke(Revoked::Expired);
    videsk.controls().reset_counts();
    for calls in 1..=10 {
        let answered = send(&service, request()).await.unwrap();
        answered.assert_is(&VideskError::JwtExpired.into());
        let outcome = answered.outcome().unwrap();
        assert_eq!((outcome.verdict(), outcome.reason()), (Verdict::Expired, Some("jwt expired")));
        assert_eq!(outcome.error().unwrap().kind(), AuthErrorKind::Paused);
        assert_eq!(videsk.counts().api_calls, calls, "each request is sent once");
    }
    file.write(&videsk.mint());
    let began = Instant::now();
    while send(&service, request()).await.unwrap().status() != StatusCode::OK {
        assert!(began.elapsed() < Duration::from_secs(20), "the new key isn't looked for");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(videsk.counts().api_accepted, 1);
    videsk.assert_no_refusals();
}

#[tokio::test]
async fn a_wrong_key_is_asked_for_once_until_its_file_has_another() {
    let api_video = FakeApiVideo::new(KEYS.api_video);
    let (served, file) = (api_video.serve().await.unwrap(), SecretFile::new("the-wrong-key"));
    let layer = file.vendor("api-video.toml", "api-video-key", &served).layer(client()).unwrap();
    let service = layer.layer(client());
    let request = || get(&served.url("/videos"));
    let secrets = Secrets::new(["the-wrong-key", KEYS.api_video]);
    for _ in 0..20 {
        let error = send(&service, request()).await.unwrap_err();
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::CredentialsRejected);
        secrets.assert_not_in(&*error);
    }
    assert_eq!((api_video.counts().token_calls(), api_video.counts().api_calls), (1, 0));

    // The fail-fast time is 30 s; a new secret is looked for once a second.
    file.write(KEYS.api_video);
    let began = Instant::now();
    while let Err(error) = send(&service, request()).await {
        assert_eq!(auth_error(&error).kind(), AuthErrorKind::CredentialsRejected);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((api_video.counts().token_calls(), api_video.counts().api_accepted), (2, 1));
    api_video.assert_no_refusals();
}

#[tokio::test]
async fn a_file_that_is_gone_keeps_the_token_and_fails_by_its_name() {
    let api_video = FakeApiVideo::new(KEYS.api_video);
    let (served, file) = (api_video.serve().await.unwrap(), SecretFile::new(KEYS.api_video));
    let layer = file.vendor("api-video.toml", "api-video-key", &served).layer(client()).unwrap();
    let service = layer.layer(client());
    let request = || get(&served.url("/videos"));
    send(&service, request()).await.unwrap();
    fs::remove_file(&file.0).unwrap();
    assert_eq!(send(&service, request()).await.unwrap().status(), StatusCode::OK);
    api_video.controls().revoke(Revoked::Expired);
    let answered = send(&service, request()).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK, "a refresh needs no key");

    api_video.controls().revoke(Revoked::Invalid);
    let answered = send(&service, request()).await.unwrap();
    answered.assert_is(&ApiVideoError::AccessTokenInvalidOrExpired.into());
    let error = answered.outcome().unwrap().error().unwrap();
    assert_eq!(error.kind(), AuthErrorKind::NoSecret);
    let cause = error.acquire_error().unwrap().to_string();
    assert_eq!(cause, format!("the secret in file:{} can't be read", file.0.display()));
    assert_eq!(api_video.counts().acquires, 1, "nothing was sent without it");

    file.write(KEYS.api_video);
    let began = Instant::now();
    while !matches!(send(&service, request()).await, Ok(answered) if answered.status() == StatusCode::OK) {
        assert!(began.elapsed() < Duration::from_secs(20), "it doesn't recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(api_video.counts().acquires, 2);
    api_video.assert_no_refusals();
}

#[tokio::test]
async fn a_declared_logout_carries_the_token() {
    let subject = declared_vidizmo().await;
    let layer = subject.layer();
    send(&layer.layer(client()), subject.request()).await.unwrap();
    layer.tokens().revoke().await.unwrap();
    let logouts = requests_to(Endpoint::Logout, subject.controls.requests());
    assert_eq!(bearers(&logouts), subject.controls.tokens());
    assert_eq!((subject.counts().logouts, logouts[0].target()), (1, "/api/v1/user/logout"));
}

#[tokio::test]
async fn a_key_can_be_sent_with_basic_or_in_a_header_of_the_vendors_own() {
    let api_video = FakeApiVideo::new(KEYS.api_video);
    let served = api_video.serve().await.unwrap();
    let basic = "name = 'api.video'\nbase_url = 'https://ws.api.video'\n\
                 basic.user = 'file:tests/declared/secrets/api-video-key'";
    let basic = toml::from_str::<Declaration>(basic).unwrap().base_url(served.origin());
    let service = basic.layer(client()).unwrap().layer(client());
    let answered = send(&service, get(&served.url("/videos"))).await.unwrap();
    assert_eq!((answered.status(), answered.outcome().is_none()), (StatusCode::OK, true));
    assert_eq!((api_video.counts().token_calls(), api_video.counts().api_accepted), (0, 1));
    api_video.assert_no_refusals();

    let videsk = FakeVidesk::new();
    let (served, file) = (videsk.serve().await.unwrap(), SecretFile::new(&videsk.key()));
    let exports = format!(
        "name = 'Videsk'\nbase_url = 'https://api.videsk.io'\nkey = 'file:{}'\n\
         placement = {{ header = 'X-API-Token', scheme = 'Bearer' }}",
        file.0.display()
    );
    let exports = toml::from_str::<Declaration>(&exports).unwrap().base_url(served.origin());
    let mut export = get(&served.url("/reports/exports/calls"));
    *export.method_mut() = http::Method::POST;
    *export.body_mut() = r#"{"from":"2024-01-01"}"#.into();
    let answered = send(&exports.layer(client()).unwrap().layer(client()), export).await.unwrap();
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(videsk.requests()[0].headers()["x-api-token"], format!("Bearer {}", videsk.key()));
    videsk.assert_no_refusals();
}

/// A process can't change its own variables without `unsafe`, so each case is a process: this test, run by itself.
#[tokio::test]
async fn a_variable_is_read_and_a_missing_one_is_named() {
    const CHILD: &str = "DECLARED_TEST_CHILD";
    if env::var_os(CHILD).is_some() {
        return call_with_the_key_of_a_variable().await;
    }
    let child = |key: Option<&str>| {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "declared::a_variable_is_read_and_a_missing_one_is_named", "--nocapture"]);
        child.env_remove("DECLARED_TEST_KEY").env(CHILD, "yes");
        if let Some(key) = key {
            child.env("DECLARED_TEST_KEY", key);
        }
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("1 passed"), "{said}");
        assert!(key.is_none_or(|key| key.is_empty() || !said.contains(key)), "{said}");
        said
    };
    let said = child(Some(KEYS.api_video));
    assert!(said.contains("status 200"), "{said}");
    let said = child(Some("the-wrong-key"));
    assert!(said.contains("CredentialsRejected"), "{said}");
    let said = child(Some(""));
    assert!(said.contains("the secret in env:DECLARED_TEST_KEY is empty; set the variable"), "{said}");
    let said = child(None);
    assert!(said.contains("the secret in env:DECLARED_TEST_KEY can't be read; set the variable"), "{said}");
}

/// Prints what becomes of it.
#[allow(clippy::print_stdout, reason = "the test that runs this process reads it")]
async fn call_with_the_key_of_a_variable() {
    let api_video = FakeApiVideo::new(KEYS.api_video);
    let served = api_video.serve().await.unwrap();
    let text = declared("api-video.toml")
        .replace("file:tests/declared/secrets/api-video-key", "env:DECLARED_TEST_KEY");
    let vendor = toml::from_str::<Declaration>(&text).unwrap().base_url(served.origin());
    println!("{vendor:?}");
    let layer = match vendor.layer(client()) {
        Ok(layer) => layer,
        Err(error) => return println!("{error} {error:?}"),
    };
    match send(&layer.layer(client()), get(&served.url("/videos"))).await {
        Ok(answered) => println!("status {}", answered.status().as_u16()),
        Err(error) => println!("{error} {error:?}"),
    }
}
