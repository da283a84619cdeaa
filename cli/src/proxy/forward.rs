//! [`Upstream`]: sends requests to the vendor, with a token, and brings its answers back. Bodies stream both ways.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
    header::{CONNECTION, LOCATION},
    request::Parts,
    uri::PathAndQuery,
};
use hyper::body::Incoming;
use tokio::time::Instant;
use tower::{Layer, ServiceExt, util::MapResponse};
use tower_reauth::{
    Auth, AuthOutcome, BoxError, Client, ConfigError, NotReplayed, PeekBody, RecordBodies, ReplayBody,
    TokenCache, client::ClientBuilder,
};

use super::{
    body::Body,
    course::Course,
    headers::{self, RequestRules, ResponseRules},
    line::Line,
    no_answer::{no_answer, was_hung_up_on},
    passing::{Download, Upload},
    problem::Problem,
    upgrade::{Asked, Upgrades},
};
use crate::{
    entire::Entire,
    idle::{Elapsed, Idle},
    message::{chain, tell},
    vendor::Vendor,
};

/// Until when a connection that breaks off may be one that the vendor had closed before: as long as the news may be on its way.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The body of the vendor's answer.
type Answer = PeekBody<Entire>;

/// What became of a request, if anything moved.
type Answered = Result<Result<Response<Answer>, BoxError>, Elapsed>;

type Service =
    Auth<MapResponse<Client<ReplayBody<Upload>>, fn(Response<Incoming>) -> Response<Entire>>, RecordBodies>;

/// The vendor, behind the layer.
pub(crate) struct Upstream {
    service: Service,
    /// The same over HTTP/1.1 alone: HTTP/2 can't be upgraded.
    upgrading: Service,
    vendor: Arc<Vendor>,
    prefix: String,
    request_rules: RequestRules,
    response_rules: ResponseRules,
    timeout: Duration,
    verbose: bool,
}

/// How requests are sent to one vendor.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What comes before the vendor's paths here.
    pub(crate) prefix: String,
    pub(crate) replay_limit: usize,
    pub(crate) timeout: Duration,
    /// For how much longer than that a vendor may take in nothing of a body, and say nothing.
    pub(crate) stall_timeout: Duration,
    /// How many connections to the vendor are kept that no request uses. With fewer than the clients have, those above it would be
    /// opened again for nearly each request.
    pub(crate) kept: usize,
    pub(crate) forward_credentials: bool,
    pub(crate) forward_cookies: bool,
    pub(crate) verbose: bool,
}

impl Upstream {
    pub(crate) fn new(
        settings: Settings,
        vendor: Arc<Vendor>,
        client: &ClientBuilder,
    ) -> Result<Self, ConfigError> {
        let Settings {
            prefix,
            replay_limit,
            timeout,
            stall_timeout,
            kept,
            forward_credentials,
            forward_cookies,
            verbose,
        } = settings;
        let layer = vendor.layer.clone().record_bodies(replay_limit);
        let client = client.clone().idle_per_host(kept);
        let behind_the_layer = |client: ClientBuilder| {
            let entire: fn(_) -> _ = Entire::answer;
            Ok::<_, ConfigError>(layer.layer(MapResponse::new(client.build_for()?, entire)))
        };
        // Longer than anybody waits for an answer, who is told of that and not of the connection.
        let write_timeout = timeout.saturating_add(stall_timeout);
        let service = behind_the_layer(client.clone().write_timeout(write_timeout))?;
        let upgrading = behind_the_layer(client.http1_only())?;
        let request_rules = RequestRules::new(vendor.header.as_ref(), forward_credentials, forward_cookies);
        let response_rules = ResponseRules::new(forward_cookies);
        Ok(Self { service, upgrading, vendor, prefix, request_rules, response_rules, timeout, verbose })
    }

    pub(crate) fn tokens(&self) -> TokenCache {
        self.service.tokens()
    }

    /// Where requests go.
    pub(crate) fn base_url(&self) -> String {
        self.vendor.base_url()
    }

