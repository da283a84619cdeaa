//! The credential of a run, and the way to the token endpoint and back, on which everything may go wrong.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use http::StatusCode;
use secrecy::ExposeSecret;
use tokio::time::sleep;
use tower_reauth::{AccessToken, Acquire, AcquireError, Credential, Description, Grants, Reason, Renewal};

use crate::{
    callers,
    endpoint::{Presented, Refused},
    event::Event,
    plan::{EndpointFault, Kind, LifetimeFault, chance, draw, millis},
    world::{Inner, Known, World},
};

/// More calls than this are a storm in themselves.
const MOST_CALLS: usize = 3000;

pub(crate) struct Account {
    world: World,
    kind: Kind,
}

impl Account {
    pub(crate) fn new(world: World) -> Self {
        Self { kind: world.with(|world| world.plan.kind), world }
    }
}

/// A call under way. It is told to the world however it ends.
struct Call {
    world: World,
    index: usize,
    ended: bool,
}

impl Call {
    fn end(mut self, result: Result<AccessToken, AcquireError>) -> Result<AccessToken, AcquireError> {
        self.ended = true;
        self.world.with(|world| world.call_ends(self.index, &result));
        result
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        match self.ended {
            true => {}
            false if std::thread::panicking() => self.world.with(|world| world.call_panics(self.index)),
            false => self.world.with(|world| world.call_is_dropped(self.index)),
        }
    }
}

impl Credential for Account {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let (call, presented, fault, there, back) = self.world.with(|world| world.departs(acquire));
        let call = Call { world: self.world.clone(), index: call, ended: false };
        if call.index > MOST_CALLS {
            self.world.with(|world| world.violated("storm: the credential is called without end"));
            std::future::pending::<()>().await;
        }
        match (self.kind, &presented) {
            (Kind::StaticKey, _) => return call.end(AccessToken::new("key").map_err(Into::into)),
            (_, Presented::Nothing) => {
                return call.end(Err(AcquireError::rejected("somebody has to log in again")));
            }
            _ => {}
        }
        if fault == Some(EndpointFault::PanicsEarly) {
            self.world.with(|world| world.saw(Event::PanickedEarly));
            resume_unwind(Box::new("the credential panics before its request"));
        }
        pause(there).await;
        let answer = self.world.with(|world| world.endpoint_answers(&presented, fault));
        if matches!(fault, Some(EndpointFault::Hangs | EndpointFault::HangsAfterwards)) {
            std::future::pending::<()>().await;
        }
        pause(back).await;
        match fault {
            Some(EndpointFault::PanicsLate) => {
                resume_unwind(Box::new("the credential panics after its request"))
            }
            Some(EndpointFault::InvalidatedAtAnswer) => {
                self.world.with(|world| world.saw(Event::InvalidatedAtAnswer));
                callers::invalidate(&self.world);
            }
            _ => {}
        }
        call.end(answer)
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        let (hangs, fails, there) = self.world.with(|world| {
            let rng = &mut world.rng;
            let bad = !world.healthy;
            (bad && chance(rng, 0.1), bad && chance(rng, 0.2), millis(rng, 0, world.plan.latency))
        });
        if hangs {
            std::future::pending::<()>().await;
        }
        pause(there).await;
        if fails {
            return Err(AcquireError::transient("the endpoint fails"));
        }
        self.world.with(|world| world.endpoint.log_out(token.expose_secret()));
        Ok(())
    }

    fn describe(&self) -> Description {
        let renewal = match self.kind {
            Kind::RevokesPrevious => Renewal::RevokesPrevious,
            Kind::StaticKey => Renewal::Unsupported,
            _ => Renewal::KeepsPrevious,
        };
        let grants = match self.kind {
            Kind::RefreshOrLogin | Kind::RevokesPrevious => Grants::RefreshThenOther,
            Kind::RefreshOnly => Grants::SingleUse,
            Kind::LoginOnly | Kind::StaticKey => Grants::Reusable,
        };
        Description::new("a simulated account").renewal(renewal).grants(grants)
    }
}

