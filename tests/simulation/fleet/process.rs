//! One process: a layer of its own, with its own credential, and callers who use it.

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture, future::join_all};
use http::{HeaderValue, Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    task::{Context, Poll},
};
use tokio::{task::AbortHandle, time::Instant};
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{
    Auth, AuthLayer, Origin, Rule, Signatures, TokenCache,
    signature::header,
    store::{Keys, SealedStore, SharedSlot},
};

use super::{
    account::Account,
    event::Event,
    store::Door,
    world::{Fleet, Op, Point, Process},
};
use crate::{
    credential::pause,
    plan::{chance, millis},
};

const KEY: &str = "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=";

/// What there is of a process until it is cleared away.
pub(crate) struct Running {
    pub(crate) process: usize,
    tokens: TokenCache,
    callers: AbortHandle,
}

impl Running {
    /// Starts a process in the `place`-th place of the fleet.
    pub(crate) fn start(fleet: &Fleet, place: usize) -> Self {
        let (process, subject) = fleet.with(|fleet| {
            let account = place % fleet.plan.accounts;
            let version = fleet.authority.accounts[account].version;
            let mark = place / fleet.plan.accounts % fleet.plan.marks;
            let process = fleet.processes.len();
            fleet.say(format_args!("process {process} starts, for account {account}.{version}, mark {mark}"));
            fleet.processes.push(Process {
                account,
                version,
                mark,
                alive: true,
                stands_until: None,
                trouble_at: None,
                invalidated_at: None,
                started_at: Instant::now(),
                sends: 0,
                refused: BTreeSet::new(),
            });
            (process, format!("account {account}.{version}"))
        });
        let door = Door::new(fleet.clone(), process);
        let (is_sealed, policy) = fleet.with(|fleet| (fleet.plan.sealed, fleet.plan.policy()));
        let slot = if is_sealed {
            SealedStore::new(door, &Keys::new(KEY)).expect("a key").slot("fleet")
        } else {
            SharedSlot::plain(door, "fleet")
        };
        let slot = slot.expect("a name").subject(subject);
        let signatures = Signatures::new()
            .rule(Rule::invalid().status(StatusCode::UNAUTHORIZED).when(header("x-bad").is("dead")))
            .rule(Rule::expired().status(StatusCode::UNAUTHORIZED).when(header("x-bad").is("expired")));
        let origin = Origin::parse("https://api.example.com").expect("an origin");
        let layer = AuthLayer::new(origin, Account::new(fleet.clone(), process))
            .policy(policy)
            .signatures(signatures)
            .shared(slot)
            .expect("it can be shared");
        let tokens = layer.tokens();
        let callers = Callers {
            fleet: fleet.clone(),
            process,
            tokens: tokens.clone(),
            service: layer.layer(Api { fleet: fleet.clone(), process }),
        };
        let callers = tokio::spawn(async move { callers.come_and_go().await }).abort_handle();
        Self { process, tokens, callers }
    }

    pub(crate) fn tokens(&self) -> &TokenCache {
        &self.tokens
    }

    /// Clears away what is left.
    pub(crate) fn clear(self) {
        self.callers.abort();
    }
}

/// Those who use one process.
struct Callers {
    fleet: Fleet,
    process: usize,
    tokens: TokenCache,
    service: Auth<Api>,
}

enum Does {
    Sends(usize),
    Invalidates,
    LogsOut,
}

impl Callers {
    async fn come_and_go(self) {
        loop {
            self.fleet.passes(self.process, Point::Callers).await;
            let (gap, does) = self.fleet.with(|fleet| {
                let (rng, plan) = (&mut fleet.rng, &fleet.plan);
                let does = match rng.f64() {
                    _ if fleet.healthy => Does::Sends(1),
                    dice if dice < plan.invalidates => Does::Invalidates,
                    dice if dice < plan.invalidates + plan.logs_out => Does::LogsOut,
                    _ => Does::Sends(rng.usize(1..=plan.burst)),
                };
                (millis(rng, 0, if fleet.healthy && !fleet.calm { plan.gap * 6 } else { plan.gap }), does)
            });
            pause(gap).await;
            self.fleet.passes(self.process, Point::Callers).await;
            match does {
                Does::Sends(count) => drop(join_all((0..count).map(|_| self.send())).await),
                Does::Invalidates => self.invalidate(),
                Does::LogsOut => self.log_out().await,
            }
        }
    }