    /// Sends one request that the guard has admitted, to `target` at the vendor. It came when it `began`.
    ///
    /// No `async fn`, as each of those on the way would have room for the request of its own, and futures are moved whole.
    pub(crate) fn forward(
        &self,
        request: Request<Incoming>,
        target: PathAndQuery,
        began: Instant,
    ) -> impl Future<Output = Result<Response<Body>, Problem>> + Send {
        let idle = Idle::new(self.timeout);
        let (mut head, body) = request.into_parts();
        let line = Line::of(&mut head, began);
        let version = head.version;
        let readdressed = self.readdress(&mut head, target).map(|()| {
            let (upload, course) = Upload::of(body, version, self.request_rules.clone(), idle.clone());
            let again = (course.is_none() && head.method.is_safe()).then(|| head.clone());
            (self.service.clone().oneshot(Request::from_parts(head, upload)), again, course)
        });
        async move {
            let (answered, course) = match readdressed {
                Ok((sent, again, course)) => {
                    let mut answered = idle.bound(pin!(sent)).await;
                    if let (Ok(Err(error)), Some(head)) = (&answered, again)
                        && began.elapsed() < AT_ONCE
                        && was_hung_up_on(error)
                    {
                        answered = self.once_more(head, &idle).await;
                    }
                    (self.answered(answered, course.as_ref()), course)
                }
                Err(problem) => (Err(problem), None),
            };
            let answered = answered.and_then(|response| match response.status() {
                StatusCode::SWITCHING_PROTOCOLS => Err(another_protocol(
                    "the vendor changed to another protocol, which nobody had asked for",
                )),
                _ => Ok(response),
            });
            self.tell(&line, &answered);
            let rest_is_lost = course.as_ref().is_some_and(|course| !course.is_over());
            match answered {
                Ok(response) => Ok(self.hand_back(response, line, course)),
                Err(problem) => Err(if rest_is_lost { problem.closing() } else { problem }),
            }
        }
    }