/// No time at all is no await point.
pub(crate) async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

type Departure = (usize, Presented, Option<EndpointFault>, Duration, Duration);

impl Inner {
    /// A token request leaves. Decides what will become of it.
    fn departs(&mut self, acquire: Acquire<'_>) -> Departure {
        let (may_refresh, previous) = (acquire.may_refresh(), acquire.previous());
        let presented = self.grant_to_present(may_refresh, previous);
        let task = tokio::task::try_id();
        let call = self.call_begins(task, acquire.reason(), may_refresh, previous, presented.clone());
        let at = self.elapsed();
        if self.healthy {
            let (there, back) = (millis(&mut self.rng, 0, 50), millis(&mut self.rng, 0, 50));
            return (call, presented, None, there, back);
        }
        let hangs = [EndpointFault::Hangs, EndpointFault::HangsAfterwards];
        let fault = match draw(&mut self.rng, &self.plan.endpoint) {
            _ if acquire.reason() == Reason::Expiring && chance(&mut self.rng, self.plan.hangs_early) => {
                Some(crate::plan::pick(&mut self.rng, &hangs))
            }
            None if self.plan.outage.covers(at) => Some(EndpointFault::Fails),
            fault => fault,
        };
        let latency = self.plan.latency;
        (call, presented, fault, millis(&mut self.rng, 0, latency), millis(&mut self.rng, 0, latency))
    }

    fn grant_to_present(&self, may_refresh: bool, previous: Option<&AccessToken>) -> Presented {
        let refresh = previous.and_then(AccessToken::refresh_token);
        let refresh = refresh.map(|refresh| Arc::<str>::from(refresh.expose_secret()));
        match (self.plan.kind, refresh) {
            (Kind::RefreshOrLogin | Kind::RevokesPrevious, Some(refresh)) if may_refresh => {
                Presented::Refresh(refresh)
            }
            (Kind::RefreshOnly, refresh) => {
                let unused = |refresh: &Arc<str>| !self.known.contains_key(refresh);
                let handed = refresh.filter(|refresh| self.known.get(refresh) != Some(&Known::Refused));
                let configured = self.configured.clone().filter(unused);
                handed.or(configured).map_or(Presented::Nothing, Presented::Refresh)
            }
            (Kind::StaticKey, _) => Presented::Nothing,
            _ => Presented::Password,
        }
    }

    /// The request has arrived at the endpoint. What it does, and what it answers.
    fn endpoint_answers(
        &mut self,
        presented: &Presented,
        fault: Option<EndpointFault>,
    ) -> Result<AccessToken, AcquireError> {
        use EndpointFault::{Fails, Garbles, Hangs, HangsAfterwards, LosesAnswer, SameAgain, Throttles};
        match fault {
            Some(Hangs) => self.saw(Event::EndpointHung),
            Some(Throttles) => return Err(self.throttles()),
            Some(Fails) => {
                self.saw(Event::EndpointFailed);
                return Err(AcquireError::transient("the endpoint fails"));
            }
            Some(EndpointFault::PanicsLate) => self.saw(Event::PanickedLate),
            _ => {}
        }
        if fault == Some(Hangs) {
            return Err(AcquireError::transient("nobody will see this"));
        }
        if self.plan.refuses_credentials.covers(self.elapsed()) && !self.healthy {
            self.saw(Event::CredentialsRefused);
            return Err(self.refuses(presented));
        }
        let answer = match (presented, fault, self.endpoint.newest()) {
            (_, Some(SameAgain), Some(newest)) => self.hands_out_again(presented, &newest),
            _ => self.issues(presented),
        };
        match fault {
            Some(LosesAnswer | HangsAfterwards) => {
                self.say("the endpoint's answer is lost");
                self.saw(Event::AnswerLost);
                Err(AcquireError::transient("the connection broke"))
            }
            Some(Garbles) => {
                self.saw(Event::Malformed);
                AccessToken::new("").map_err(Into::into)
            }
            _ => answer,
        }
    }

