//! [`Upgrades`]: which protocols connections may change to, and how many connections may have done so.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, UPGRADE},
};
use http_body::Body;
use hyper::{body::Incoming, upgrade::OnUpgrade};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tunnel::{self, Speech};
use crate::proxy::{front::Ending, headers, problem::Problem};

const WEBSOCKET: &str = "websocket";

/// What connections may change to.
pub(crate) struct Upgrades {
    protocols: Vec<String>,
    places: Arc<Semaphore>,
    most: usize,
    idle: Duration,
    ending: Arc<Ending>,
}

/// A request that asks for another protocol, with a place for the connection that may become of it.
pub(crate) struct Asked {
    protocol: HeaderValue,
    client: OnUpgrade,
    place: OwnedSemaphorePermit,
}

impl Upgrades {
    /// `protocols` are in lower case, `most` is how many there may be at once, and `idle` how long nothing may move.
    pub(crate) fn new(protocols: Vec<String>, most: usize, idle: Duration, ending: Arc<Ending>) -> Self {
        Self { protocols, places: Arc::new(Semaphore::new(most)), most, idle, ending }
    }

    /// How many connections are upgraded, or about to be.
    pub(crate) fn open(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// What the request asks for, if it does. To ask for HTTP/2 is to ask for nothing: it may be offered by anybody, and need
    /// not be taken (RFC 9110 §7.8).
    pub(crate) fn asked(&self, request: &mut Request<Incoming>) -> Result<Option<Asked>, Problem> {
        let offers = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"h2c");
        if request.version() != Version::HTTP_11
            || request.headers().get_all(UPGRADE).iter().all(offers)
            || !headers::names(request.headers(), &CONNECTION)
                .any(|name| name.eq_ignore_ascii_case(UPGRADE.as_str().as_bytes()))
        {
            return Ok(None);
        }
        let mut asked = request.headers().get_all(UPGRADE).iter();
        let protocol = match (asked.next(), asked.next()) {
            (Some(protocol), None) => protocol.clone(),
            _ => return Err(Problem::unsupported("ask for one protocol at a time")),
        };
        let is_known = |known: &String| protocol.as_bytes().eq_ignore_ascii_case(known.as_bytes());
        if !self.protocols.iter().any(is_known) {
            let known = match self.protocols.is_empty() {
                true => "nothing".to_owned(),
                false => self.protocols.join(", "),
            };
            return Err(Problem::unsupported(format!(
                "connections aren't upgraded but to {known}; --upgrades allows for other protocols"
            )));
        }
        // It is sent again if the token has expired, and a body could look like what comes after the upgrade.
        if !request.body().is_end_stream() || is_websocket(&protocol) && *request.method() != Method::GET {
            return Err(Problem::unsupported("an upgrade may have no body, and for WebSocket it is by GET"));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let detail = "there are as many upgraded connections as --max-upgrades allows for";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "connection_limit_reached", detail)
                .with_retry_after(Some(Duration::ZERO))
        })?;
        Ok(Some(Asked { protocol, client: hyper::upgrade::on(request), place }))
    }

    /// Carries what client and vendor say to each other once the connection has changed.
    pub(crate) fn carry<B>(&self, asked: Asked, response: &mut Response<B>) {
        let Asked { protocol, client, place } = asked;
        let vendor = hyper::upgrade::on(response);
        let speech = if is_websocket(&protocol) { Speech::Frames } else { Speech::Unknown };
        let (idle, ended) = (self.idle, self.ending.listener());
        tokio::spawn(async move {
            // The client may have gone before the answer came, and then its connection doesn't change.
            if let Ok((client, vendor)) = tokio::try_join!(client, vendor) {
                tunnel::run(client, vendor, speech, idle, ended).await;
            }
            drop(place);
        });
    }
}

impl Asked {
    /// What it asks for.
    pub(crate) fn protocol(&self) -> &HeaderValue {
        &self.protocol
    }

    /// Whether an answer has agreed to just that.
    pub(crate) fn is_granted_by<B>(&self, response: &Response<B>) -> bool {
        let mut granted = response.headers().get_all(UPGRADE).iter();
        let same = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes());
        granted.next().is_some_and(same) && granted.next().is_none()
    }
}

fn is_websocket(protocol: &HeaderValue) -> bool {
    protocol.as_bytes().eq_ignore_ascii_case(WEBSOCKET.as_bytes())
}
