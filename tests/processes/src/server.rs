//! [`Server`]: the processes' API, and the way to the token endpoint, which takes a while.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::spawn_local,
    time::{Instant, sleep},
};

use crate::{
    BoxError,
    ledger::{Ledger, Said, Without},
};

/// How long requests to the token endpoint take to get there, and answers to get back.
const WAY: (u64, u64) = (20, 200);

pub struct Server {
    pub address: String,
    inside: Rc<Inside>,
}

struct Inside {
    ledger: Rc<Ledger>,
    issuer: String,
    http: Client<HttpConnector, Full<Bytes>>,
    /// The refresh token that the newest login has begun with.
    initial: std::cell::RefCell<String>,
    logs_in: bool,
}

impl Server {
    /// A server in front of the authorization server. If `logs_in`, there is a login at first, and a new one for each that
    /// is lost.
    pub async fn start(ledger: Rc<Ledger>, issuer: String, logs_in: bool) -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        // Node closes connections that nobody has used for five seconds: one that it is about to close is not to be taken.
        let http =
            Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(2)).build_http();
        let inside = Rc::new(Inside { ledger, issuer, http, initial: Default::default(), logs_in });
        if logs_in {
            inside.log_in().await?;
        }
        let serving = inside.clone();
        spawn_local(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let inside = serving.clone();
                let answer = service_fn(move |request| {
                    // A task of its own: what was asked for is done, though whoever asked has died since.
                    let answered = spawn_local(inside.clone().answer(request));
                    async move { answered.await.map_err(BoxError::from)? }
                });
                spawn_local(http1::Builder::new().serve_connection(TokioIo::new(tcp), answer));
            }
        });
        Ok(Self { address, inside })
    }

    /// The family of the login that there is now.
    pub fn family(&self) -> u64 {
        self.inside.family()
    }
}

impl Inside {
    /// Without logins there is one slot for all.
    fn family(&self) -> u64 {
        if self.logs_in { self.ledger.books().family } else { 0 }
    }

    async fn answer(self: Rc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BoxError> {
        let (head, body) = request.into_parts();
        let by = head.headers.get("x-process").and_then(|value| value.to_str().ok()?.parse().ok());
        let by = by.ok_or("a request of no process")?;
        let body = body.collect().await?.to_bytes();
        match head.uri.path() {
            "/api" => Ok(self.api(by, &head.headers)),
            "/token" => self.token(by, &head.headers, body).await,
            "/session" => {
                let session = json!({ "family": self.family(), "refresh_token": *self.initial.borrow() });
                Ok(Response::new(session.to_string().into()))
            }
            "/told" => {
                self.told(&String::from_utf8_lossy(&body));
                Ok(Response::default())
            }
            path => Err(format!("nothing is at {path}").into()),
        }
    }

    fn api(&self, by: u32, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if self.ledger.books().takes(by, token) {
            return Response::new(Full::from("fine"));
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = header::HeaderValue::from_static(r#"Bearer error="invalid_token""#);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    }

    async fn token(
        &self,
        by: u32,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, BoxError> {
        let sent = field(&body, "refresh_token");
        let call = self.ledger.books().call(by);
        on_its_way().await;
        let request = Request::post(format!("{}/token", self.issuer))
            .header(header::AUTHORIZATION, &headers[header::AUTHORIZATION])
            .header(header::CONTENT_TYPE, &headers[header::CONTENT_TYPE])
            .body(Full::from(body))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        let said = said(&answer);
        if self.ledger.books().answered(call, sent.as_deref(), &said) && self.logs_in {
            self.log_in().await?;
        }
        on_its_way().await;
        let response = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
        Ok(response.body(Full::from(answer))?)
    }

    fn told(&self, what: &str) {
        let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
        let mut books = self.ledger.books();
        match word {
            "bye" => books.commands.push(rest.parse().unwrap_or_default()),
            _ => books.without.push(Without { at: Instant::now(), why: rest.to_owned() }),
        }
    }

    /// Somebody logs in.
    async fn log_in(&self) -> Result<(), BoxError> {
        let uri = format!("{}/login", self.issuer).parse()?;
        let body = self.http.get(uri).await?.into_body().collect().await?.to_bytes();
        let refresh_token = String::from_utf8(body.into())?;
        self.ledger.books().logged_in(&refresh_token);
        *self.initial.borrow_mut() = refresh_token;
        Ok(())
    }
}

async fn on_its_way() {
    sleep(Duration::from_millis(fastrand::u64(WAY.0..WAY.1))).await;
}

/// A field of a form. What is looked for needs no encoding.
fn field(form: &[u8], name: &str) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|pair| pair.0 == name)
        .map(|pair| pair.1.to_owned())
}

fn said(answer: &[u8]) -> Said {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    match (answer["access_token"].as_str(), answer["error"].as_str()) {
        (Some(access), _) => Said::Tokens {
            access: access.to_owned(),
            lives: Duration::from_secs(answer["expires_in"].as_u64().unwrap_or_default()),
            refresh: answer["refresh_token"].as_str().map(str::to_owned),
        },
        (None, Some("invalid_grant")) => Said::Refused,
        _ => Said::Failed,
    }
}
