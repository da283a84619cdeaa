//! The four vendors again, as the files in `tests/declared` declare them.

use std::{fs, time::Duration};

use tower_reauth::{AuthLayer, Declaration, Parts};

use super::{
    Subject, client,
    subject::{api_video_by, vervoe_by, videsk_by, vidizmo_by},
};

/// The text of a file in `tests/declared`.
pub(crate) fn declared(file: &str) -> String {
    fs::read_to_string(format!("tests/declared/{file}")).unwrap()
}

fn toml(text: &str) -> Declaration {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// `text` with another lifetime than the one that the file has: a whole number of seconds.
fn living(text: String, written: &str, lifetime: Option<Duration>) -> String {
    let Some(lifetime) = lifetime else { return text };
    assert_eq!(text.matches(written).count(), 1);
    let (key, _) = written.rsplit_once(' ').unwrap();
    text.replace(written, &format!("{key} {}", lifetime.as_secs()))
}

pub(crate) async fn declared_api_video() -> Subject {
    api_video_by(|origin, transport, _| {
        toml(&declared("api-video.toml")).base_url(origin).layer(transport).unwrap()
    })
    .await
}

/// A file has no way to mint keys, so the program does. All else is the file's.
pub(crate) async fn declared_videsk() -> Subject {
    videsk_by(|origin, minting| {
        let parts = toml(&declared("videsk.toml")).base_url(origin).parts(client()).unwrap();
        let Parts { origin, signatures, placement, .. } = parts;
        AuthLayer::new(origin, minting).signatures(signatures).placement(placement)
    })
    .await
}

pub(crate) async fn declared_vidizmo() -> Subject {
    vidizmo_by(|origin, transport, lifetime| {
        let text = living(declared("vidizmo.toml"), "lifetime = 86400", lifetime);
        toml(&text).base_url(origin).layer(transport).unwrap()
    })
    .await
}

pub(crate) async fn declared_vervoe() -> Subject {
    vervoe_by(|origin, transport, lifetime| {
        let text = living(declared("vervoe.toml"), "lifetime = 600", lifetime);
        toml(&text).base_url(origin).layer(transport).unwrap()
    })
    .await
}

pub(crate) async fn declared_vervoe_in_json() -> Subject {
    vervoe_by(|origin, transport, lifetime| {
        let text = living(declared("vervoe.json"), "\"lifetime\": 600", lifetime);
        let declaration: Declaration = serde_json::from_str(&text).unwrap();
        declaration.base_url(origin).layer(transport).unwrap()
    })
    .await
}
