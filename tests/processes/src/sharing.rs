//! [`Sharing`]: calls of the API through a layer whose token other processes share, or one of its own.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower::{Layer, Service, ServiceExt, util::BoxCloneService};
use tower_reauth::{
    AuthError, AuthLayer, PeekBody, RefreshPolicy, TokenCache, Transport,
    oauth2::{ClientAuthentication, Password, RefreshToken},
    store::{FileStore, Keys, RedisStore, SealedStore, SharedSlot},
};

use crate::{
    BoxError,
    child::{Caller, Child, Http, Session},
    counted::{Commands, Counted},
    fleet::Grant,
    place::Place,
    sentinels::NAME,
};

/// What records are sealed with.
const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// A service with a layer of ours.
pub struct Sharing {
    service: BoxCloneService<Request<Full<Bytes>>, Response<PeekBody<Incoming>>, BoxError>,
    tokens: TokenCache,
    api: String,
}

impl Caller for Sharing {
    async fn log_in(
        child: &Child,
        http: &Http,
        session: &Session,
        commands: &Commands,
    ) -> Result<Self, BoxError> {
        let token_endpoint = format!("{}/token", child.server);
        let client = ClientAuthentication::secret_basic("service", "secret");
        let transport = Transport::new(http.clone());
        let layer = match child.grant {
            Grant::Both => Password::new(token_endpoint, client, "johndoe", "password")
                .scope("offline_access")
                .layer(&child.server, transport)?,
            Grant::Only => RefreshToken::new(token_endpoint, client, session.refresh_token.as_str())
                .layer(&child.server, transport)?,
        };
        let policy = RefreshPolicy::default().early(child.early, Duration::from_secs(300));
        let mut layer: AuthLayer = layer.policy(policy);
        if let Some(slot) = open(&child.place, session.family, commands)? {
            layer = layer.shared(slot)?;
        }
        let tokens = layer.tokens();
        let service = BoxCloneService::new(layer.layer(http.clone()));
        Ok(Self { service, tokens, api: format!("{}/api", child.server) })
    }

    async fn call(&mut self) -> Result<(), String> {
        let request = Request::get(&self.api).body(Full::default()).expect("valid");
        let service = self.service.ready().await.map_err(|error| error.to_string())?;
        match service.call(request).await {
            Ok(response) => {
                let _ = response.into_body().collect().await;
                Ok(())
            }
            Err(error) => Err(match AuthError::find(&*error) {
                Some(auth) => format!("{:?}: {}", auth.kind(), chain(auth)),
                None => format!("the API: {error}"),
            }),
        }
    }

    async fn settled(&mut self) {
        self.tokens.settled().await;
    }
}

/// A login's place in the store, if there is one.
pub fn open(place: &Place, family: u64, commands: &Commands) -> Result<Option<SharedSlot>, BoxError> {
    let keys = Keys::new(KEY);
    let sealed = match place {
        Place::Nowhere => return Ok(None),
        Place::Files(directory) => {
            let store = FileStore::open(directory)?;
            SealedStore::new(Counted(store, commands.clone()), &keys)?
        }
        Place::Redis(url) => SealedStore::new(Counted(RedisStore::lazy(url)?, commands.clone()), &keys)?,
        Place::Sentinels(urls) => {
            let store = RedisStore::sentinel_lazy(urls.clone(), &format!("redis://{NAME}"))?;
            SealedStore::new(Counted(store, commands.clone()), &keys)?
        }
    };
    Ok(Some(sealed.slot(&Place::slot(family))?.subject(format!("johndoe {family}"))))
}

/// An error with its sources.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
