//! A server that answers as it is told, and what it was sent.

mod answers;
mod authorizations;
mod client_authentication;
mod config;
mod discovery;
#[cfg(feature = "store")]
mod identity;
mod inputs;
#[cfg(feature = "jwt")]
mod jwt;
mod logins;
mod refresh;
mod revocation;
mod rotation;
mod secrets;
mod wire;

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::{
    error::AcquireError,
    observe::Reason,
    token::{AccessToken, Acquire, Credential},
    transport::Transport,
};

const URL: &str = "https://server.example.com/token";

/// An authorization server. Its last answer is its answer to everything that follows.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<(u16, String)>,
    seen: Vec<Seen>,
}

/// A request.
#[derive(Clone, Debug)]
struct Seen {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization")?.to_str().ok()
    }

    /// The field's value as it was sent.
    fn field(&self, name: &str) -> Option<&str> {
        self.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self::saying(answers.into_iter().map(|(status, body)| (status, body.to_string())))
    }

    fn saying(answers: impl IntoIterator<Item = (u16, String)>) -> Self {
        Self(Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), seen: Vec::new() })))
    }

    /// A server that hands out one token.
    fn healthy() -> Self {
        Self::answering([(200, token("2YotnFZFEjr1zCsicMWpAA"))])
    }

    fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap().seen.clone()
    }

    fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }

    fn transport(&self) -> Transport {
        let state = self.0.clone();
        Transport::new(service_fn(move |request: Request<Bytes>| {
            let mut state = state.lock().unwrap();
            let (head, body) = request.into_parts();
            state.seen.push(Seen {
                method: head.method,
                url: head.uri.to_string(),
                headers: head.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            let answer = if state.answers.len() > 1 {
                state.answers.pop_front()
            } else {
                state.answers.front().cloned()
            };
            let (status, body) = answer.expect("an answer");
            let mut response = Response::new(Full::<Bytes>::from(body));
            *response.status_mut() = status.try_into().unwrap();
            ready(Ok::<_, Infallible>(response))
        }))
    }
}

fn token(token: &str) -> Value {
    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600})
}

fn with_refresh(access: &str, refresh: &str) -> Value {
    json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh})
}

fn basic() -> ClientAuthentication {
    ClientAuthentication::secret_basic("s6BhdRkqt3", "gX1fBat3bV")
}

async fn acquire(credential: &OAuth2Credential) -> Result<AccessToken, AcquireError> {
    Credential::acquire(credential, Acquire::new(Reason::Cold, None)).await
}

async fn renew(credential: &OAuth2Credential, previous: &AccessToken) -> Result<AccessToken, AcquireError> {
    Credential::acquire(credential, Acquire::new(Reason::Expired, Some(previous))).await
}
