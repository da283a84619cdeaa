//! The credential of one process, and the way to the token endpoint and back. A request that was sent arrives, whatever
//! becomes of the process.

use std::{future::pending, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use tokio::{sync::oneshot, time::Instant};
use tower_reauth::{AccessToken, Acquire, AcquireError, Credential, Description, RefreshTokens};

use super::{
    authority::Redeemed,
    event::Event,
    plan::{EndpointFault, Kind},
    world::{Call, Fleet, Inner, Point},
};
use crate::{
    credential::pause,
    plan::{draw, millis, pick},
};

pub(crate) struct Account {
    fleet: Fleet,
    process: usize,
    kind: Kind,
    initial: Arc<str>,
    mark: usize,
    keeps: Option<RefreshTokens>,
}

impl Account {
    pub(crate) fn new(fleet: Fleet, process: usize) -> Self {
        let (kind, initial, mark, keeps) = fleet.with(|fleet| {
            let there = &fleet.processes[process];
            let initial = fleet.authority.accounts[there.account].initial.clone();
            (fleet.plan.kind, initial, there.mark, fleet.plan.keeps)
        });
        Self { fleet, process, kind, initial, mark, keeps: keeps.then(RefreshTokens::new) }
    }

    /// What is sent: a refresh token, or nothing where it is the password.
    fn refresh_token(&self, acquire: Acquire<'_>) -> Option<Arc<str>> {
        let previous = acquire.previous().and_then(AccessToken::refresh_token);
        let kept = self.keeps.as_ref().and_then(RefreshTokens::newest);
        let newest = kept.as_ref().or(previous).map(|token| Arc::from(token.expose_secret()));
        match self.kind {
            Kind::RefreshOrLogin => newest.filter(|_| acquire.may_refresh()),
            Kind::RefreshOnly => Some(newest.unwrap_or_else(|| self.initial.clone())),
            Kind::LoginOnly => None,
        }
    }
}

/// A call under way. The world hears of its end, however it ends.
struct Asked {
    fleet: Fleet,
    call: usize,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.fleet.with(|fleet| fleet.calls[self.call].alive = false);
    }
}

impl Credential for Account {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let (fleet, process) = (self.fleet.clone(), self.process);
        let asked_at = Instant::now();
        fleet.passes(process, Point::BeforeSending).await;
        let refresh = self.refresh_token(acquire);
        let (call, fault, there, back) = fleet.with(|fleet| {
            let call = fleet.call_begins(process, asked_at, refresh, acquire.previous().is_some());
            let fault = fleet.draw_endpoint_fault();
            let latency = fleet.latency();
            (call, fault, millis(&mut fleet.rng, 0, latency), millis(&mut fleet.rng, 0, latency))
        });
        let asked = Asked { fleet: fleet.clone(), call };
        let (answer, answered) = oneshot::channel();
        let arrives = {
            let fleet = fleet.clone();
            async move {
                pause(there).await;
                // Whoever has asked may be gone.
                let _ = answer.send(fleet.with(|fleet| fleet.answers(call, fault)));
            }
        };
        drop(tokio::spawn(arrives));
        fleet.passes(process, Point::AfterSending).await;
        let result = answered.await.unwrap_or_else(|_| unreachable!("what is sent arrives"));
        if matches!(fault, Some(EndpointFault::Hangs | EndpointFault::HangsAfterwards)) {
            pending::<()>().await;
        }
        pause(back).await;
        fleet.passes(process, Point::AfterSending).await;
        let result = match fault {
            Some(EndpointFault::LosesAnswer) => Err(AcquireError::transient("the connection broke")),
            _ => result,
        };
        if let Ok(token) = &result {
            fleet.with(|fleet| fleet.calls[call].heard = true);
            if let (Some(kept), Some(token)) = (&self.keeps, token.refresh_token()) {
                kept.replace(token.clone());
            }
        }
        drop(asked);
        result
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.fleet.passes(self.process, Point::Callers).await;
        let text: Arc<str> = token.expose_secret().into();
        self.fleet.with(|fleet| {
            let family = fleet.authority.find(&text).and_then(|access| fleet.authority.access[access].family);
            if let Some(family) = family {
                fleet.say(format_args!("process {} revokes {text}", self.process));
                fleet.authority.kill(family, Instant::now());
            }
        });
        Ok(())
    }

    fn describe(&self) -> Description {
        let description = Description::new("a process").grants(self.kind.grants());
        let description = description.asks_for(format!("mark {}", self.mark));
        match &self.keeps {
            Some(kept) => description.refresh_tokens(kept.clone()),
            None => description,
        }
    }
}

