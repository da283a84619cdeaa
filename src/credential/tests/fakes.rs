//! Each vendor's credential against its fake, which refuses what the contract doesn't allow.

use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;

use super::*;
use crate::{
    error::AcquireErrorKind::{GrantRejected, Rejected, Transient, Unintelligible},
    testing::{ApiVideoError, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Times},
    transport::Transport,
};

macro_rules! transport {
    ($fake:expr) => {
        Transport::new::<_, Full<Bytes>, _>($fake.clone())
    };
}

#[tokio::test]
async fn api_videos_failures_are_classified() {
    let fake = FakeApiVideo::new("key");
    let controls = fake.controls();
    let credential = ApiVideo::sandbox("key").declaration().build(transport!(fake)).unwrap();
    let token = acquire(&credential, Reason::Cold, None).await.unwrap();
    for (fault, kind) in [
        (Fault::status(StatusCode::BAD_GATEWAY), Transient),
        (Fault::Malformed, Unintelligible),
        (Fault::RequestLost, Transient),
        (Fault::AnswerLost, Transient),
        (ApiVideoError::TooManyRequests.into(), Transient),
    ] {
        controls.fail(On::Refresh, Times::Next(1), fault);
        let error = acquire(&credential, Reason::Expired, Some(&token)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    fake.set_api_key("another");
    let error = acquire(&credential, Reason::Rejected, Some(&token)).await.unwrap_err();
    assert_eq!(error.kind(), Rejected);
    assert!(error.to_string().contains("The user credentials were incorrect."), "{error}");
    fake.assert_no_refusals();
}

#[tokio::test]
async fn vidizmo_logs_in_again_when_a_token_is_dead() {
    let fake = FakeVidizmo::password("j@x.test", "s3cret");
    let vidizmo = Vidizmo::password("x.test", "j@x.test", "s3cret");
    let credential = vidizmo.declaration().build(transport!(fake)).unwrap();
    let first = acquire(&credential, Reason::Cold, None).await.unwrap();
    fake.controls().revoke(Revoked::Invalid);
    let dead = acquire(&credential, Reason::Expired, Some(&first)).await.unwrap_err();
    assert_eq!(dead.kind(), GrantRejected);
    assert!(dead.to_string().contains("InvalidAccessTokenException"), "{dead}");
    assert!(acquire(&credential, Reason::Rejected, Some(&first)).await.is_ok());
    assert_eq!((fake.counts().acquires, fake.counts().refreshes), (2, 1));
    fake.controls().fail(On::Acquire, Times::Next(1), Fault::Malformed);
    assert_eq!(acquire(&credential, Reason::Cold, None).await.unwrap_err().kind(), Unintelligible);
    fake.assert_no_refusals();
}

#[tokio::test]
async fn vervoe_exchanges_any_secret() {
    for secret in ["s", ":", "a:b", "ü", "+", "%41", "pass word"] {
        let fake = FakeVervoe::new("key", secret);
        let credential = Vervoe::new("key", secret).declaration().build(transport!(fake)).unwrap();
        let token = acquire(&credential, Reason::Cold, None).await.unwrap();
        assert_eq!(fake.controls().tokens(), [token.expose_secret()]);
        acquire(&credential, Reason::Expired, Some(&token)).await.unwrap();
        assert_eq!((fake.counts().acquires, fake.counts().refreshes), (2, 0));
        fake.set_keys("key", "another");
        assert_eq!(acquire(&credential, Reason::Expired, Some(&token)).await.unwrap_err().kind(), Rejected);
        fake.assert_no_refusals();
    }
}

#[tokio::test]
async fn videsk_mints_a_key_where_the_program_can() {
    let fake = FakeVidesk::new();
    let mint = {
        let fake = fake.clone();
        from_fn(move |_, _| std::future::ready(AccessToken::new(fake.mint()).map_err(Into::into)))
    };
    let credential = Videsk::minting(mint).parts().unwrap().credential;
    let first = acquire(&credential, Reason::Cold, None).await.unwrap();
    let second = acquire(&credential, Reason::Rejected, Some(&first)).await.unwrap();
    assert_ne!(first.expose_secret(), second.expose_secret());
    assert_eq!(fake.counts().acquires, 2);
}
