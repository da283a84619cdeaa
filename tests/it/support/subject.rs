//! The four vendors as subjects of one suite: what differs between them, as data. How a program comes by the layer is
//! for others to say.

use std::time::Duration;

use http::Request;
use tower::Layer;
use tower_reauth::{
    AccessToken, ApiVideo, Auth, AuthErrorKind, AuthLayer, BoxCredential, Client, Transport, Verdict, Vervoe,
    Videsk, Vidizmo, from_fn,
    testing::{
        Answer, ApiVideoError, Controls, Counts, Endpoint, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo,
        Revoked, Served, VervoeError, VideskError, VidizmoError,
    },
};

use super::{Body, Secrets, client, get};

/// What the fakes accept: an API key, a Basic pair that needs care, a user with a password.
pub(crate) const KEYS: Keys = Keys {
    api_video: "video-api-key-7aY2",
    vervoe: ("vervoe-api-key", "s3cret:Kéy+%41ü"),
    vidizmo: ("john.doe@example.com", "examplepass\"wörd"),
};

pub(crate) struct Keys {
    pub(crate) api_video: &'static str,
    pub(crate) vervoe: (&'static str, &'static str),
    pub(crate) vidizmo: (&'static str, &'static str),
}

/// One vendor's fake on a socket, what a program makes to call it, and what the contract promises.
///
/// When it is dropped it checks that the fake had nothing to refuse.
pub(crate) struct Subject {
    pub(crate) controls: Controls,
    pub(crate) served: Served,
    /// An API call.
    pub(crate) target: &'static str,
    /// How an expired token is answered.
    pub(crate) expired: Answer,
    /// Where another token comes from when one has expired.
    pub(crate) renewed_at: Endpoint,
    /// What becomes of a call whose token was revoked.
    pub(crate) recoveries: Vec<Recovery>,
    /// Answers that must pass untouched, and what they say of the token.
    pub(crate) passing: Vec<(Answer, Verdict)>,
    secrets: Secrets,
    layer: Box<dyn Fn(Transport, Option<Duration>) -> AuthLayer + Send + Sync>,
}

/// What a call does that meets a token revoked in this way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    pub(crate) revoked: Revoked,
    pub(crate) acquires: usize,
    pub(crate) refreshes: usize,
    pub(crate) end: End,
}

/// What its caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The answer to the replay.
    Success,
    /// The answer that rejected the token, with this error in its outcome.
    Rejection(AuthErrorKind),
    /// An answer that is no reason to refresh.
    Denial,
}

impl Subject {
    pub(crate) fn layer(&self) -> AuthLayer {
        self.layer_over(client())
    }

    /// The layer whose token requests go through `transport`.
    pub(crate) fn layer_over(&self, transport: impl Into<Transport>) -> AuthLayer {
        (self.layer)(transport.into(), None)
    }

    /// The layer for tokens that live for `lifetime`; from now on the fake's do.
    pub(crate) fn short_lived_layer(&self, lifetime: Duration) -> AuthLayer {
        self.short_lived_layer_over(client(), lifetime)
    }

    pub(crate) fn short_lived_layer_over(
        &self,
        transport: impl Into<Transport>,
        lifetime: Duration,
    ) -> AuthLayer {
        self.controls.set_lifetime(lifetime);
        (self.layer)(transport.into(), Some(lifetime))
    }

    /// The layer over a client of its own.
    pub(crate) fn service(&self) -> Auth<Client> {
        self.layer().layer(client())
    }

    pub(crate) fn request(&self) -> Request<Body> {
        get(&self.served.url(self.target))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.controls.counts()
    }

    /// How often an expired token was replaced, in the way that the vendor has for it.
    pub(crate) fn renewals(&self) -> usize {
        match self.renewed_at {
            Endpoint::Refresh => self.counts().refreshes,
            _ => self.counts().acquires,
        }
    }

    /// Everything that nobody may see: what the program was given, and what was issued since.
    pub(crate) fn secrets(&self) -> Secrets {
        self.secrets.clone().and(self.controls.tokens()).and(self.controls.refresh_tokens())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.controls.assert_no_refusals();
        }
    }
}

/// Makes the layer for the server at an origin, and for tokens with a lifetime of its own if one is given.
pub(super) type Make = fn(&str, Transport, Option<Duration>) -> AuthLayer;

pub(crate) async fn api_video() -> Subject {
    api_video_by(|origin, transport, _| {
        ApiVideo::sandbox(KEYS.api_video).base_url(origin).layer(transport).unwrap()
    })
    .await
}

/// With a program that mints a key whenever one is asked for.
pub(crate) async fn videsk() -> Subject {
    videsk_by(|origin, minting| Videsk::minting(minting).base_url(origin).layer().unwrap()).await
}

pub(crate) async fn vidizmo() -> Subject {
    vidizmo_by(|origin, transport, lifetime| {
        let (email, password) = KEYS.vidizmo;
        let vidizmo = Vidizmo::password("portal.invalid", email, password).base_url(origin);
        match lifetime {
            Some(lifetime) => vidizmo.lifetime(lifetime).layer(transport).unwrap(),
            None => vidizmo.layer(transport).unwrap(),
        }
    })
    .await
}

pub(crate) async fn vervoe() -> Subject {
    vervoe_by(|origin, transport, lifetime| {
        let (key, secret) = KEYS.vervoe;
        let vervoe = Vervoe::new(key, secret).base_url(origin);
        match lifetime {
            Some(lifetime) => vervoe.lifetime(lifetime).layer(transport).unwrap(),
            None => vervoe.layer(transport).unwrap(),
        }
    })
    .await
}