    fn throttles(&mut self) -> AcquireError {
        self.saw(Event::Throttled);
        let status =
            if self.rng.bool() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::SERVICE_UNAVAILABLE };
        let error = AcquireError::transient("the endpoint is busy").with_status(status);
        if self.rng.bool() {
            return error;
        }
        self.saw(Event::RetryAfter);
        let wishes = [0, 500, 3000, 10_000, 3_600_000, u64::MAX];
        error.with_retry_after(Duration::from_millis(crate::plan::pick(&mut self.rng, &wishes)))
    }

    fn refuses(&mut self, presented: &Presented) -> AcquireError {
        match presented {
            Presented::Refresh(_) if self.plan.kind.has_fallback() => {
                self.saw(Event::GrantRefused);
                AcquireError::grant_rejected("the refresh token is not valid")
            }
            _ => AcquireError::rejected("the credentials are not valid"),
        }
    }

    fn issues(&mut self, presented: &Presented) -> Result<AccessToken, AcquireError> {
        let (family, refresh) = match presented {
            Presented::Refresh(refresh) => match self.endpoint.redeem(refresh, self.healthy) {
                Ok(family) => {
                    self.saw(Event::Refreshed);
                    let rotates = chance(&mut self.rng, self.plan.rotates);
                    if rotates {
                        self.saw(Event::Rotated);
                    }
                    (family, if rotates { self.endpoint.rotate(family) } else { refresh.clone() })
                }
                Err(refused) => {
                    if refused == Refused::Reused {
                        self.saw(Event::FamilyKilled);
                    }
                    return Err(self.refuses(presented));
                }
            },
            _ => {
                self.saw(Event::LoggedIn);
                self.endpoint.log_in()
            }
        };
        if self.plan.kind == Kind::RevokesPrevious {
            self.endpoint.revoke_all();
        }
        let (now, most) = (self.now(), if self.healthy { 600_000 } else { self.plan.lifetime });
        let low = if self.healthy { most } else { 250 };
        let lifetime = millis(&mut self.rng, low, most);
        let text = self.endpoint.mint(family, now, lifetime);
        let token = AccessToken::new(&*text)?;
        let token = match self.told_lifetime(lifetime) {
            Some(lifetime) => token.with_lifetime(lifetime),
            None => token,
        };
        if self.plan.kind == Kind::LoginOnly {
            return Ok(token);
        }
        Ok(token.with_refresh_token(&*refresh))
    }

    fn told_lifetime(&mut self, lifetime: Duration) -> Option<Duration> {
        let fault = draw(&mut self.rng, &self.plan.lifetimes).filter(|_| !self.healthy);
        let Some(fault) = fault else { return Some(lifetime) };
        let (event, told) = match fault {
            LifetimeFault::TooLong => (Event::LifetimeTooLong, Some(lifetime * 3)),
            LifetimeFault::TooShort => (Event::LifetimeTooShort, Some(lifetime / 3)),
            LifetimeFault::Absent => (Event::LifetimeAbsent, None),
            LifetimeFault::Zero => (Event::LifetimeZero, Some(Duration::ZERO)),
        };
        self.saw(event);
        told
    }

    fn hands_out_again(
        &mut self,
        presented: &Presented,
        text: &Arc<str>,
    ) -> Result<AccessToken, AcquireError> {
        self.saw(Event::SameTokenAgain);
        let left = self.endpoint.left(text, self.now());
        let mut token = AccessToken::new(&**text)?;
        if !left.is_zero() {
            token = token.with_lifetime(left);
        }
        Ok(match presented {
            Presented::Refresh(refresh) => token.with_refresh_token(&**refresh),
            _ => token,
        })
    }
}
