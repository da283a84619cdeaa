//! What there is beside the layer, and what must hold of it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tower_reauth::{AcquireError, ErrorCode};

use super::event::Event;
use crate::trace::Trace;

pub(crate) const TENANTS: usize = 200;
/// How many ask one token endpoint at a time.
pub(crate) const CAP: u64 = 8;

/// What is the matter with a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    IsWell,
    Hangs,
    IsDown,
    IsDead,
    BuildFails,
    BuildHangs,
    BuildPanics,
}

pub(crate) struct Tenant {
    pub(crate) nature: Nature,
    /// All that are ill are at the first one.
    pub(crate) endpoint: usize,
    /// Its refresh token may be sent again.
    pub(crate) is_reusable: bool,
    /// The newest refresh token, and the one that the program would begin with.
    pub(crate) newest: u64,
    pub(crate) known: u64,
    pub(crate) is_lost: bool,
    pub(crate) asking: u64,
    pub(crate) building: u64,
    pub(crate) built: u64,
    /// Removed since the last time that building began, so that it may be built once more beside that.
    pub(crate) removals: u64,
    /// The newest token is rejected once.
    pub(crate) is_revoked: bool,
    pub(crate) told: u64,
    /// How often its dead grant was sent.
    pub(crate) sent_dead: u64,
}

#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) rng: fastrand::Rng,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) asking: [u64; 2],
    pub(crate) trace: Trace,
    pub(crate) violation: Option<String>,
    pub(crate) seen: Vec<Event>,
    began_at: Instant,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let tenants = (0..TENANTS).map(|_| {
            let nature = match rng.u32(0..100) {
                0..7 => Nature::Hangs,
                7..14 => Nature::IsDown,
                14..18 => Nature::IsDead,
                18..22 => Nature::BuildFails,
                22..25 => Nature::BuildHangs,
                25..28 => Nature::BuildPanics,
                _ => Nature::IsWell,
            };
            let is_ill = nature != Nature::IsWell;
            Tenant {
                nature,
                endpoint: if is_ill { 0 } else { rng.usize(0..2) },
                is_reusable: rng.bool(),
                newest: 0,
                known: 0,
                is_lost: false,
                asking: 0,
                building: 0,
                built: 0,
                removals: 0,
                is_revoked: false,
                told: 0,
                sent_dead: 0,
            }
        });
        let tenants = tenants.collect();
        Self(Arc::new(Mutex::new(State {
            rng,
            tenants,
            asking: [0, 0],
            trace: Trace::default(),
            violation: None,
            seen: Vec::new(),
            began_at: Instant::now(),
        })))
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.lock())
    }

    pub(crate) fn saw(&self, event: Event) {
        self.with(|world| world.saw(event));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn saw(&mut self, event: Event) {
        if !self.seen.contains(&event) {
            self.seen.push(event);
        }
    }

    pub(crate) fn say(&mut self, words: impl fmt::Display) {
        self.trace.add(self.began_at.elapsed(), words.to_string());
    }

    pub(crate) fn check(&mut self, holds: bool, what: impl fmt::Display) {
        if !holds && self.violation.is_none() {
            self.say(format_args!("VIOLATED: {what}"));
            self.violation = Some(what.to_string());
        }
    }

    /// The token endpoint is asked. Returns what comes of it, and how long that takes, in milliseconds.
    pub(crate) fn asked(&mut self, tenant: usize, sent: u64) -> (Nature, u64) {
        self.say(format_args!("tenant {tenant} sends refresh token {sent}"));
        let endpoint = self.tenants[tenant].endpoint;
        self.asking[endpoint] += 1;
        self.tenants[tenant].asking += 1;
        let (asking, of_it) = (self.asking[endpoint], self.tenants[tenant].asking);
        self.check(
            asking <= CAP,
            format_args!("a cap on those at one endpoint: {asking} ask endpoint {endpoint}"),
        );
        self.check(of_it == 1, format_args!("one flight: tenant {tenant} asks twice at a time"));
        if asking == CAP {
            self.saw(Event::WaitedForAPlace);
        }
        // Each time that it is built the program has found a new login, as far as the layer can know.
        if self.tenants[tenant].nature == Nature::IsDead {
            self.tenants[tenant].sent_dead += 1;
            let (sent, built) = (self.tenants[tenant].sent_dead, self.tenants[tenant].built);
            self.check(
                sent <= built,
                format_args!("a dead grant isn't sent again: tenant {tenant}, {sent} times"),
            );
        }
        (self.tenants[tenant].nature, self.rng.u64(5..30))
    }

    /// A refresh token is spent for the next one.
    pub(crate) fn spend(&mut self, number: usize, sent: u64) -> Result<(String, String), AcquireError> {
        let tenant = &mut self.tenants[number];
        if tenant.is_reusable {
            tenant.newest += 1;
            return Ok((format!("{number}:{}", tenant.newest), "0".to_owned()));
        }
        if sent != tenant.newest {
            tenant.is_lost = true;
            let words = format!(
                "no grant is lost: tenant {number} sends {sent}, and the newest is {}",
                tenant.newest
            );
            self.check(false, words);
            return Err(AcquireError::rejected("reused").with_code(ErrorCode::InvalidGrant));
        }
        tenant.newest += 1;
        Ok((format!("{number}:{}", tenant.newest), tenant.newest.to_string()))
    }

    /// The API's answer to a request.
    pub(crate) fn answer(&mut self, host: &str, authorization: Option<&str>) -> http::StatusCode {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let whose = token.split(':').next().unwrap_or_default();
        self.check(
            host == format!("t{whose}.test"),
            format_args!("nothing of one tenant reaches another: {host} gets {token:?}"),
        );
        let Some(tenant) = whose.parse().ok().and_then(|tenant: usize| self.tenants.get_mut(tenant)) else {
            return http::StatusCode::BAD_REQUEST;
        };
        let is_newest = token.ends_with(&format!(":{}", tenant.newest));
        if std::mem::take(&mut tenant.is_revoked) && is_newest {
            return http::StatusCode::UNAUTHORIZED;
        }
        http::StatusCode::OK
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.u64(from..to))
    }
}
