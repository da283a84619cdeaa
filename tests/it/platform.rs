//! Identities that a platform hands out in files.

use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::body::Body;
use http::{Response, StatusCode, header::AUTHORIZATION, request::Parts};
use tower::Layer;
use tower_reauth::{AuthError, AuthErrorKind, AuthLayer, FileToken, Origin, RefreshPolicy, Rule, Signatures};

use crate::support::{Site, client, get, send};

/// A volume as Kubernetes mounts it: the file is a link into a directory that is a link, which is replaced.
struct Volume(PathBuf);

impl Volume {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    fn mount(&self) {
        symlink("..data/token", self.token()).unwrap();
    }

    fn put(&self, number: usize) {
        let directory = format!("..generation-{number}");
        fs::create_dir(self.0.join(&directory)).unwrap();
        fs::write(self.0.join(&directory).join("token"), format!("mounted-{number}\n")).unwrap();
        symlink(&directory, self.0.join("..data_tmp")).unwrap();
        fs::rename(self.0.join("..data_tmp"), self.0.join("..data")).unwrap();
        if number > 1 {
            fs::remove_dir_all(self.0.join(format!("..generation-{}", number - 1))).unwrap();
        }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An API that takes the newest token alone.
async fn api(newest: &Arc<AtomicUsize>) -> Site {
    let newest = newest.clone();
    Site::start(move |head: &Parts| {
        let sent = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_newest = sent == Some(&format!("Bearer mounted-{}", newest.load(SeqCst)));
        let status = if is_newest { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        Response::builder().status(status).body(Body::empty()).unwrap()
    })
    .await
}

#[tokio::test]
async fn a_token_that_kubernetes_replaces_is_read_when_it_is_rejected_and_no_request_fails() {
    let (volume, newest) = (Volume::new("projected"), Arc::new(AtomicUsize::new(1)));
    volume.mount();
    volume.put(1);
    let site = api(&newest).await;
    let origin = Origin::parse(&site.url("")).unwrap();
    let layer = AuthLayer::new(origin, FileToken::new(volume.token()))
        .signatures(Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED)))
        // Each of these rejections comes long before its time.
        .policy(RefreshPolicy::default().budget(100, Duration::from_secs(1)));
    let service = layer.layer(client());
    for number in 1..10 {
        if number > 1 {
            volume.put(number);
            newest.store(number, SeqCst);
        }
        for again in 0..3 {
            let answer = send(&service, get(&site.url("/pods"))).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.outcome().is_some_and(|outcome| outcome.replayed()), number > 1 && again == 0);
        }
    }
    assert_eq!(site.requests().len(), 3 * 9 + 8);
}

#[tokio::test]
async fn a_volume_that_is_not_mounted_yet_is_named_and_found_when_it_is() {
    let (volume, newest) = (Volume::new("late"), Arc::new(AtomicUsize::new(1)));
    let site = api(&newest).await;
    let layer = AuthLayer::new(Origin::parse(&site.url("")).unwrap(), FileToken::new(volume.token())).policy(
        RefreshPolicy::default().attempts(1).back_off(Duration::from_millis(1), Duration::from_millis(1)),
    );
    let service = layer.layer(client());
    let error = send(&service, get(&site.url("/pods"))).await.unwrap_err();
    let error = AuthError::find(&*error).unwrap();
    assert_eq!(error.kind(), AuthErrorKind::NoSecret);
    let words = error.acquire_error().unwrap().to_string();
    assert!(words.contains("/token (yet)") && words.contains("mounted"), "{words}");
    assert_eq!(site.requests().len(), 0, "nothing goes out without a token");
    volume.mount();
    volume.put(1);
    for _ in 0..100 {
        if let Ok(answer) = send(&service, get(&site.url("/pods"))).await {
            assert_eq!(answer.status(), StatusCode::OK);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it was not found");
}