    /// Sends a request without a body again. In memory of its own, which others needn't have.
    fn once_more<'a>(
        &'a self,
        head: Parts,
        idle: &'a Idle,
    ) -> Pin<Box<dyn Future<Output = Answered> + Send + 'a>> {
        Box::pin(async move {
            let upload = Upload::empty(self.request_rules.clone(), idle.clone());
            idle.bound(pin!(self.service.clone().oneshot(Request::from_parts(head, upload)))).await
        })
    }

    /// Sends one that asks for another protocol, and has the connections carried once the vendor agrees.
    pub(crate) async fn upgrade(
        &self,
        request: Request<Incoming>,
        target: PathAndQuery,
        asked: Asked,
        upgrades: &Upgrades,
        began: Instant,
    ) -> Result<Response<Body>, Problem> {
        let (mut head, _) = request.into_parts();
        let line = Line::of(&mut head, began);
        let answered = self.shake_hands(head, target, asked, upgrades, &line).await;
        self.tell(&line, &answered);
        answered
    }

    async fn shake_hands(
        &self,
        mut head: Parts,
        target: PathAndQuery,
        asked: Asked,
        upgrades: &Upgrades,
        line: &Line,
    ) -> Result<Response<Body>, Problem> {
        let idle = Idle::new(self.timeout);
        self.readdress(&mut head, target)?;
        RequestRules::upgrade(&mut head.headers, asked.protocol());
        let again = head.clone();
        let upload = || Upload::empty(self.request_rules.clone(), idle.clone());
        let send = async |head| {
            let sent = self.upgrading.clone().oneshot(Request::from_parts(head, upload()));
            self.answered(idle.bound(pin!(sent)).await, None)
        };
        let mut response = send(head).await?;
        // The layer sends no upgrade twice, since it can't know what else hangs on it. Here it is known: nothing.
        if response.extensions().get().and_then(AuthOutcome::not_replayed) == Some(NotReplayed::Upgrade) {
            match send(again).await {
                Ok(second) => response = second,
                Err(problem) => tell(format_args!("an upgrade is not asked for again: {}", problem.detail())),
            }
        }
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.hand_back(response, line.clone(), None));
        }
        if !asked.is_granted_by(&response) {
            return Err(another_protocol(
                "the vendor changed to another protocol than the one that was asked for",
            ));
        }
        let protocol = asked.protocol().clone();
        upgrades.carry(asked, &mut response);
        let mut response = self.hand_back(response, line.clone(), None).map(|_| Body::from(""));
        RequestRules::upgrade(response.headers_mut(), &protocol);
        Ok(response)
    }

    /// What the vendor answered, if it did, and in time. If it didn't, it may be for want of the client's body.
    fn answered(&self, answered: Answered, course: Option<&Course>) -> Result<Response<Answer>, Problem> {
        match answered {
            Ok(Ok(response)) if headers::is_coded(response.headers()) => {
                let detail =
                    "the vendor's answer has another transfer coding than chunked, which nobody asked for";
                Err(Problem::new(StatusCode::BAD_GATEWAY, "http_response_transfer_coding", detail))
            }
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(match course.and_then(Course::broken) {
                Some(why) => Problem::malformed(format!("the client's body broke off: {why}")),
                None => no_answer(&error),
            }),
            Err(Elapsed) if course.is_some_and(Course::is_owed) => {
                let detail =
                    format!("nothing moved for {:?}, and the client's body isn't at its end", self.timeout);
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "http_request_error", detail))
            }
            Err(Elapsed) => {
                let detail = format!("nothing moved for {:?}, and there is no answer", self.timeout);
                Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "http_response_timeout", detail))
            }
        }
    }

    /// Says how a request was answered, as far as that is wanted.
    fn tell<B>(&self, line: &Line, answered: &Result<Response<B>, Problem>) {
        let took = || line.began.elapsed().as_millis();
        match answered {
            Ok(response) if self.verbose => {
                let (status, outcome) = (response.status(), self.outcome(response));
                tell(format_args!("{line}: {status} in {} ms{outcome}", took()));
            }
            Ok(_) => {}
            Err(problem) => {
                tell(format_args!("{line}: {} in {} ms: {}", problem.status(), took(), problem.detail()));
            }
        }
    }

    /// Makes of the head what the vendor gets. Of its target nothing but path and query is used.
    fn readdress(&self, head: &mut Parts, target: PathAndQuery) -> Result<(), Problem> {
        let url = self.vendor.url(target);
        head.uri = url.map_err(|error| Problem::malformed(format!("the target can't be sent: {error}")))?;
        self.request_rules.apply(&mut head.headers, head.version);
        // What is spoken with the vendor is between the client and the vendor.
        head.version = Version::HTTP_11;
        head.extensions.clear();
        Ok(())
    }

    fn hand_back(&self, response: Response<Answer>, line: Line, course: Option<Course>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        // Of a vendor that closes its connection, too.
        let closes = course.as_ref().is_some_and(|course| !course.is_over()) && headers::closes(&head);
        self.response_rules.apply(&mut head.headers, head.version);
        self.lead_back(&mut head.headers);
        head.version = Version::default();
        if closes {
            head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let download = Download::of(body, self.response_rules, line, course);
        Response::from_parts(head, Body::Vendors(download))
    }

    /// A redirect within the vendor's origin is one within the proxy's. Elsewhere there would be no token.
    fn lead_back(&self, headers: &mut HeaderMap) {
        let Some(location) = headers.get(LOCATION).and_then(|location| location.to_str().ok()) else {
            return;
        };
        let path = self.vendor.path_of(location);
        // After two slashes comes a host.
        let path = path.filter(|path| !path[1..].starts_with(['/', '\\'])).map(|path| match &*self.prefix {
            "" => HeaderValue::from_str(path),
            prefix => HeaderValue::try_from(format!("{prefix}{path}")),
        });
        let led = path.or_else(|| self.vendor.whole_url(location).map(HeaderValue::try_from));
        if let Some(Ok(led)) = led {
            headers.insert(LOCATION, led);
        }
    }

    /// What the layer did, for the log.
    fn outcome<B>(&self, response: &Response<B>) -> String {
        let generation = self.tokens().state().generation();
        let mut said = generation.map(|number| format!(", token {number}")).unwrap_or_default();
        let Some(outcome) = response.extensions().get::<AuthOutcome>() else { return said };
        said.push_str(&format!(", {:?}", outcome.verdict()));
        if outcome.replayed() {
            said.push_str(", replayed");
        }
        for why in [
            outcome.not_replayed().map(|why| format!(", not replayed: {why:?}")),
            outcome.unread().map(|why| format!(", not looked at: {why:?}")),
            outcome.reason().map(|reason| format!(", {reason}")),
            outcome.error().map(|error| format!(", no new token: {}", chain(error))),
        ] {
            said.extend(why);
        }
        said
    }
}

fn another_protocol(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "http_protocol_error", detail)
}