    async fn send(&self) {
        let (process, held) = (self.process, self.tokens.try_get());
        let had_token = held.is_some();
        if let Some(lease) = held {
            let (text, left) = (lease.token().expose_secret().to_owned(), lease.remaining());
            self.fleet.with(|fleet| fleet.check_lifetime(process, &text, left));
        }
        let op = self.fleet.with(|fleet| {
            fleet.ops.push(Op { process, began_at: Instant::now(), had_token, sends: 0 });
            fleet.ops.len() - 1
        });
        let request = Request::get("https://api.example.com/").header("x-op", op);
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        let result = ServiceExt::oneshot(self.service.clone(), request).await;
        self.fleet.passes(process, Point::Callers).await;
        let mut shown = format!("{:?}", self.tokens.state());
        let result = result.map(|response| response.status()).map_err(|error| {
            shown += &format!("{error:?}");
            let (mut told, mut source) = (error.to_string(), error.source());
            while let Some(error) = source {
                told += &format!(": {error}");
                source = error.source();
            }
            told
        });
        self.fleet.with(|fleet| {
            fleet.check_secret(&shown);
            fleet.op_ends(op, result);
        });
    }

    fn invalidate(&self) {
        self.fleet.with(|fleet| {
            fleet.saw(Event::Invalidated);
            fleet.say(format_args!("process {} invalidates", self.process));
            fleet.processes[self.process].invalidated_at = Some(Instant::now());
        });
        self.tokens.invalidate();
    }

    async fn log_out(&self) {
        let mine = self.tokens.try_get().map(|lease| lease.token().expose_secret().to_owned());
        self.fleet.with(|fleet| {
            fleet.say(format_args!("process {} logs out", self.process));
            fleet.processes[self.process].invalidated_at = Some(Instant::now());
        });
        let result = self.tokens.revoke().await;
        self.fleet.passes(self.process, Point::Callers).await;
        self.fleet.with(|fleet| match result {
            Ok(()) => {
                fleet.saw(Event::LoggedOut);
                if let Some(mine) = mine {
                    fleet.is_logged_out(self.process, &mine);
                }
            }
            Err(error) => fleet.check_secret(&format!("{error} {error:?}")),
        });
    }
}

/// The server that requests go to, and the way there and back.
#[derive(Clone)]
struct Api {
    fleet: Fleet,
    process: usize,
}

impl Service<Request<Full<Bytes>>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let token = text(AUTHORIZATION.as_str()).unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let op = text("x-op").and_then(|op| op.parse().ok()).expect("a number");
        let (fleet, process) = (self.fleet.clone(), self.process);
        async move {
            fleet.passes(process, Point::Callers).await;
            let (there, back) = fleet.with(|fleet| {
                fleet.request_is_sent(op, &token);
                let latency = fleet.latency();
                (millis(&mut fleet.rng, 0, latency), millis(&mut fleet.rng, 0, latency))
            });
            pause(there).await;
            let word = fleet.with(|fleet| fleet.api_answers(&token));
            pause(back).await;
            fleet.passes(process, Point::Callers).await;
            let mut response = Response::new(Full::default());
            if let Some(word) = word {
                fleet.with(|fleet| fleet.is_refused(process, &token));
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                response.headers_mut().insert("x-bad", HeaderValue::from_static(word));
            }
            Ok(response)
        }
        .boxed()
    }
}

/// Something that servers and operators do now and then.
pub(crate) fn meddle(fleet: &Fleet, running: &[Option<Running>]) {
    fleet.with(|fleet| {
        let plan = fleet.plan.clone();
        if chance(&mut fleet.rng, plan.server_revokes) {
            fleet.server_revokes();
        }
        if chance(&mut fleet.rng, plan.flushes) {
            fleet.flush();
        }
        if chance(&mut fleet.rng, plan.fails_over) {
            fleet.fail_over();
        }
        if chance(&mut fleet.rng, plan.sets_clock) {
            fleet.set_clock();
        }
        if chance(&mut fleet.rng, plan.kills_idle) {
            let place = fleet.rng.usize(..running.len());
            if let Some(there) = &running[place] {
                fleet.saw(Event::KilledIdle);
                fleet.kill(there.process, "whatever it does");
            }
        }
    });
}
