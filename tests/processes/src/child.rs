//! One of the processes: a layer on the store, and calls of the API one after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    time::{Instant, sleep, timeout_at},
};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};
use tower_reauth::{
    AuthError, AuthLayer, PeekBody, RefreshPolicy, StoreError, TokenCache, Transport,
    oauth2::{ClientAuthentication, Password, RefreshToken},
    store::{
        Claim, Claimed, FileStore, Keys, RedisStore, Release, Save, Saved, SealedStore, Seen, SharedSlot,
        Slot, Store,
    },
};

use crate::{BoxError, fleet::Grant, place::Place};

/// What records are sealed with.
const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// How long a process waits between two calls.
const BETWEEN: Duration = Duration::from_millis(100);

type Http = BoxCloneService<Request<Full<Bytes>>, Response<Incoming>, BoxError>;

/// What the process is started with.
#[derive(Clone, Debug)]
pub struct Child {
    pub number: u32,
    /// The API's origin, beneath which the token endpoint is as well.
    pub server: String,
    pub place: Place,
    pub grant: Grant,
    /// The part of a lifetime in which tokens are renewed early.
    pub early: f64,
    /// How long it runs, if it isn't told to end before.
    pub lasting: Duration,
}

impl Child {
    /// As whoever starts it says it.
    pub fn arguments(&self) -> Vec<String> {
        vec![
            "child".to_owned(),
            self.number.to_string(),
            self.server.clone(),
            self.place.to_string(),
            self.grant.to_string(),
            self.early.to_string(),
            self.lasting.as_millis().to_string(),
        ]
    }

    /// Reads what [`arguments`](Self::arguments) makes.
    pub fn parse(arguments: &[String]) -> Option<Self> {
        match arguments {
            [child, number, server, place, grant, early, lasting] if child == "child" => Some(Self {
                number: number.parse().ok()?,
                server: server.clone(),
                place: Place::parse(place)?,
                grant: Grant::parse(grant)?,
                early: early.parse().ok()?,
                lasting: Duration::from_millis(lasting.parse().ok()?),
            }),
            _ => None,
        }
    }

    /// Runs until its time is up, or its standard input ends; then it waits for what is under way, and tells how often it
    /// has asked the store.
    pub async fn run(self) -> Result<(), BoxError> {
        let http = self.http();
        let commands = Commands::default();
        let mut session = self.session(&http).await?;
        let (mut service, mut tokens) = self.layer(&http, &session, &commands).await?;
        let (mut input, mut byte) = (tokio::io::stdin(), [0]);
        let end = Instant::now() + self.lasting;
        let mut read = Box::pin(async move { input.read(&mut byte).await });
        while Instant::now() < end {
            let call = async {
                let answer = self.call(&mut service).await;
                sleep(BETWEEN.mul_f64(0.5 + fastrand::f64())).await;
                answer
            };
            let answer = tokio::select! {
                answer = timeout_at(end, call) => answer,
                _ = &mut read => break,
            };
            if let Ok(Err(why)) = answer {
                self.tell(&http, &format!("without {why}")).await?;
                let newest = self.session(&http).await?;
                if newest != session {
                    session = newest;
                    (service, tokens) = self.layer(&http, &session, &commands).await?;
                }
            }
        }
        tokens.settled().await;
        self.tell(&http, &format!("bye {}", commands.0.load(Relaxed))).await
    }

    /// One call. An error is why there was no token.
    async fn call(&self, service: &mut Authenticated) -> Result<(), String> {
        let request = Request::get(format!("{}/api", self.server)).body(Full::default()).expect("valid");
        let service = service.ready().await.map_err(|error| error.to_string())?;
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

    /// Every request says whose it is.
    fn http(&self) -> Http {
        let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let number = HeaderValue::from(self.number);
        let named = service_fn(move |mut request: Request<Full<Bytes>>| {
            request.headers_mut().insert("x-process", number.clone());
            let http = http.clone();
            async move { Ok(http.request(request).await?) }
        });
        BoxCloneService::new(named)
    }

    async fn layer(
        &self,
        http: &Http,
        session: &Session,
        commands: &Commands,
    ) -> Result<(Authenticated, TokenCache), BoxError> {
        let token_endpoint = format!("{}/token", self.server);
        let client = ClientAuthentication::secret_basic("service", "secret");
        let transport = Transport::new(http.clone());
        let layer = match self.grant {
            Grant::Both => Password::new(token_endpoint, client, "johndoe", "password")
                .scope("offline_access")
                .layer(&self.server, transport)?,
            Grant::Only => RefreshToken::new(token_endpoint, client, session.refresh_token.as_str())
                .layer(&self.server, transport)?,
        };
        let slot = open(&self.place, session.family, commands)?;
        let policy = RefreshPolicy::default().early(self.early, Duration::from_secs(300));
        let layer: AuthLayer = layer.policy(policy).shared(slot)?;
        let tokens = layer.tokens();
        Ok((BoxCloneService::new(layer.layer(http.clone())), tokens))
    }

    async fn session(&self, http: &Http) -> Result<Session, BoxError> {
        let body = self.ask(http, "/session").await?;
        let session: Value = serde_json::from_slice(&body)?;
        Ok(Session {
            family: session["family"].as_u64().ok_or("no family")?,
            refresh_token: session["refresh_token"].as_str().unwrap_or_default().to_owned(),
        })
    }

    async fn tell(&self, http: &Http, what: &str) -> Result<(), BoxError> {
        let request = Request::post(format!("{}/told", self.server)).body(what.to_owned().into())?;
        let response = http.clone().oneshot(request).await?;
        response.into_body().collect().await?;
        Ok(())
    }

    async fn ask(&self, http: &Http, path: &str) -> Result<Bytes, BoxError> {
        let request = Request::get(format!("{}{path}", self.server)).body(Full::default())?;
        let response = http.clone().oneshot(request).await?;
        assert_eq!(response.status(), StatusCode::OK);
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

/// A client whose requests are authenticated.
type Authenticated = BoxCloneService<Request<Full<Bytes>>, Response<PeekBody<Incoming>>, BoxError>;

/// Which login the process lives by.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    family: u64,
    refresh_token: String,
}

fn open(place: &Place, family: u64, commands: &Commands) -> Result<SharedSlot, BoxError> {
    let keys = Keys::new(KEY);
    let sealed = match place {
        Place::Files(directory) => {
            let store = FileStore::open(directory)?;
            SealedStore::new(Counted(store, commands.clone()), &keys)?
        }
        Place::Redis(url) => SealedStore::new(Counted(RedisStore::lazy(url)?, commands.clone()), &keys)?,
    };
    Ok(sealed.slot(&Place::slot(family))?.subject(format!("johndoe {family}")))
}

/// How often the store was asked.
#[derive(Clone, Default)]
struct Commands(Arc<AtomicU32>);

/// Counts what a store is asked.
struct Counted<S>(S, Commands);

impl<S> Counted<S> {
    fn store(&self) -> &S {
        self.1.0.fetch_add(1, Relaxed);
        &self.0
    }
}

impl<S: Store> Store for Counted<S> {
    async fn look(&self, slot: &Slot) -> Result<Seen, StoreError> {
        self.store().look(slot).await
    }

    async fn claim(&self, slot: &Slot, claim: Claim) -> Result<Claimed, StoreError> {
        self.store().claim(slot, claim).await
    }

    async fn save(&self, slot: &Slot, save: Save) -> Result<Saved, StoreError> {
        self.store().save(slot, save).await
    }

    async fn release(&self, slot: &Slot, release: Release) -> Result<(), StoreError> {
        self.store().release(slot, release).await
    }
}

/// An error with its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