/// The lifetime is in api.video's answers.
pub(super) async fn api_video_by(make: Make) -> Subject {
    use ApiVideoError as E;
    let fake = FakeApiVideo::new(KEYS.api_video);
    let served = fake.serve().await.unwrap();
    let origin = served.origin().to_owned();
    Subject {
        target: "/videos?page=1&tags%5B%5D=a%20b",
        expired: E::AccessTokenInvalidOrExpired.into(),
        renewed_at: Endpoint::Refresh,
        recoveries: vec![
            recovery(Revoked::Expired, 0, 1, End::Success),
            recovery(Revoked::Invalid, 1, 1, End::Success),
            recovery(Revoked::Removed, 1, 1, End::Rejection(AuthErrorKind::CredentialsRejected)),
        ],
        passing: [
            (E::RefreshTokenInvalid, Verdict::Accepted),
            (E::UserCredentialsIncorrect, Verdict::Accepted),
            (E::ApiKeyInvalid, Verdict::Denied),
            (E::AuthorizationInvalid, Verdict::Denied),
            (E::AuthorizationMissing, Verdict::Denied),
            (E::UploadTokenInvalidOrExpired, Verdict::Denied),
            (E::UploadTokenMissing, Verdict::Denied),
            (E::SuspendedAccount, Verdict::Denied),
            (E::TooManyRequests, Verdict::Accepted),
        ]
        .map(|(error, verdict)| (error.into(), verdict))
        .into(),
        secrets: Secrets::new([KEYS.api_video]),
        layer: Box::new(move |transport, lifetime| make(&origin, transport, lifetime)),
        controls: fake.controls().clone(),
        served,
    }
}

/// `make` gets a credential that mints a key whenever one is asked for.
pub(super) async fn videsk_by(make: fn(&str, BoxCredential) -> AuthLayer) -> Subject {
    use VideskError as E;
    let fake = FakeVidesk::new();
    let served = fake.serve().await.unwrap();
    let (origin, controls) = (served.origin().to_owned(), fake.controls().clone());
    Subject {
        target: "/public/video-contact-center/segments",
        expired: E::JwtExpired.into(),
        renewed_at: Endpoint::Acquire,
        recoveries: vec![
            recovery(Revoked::Expired, 1, 0, End::Success),
            recovery(Revoked::Invalid, 1, 0, End::Success),
            recovery(Revoked::Removed, 0, 0, End::Denial),
        ],
        passing: [
            (E::JwtMalformed, Verdict::Denied),
            (E::JwtRequired, Verdict::Denied),
            (E::UnexpectedToken, Verdict::Denied),
            (E::JwtNotActive, Verdict::Denied),
            (E::InvalidToken, Verdict::Denied),
            (E::AppointmentOver, Verdict::Denied),
            (E::KeyRemoved, Verdict::Denied),
            (E::NoAccess, Verdict::Denied),
            (E::Html, Verdict::Accepted),
        ]
        .map(|(error, verdict)| (error.into(), verdict))
        .into(),
        secrets: Secrets::default(),
        layer: Box::new(move |_, lifetime| {
            let fake = fake.clone();
            let minting = from_fn(move |_, _| {
                let key = AccessToken::new(fake.mint());
                async move {
                    Ok(match lifetime {
                        Some(lifetime) => key?.with_lifetime(lifetime),
                        None => key?,
                    })
                }
            });
            make(&origin, BoxCredential::new(minting))
        }),
        controls,
        served,
    }
}

pub(super) async fn vidizmo_by(make: Make) -> Subject {
    use VidizmoError as E;
    let (email, password) = KEYS.vidizmo;
    let fake = FakeVidizmo::password(email, password);
    let served = fake.serve().await.unwrap();
    let origin = served.origin().to_owned();
    Subject {
        target: "/api/v1/user/esther.fray%40gmail.com?userPartsToFetch=BasicInfo",
        expired: E::ExpiredAccessToken.into(),
        renewed_at: Endpoint::Refresh,
        recoveries: vec![
            recovery(Revoked::Expired, 0, 1, End::Success),
            recovery(Revoked::Invalid, 1, 0, End::Success),
            recovery(Revoked::Removed, 1, 0, End::Rejection(AuthErrorKind::CredentialsRejected)),
        ],
        passing: [E::LoginFailed, E::BadRequest, E::ExpiredInDetails]
            .map(|error| (error.into(), Verdict::Accepted))
            .into(),
        secrets: Secrets::new([email, password]),
        layer: Box::new(move |transport, lifetime| make(&origin, transport, lifetime)),
        controls: fake.controls().clone(),
        served,
    }
}

pub(super) async fn vervoe_by(make: Make) -> Subject {
    use VervoeError as E;
    let (key, secret) = KEYS.vervoe;
    let fake = FakeVervoe::new(key, secret);
    let served = fake.serve().await.unwrap();
    let origin = served.origin().to_owned();
    Subject {
        target: "/api/jobs?status=open",
        expired: E::InvalidCredentials.into(),
        renewed_at: Endpoint::Acquire,
        recoveries: vec![
            recovery(Revoked::Expired, 1, 0, End::Success),
            recovery(Revoked::Invalid, 1, 0, End::Success),
            recovery(Revoked::Removed, 1, 0, End::Rejection(AuthErrorKind::CredentialsRejected)),
        ],
        passing: vec![
            (E::AccessDenied.into(), Verdict::Denied),
            (E::KeysMissing.into(), Verdict::Accepted),
            (E::NotSuccessful.into(), Verdict::Accepted),
        ],
        secrets: Secrets::new([key, secret]),
        layer: Box::new(move |transport, lifetime| make(&origin, transport, lifetime)),
        controls: fake.controls().clone(),
        served,
    }
}

fn recovery(revoked: Revoked, acquires: usize, refreshes: usize, end: End) -> Recovery {
    Recovery { revoked, acquires, refreshes, end }
}