impl Inner {
    fn draw_endpoint_fault(&mut self) -> Option<EndpointFault> {
        if self.healthy {
            return None;
        }
        if self.plan.outage.covers(self.elapsed()) {
            return Some(EndpointFault::Fails);
        }
        draw(&mut self.rng, &self.plan.endpoint)
    }

    /// The credential of `process` is about to send something.
    fn call_begins(
        &mut self,
        process: usize,
        asked_at: Instant,
        refresh: Option<Arc<str>>,
        has_previous: bool,
    ) -> usize {
        let call = self.calls.len();
        self.say(format_args!("process {process}: call {call} with {refresh:?}"));
        self.check_call(process, refresh.as_deref());
        if refresh.is_none() && has_previous && self.plan.kind == Kind::RefreshOrLogin {
            self.saw(Event::OtherGrantTaken);
        }
        let began_at = Instant::now();
        self.calls.push(Call { process, asked_at, began_at, refresh, alive: true, heard: false });
        call
    }

    /// A request has arrived at the token endpoint. What it does, and what it answers.
    fn answers(&mut self, call: usize, fault: Option<EndpointFault>) -> Result<AccessToken, AcquireError> {
        use EndpointFault::{Fails, Hangs, HangsAfterwards, LosesAnswer, SameAgain, Throttles};
        match fault {
            Some(Fails) => {
                self.saw(Event::EndpointFailed);
                return Err(AcquireError::transient("the endpoint fails"));
            }
            Some(Hangs) => {
                self.saw(Event::EndpointHung);
                return Err(AcquireError::transient("nobody will see this"));
            }
            Some(Throttles) => {
                self.saw(Event::Throttled);
                let wait = pick(&mut self.rng, &[1, 5, 60]);
                let error = AcquireError::transient("the endpoint is busy");
                return Err(error.with_retry_after(Duration::from_secs(wait)));
            }
            Some(LosesAnswer | HangsAfterwards) => self.saw(Event::EndpointAnswerLost),
            Some(SameAgain) | None => {}
        }
        let (process, now) = (self.calls[call].process, Instant::now());
        let (account, mark) = (self.processes[process].account, self.processes[process].mark);
        let family = match self.calls[call].refresh.clone() {
            Some(refresh) => match self.authority.redeem(&refresh, call, now) {
                Redeemed::Good { family } => {
                    self.saw(Event::Refreshed);
                    Some(family)
                }
                Redeemed::Reused(spent) => {
                    self.check_reuse(call, &refresh, spent);
                    self.saw(Event::FamilyKilled);
                    return Err(AcquireError::grant_rejected("the refresh token was used before"));
                }
                Redeemed::Dead => {
                    return Err(AcquireError::grant_rejected("the refresh token is not valid"));
                }
            },
            None => {
                self.saw(Event::LoggedIn);
                if self.plan.kind == Kind::LoginOnly { None } else { Some(self.authority.log_in().0) }
            }
        };
        let again = (fault == Some(SameAgain) && family.is_none())
            .then(|| self.authority.newest(account, mark))
            .flatten();
        let access = match again {
            Some(newest) => {
                self.saw(Event::SameTokenAgain);
                newest
            }
            None => self.authority.mint((account, mark), family, call, (now, self.plan.lifetime)),
        };
        self.authority.access[access].by_wall |= !self.is_at_peace(process);
        let minted = self.authority.access[access].clone();
        self.say(format_args!("call {call} is answered {}", minted.text));
        let token =
            AccessToken::new(&*minted.text)?.with_lifetime(minted.dies_at.saturating_duration_since(now));
        Ok(match family {
            Some(family) => token.with_refresh_token(&*self.authority.rotate(family, Some(access))),
            None => token,
        })
    }
}
