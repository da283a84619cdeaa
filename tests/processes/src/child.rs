//! [`Child`]: one of the processes, which calls the API again and again.

use std::time::Duration;

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
use tower::{ServiceExt, service_fn, util::BoxCloneService};

use crate::{BoxError, counted::Commands, fleet::Grant, place::Place};

/// How long a process waits between two calls.
const BETWEEN: Duration = Duration::from_millis(100);

/// A client that says whose requests they are.
pub type Http = BoxCloneService<Request<Full<Bytes>>, Response<Incoming>, BoxError>;

/// How a process calls the API.
pub trait Caller: Sized {
    /// Begins with a login.
    fn log_in(
        child: &Child,
        http: &Http,
        session: &Session,
        commands: &Commands,
    ) -> impl Future<Output = Result<Self, BoxError>>;

    /// One call. An error is why there was no token.
    fn call(&mut self) -> impl Future<Output = Result<(), String>>;

    /// Waits for what is under way.
    fn settled(&mut self) -> impl Future<Output = ()>;
}

/// What the process is started with.
#[derive(Clone, Debug)]
pub struct Child {
    /// What it is to be, as the first word says.
    pub manner: String,
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
            self.manner.clone(),
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
            [manner, number, server, place, grant, early, lasting] => Some(Self {
                manner: manner.clone(),
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
    pub async fn run<C: Caller>(self) -> Result<(), BoxError> {
        let http = http(self.number);
        let commands = Commands::default();
        let mut session = self.session(&http).await?;
        let mut caller = C::log_in(&self, &http, &session, &commands).await?;
        let (mut input, mut byte) = (tokio::io::stdin(), [0]);
        let end = Instant::now() + self.lasting;
        let mut read = Box::pin(async move { input.read(&mut byte).await });
        while Instant::now() < end {
            let call = async {
                let answer = caller.call().await;
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
                    caller = C::log_in(&self, &http, &session, &commands).await?;
                }
            }
        }
        caller.settled().await;
        self.tell(&http, &format!("bye {}", commands.sum())).await
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

/// A client of which every request says whose it is.
#[must_use]
pub fn http(process: u32) -> Http {
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let number = HeaderValue::from(process);
    let named = service_fn(move |mut request: Request<Full<Bytes>>| {
        request.headers_mut().insert("x-process", number.clone());
        let http = http.clone();
        async move { Ok(http.request(request).await?) }
    });
    BoxCloneService::new(named)
}

/// Which login the process lives by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub family: u64,
    pub refresh_token: String,
}
