//! The token endpoint as its server sees it: accounts, families of refresh tokens, and which tokens are good.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

/// What a token request presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    Refresh(Arc<str>),
    Password,
    Nothing,
}

/// What the server says of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Expired,
    Dead,
}

#[derive(Debug)]
struct Minted {
    family: usize,
    dies_at: Instant,
    revoked: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    minted: BTreeMap<Arc<str>, Minted>,
    newest: Option<Arc<str>>,
    /// Refresh tokens, their families, and whether they are the newest of those.
    refresh: BTreeMap<Arc<str>, (usize, bool)>,
    /// Whether each family is alive.
    families: Vec<bool>,
    count: u64,
}

/// The server's reason to refuse a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Dead,
    /// It was used before, which kills its family.
    Reused,
}

impl Endpoint {
    /// Begins a family of refresh tokens, and returns its first.
    pub(crate) fn log_in(&mut self) -> (usize, Arc<str>) {
        self.families.push(true);
        let family = self.families.len() - 1;
        (family, self.rotate(family))
    }

    /// Looks at a refresh token. Returns its family. A lenient server forgives everything.
    pub(crate) fn redeem(&mut self, refresh: &Arc<str>, lenient: bool) -> Result<usize, Refused> {
        let (family, newest) = *self.refresh.get(refresh).ok_or(Refused::Dead)?;
        if lenient {
            return Ok(family);
        }
        if !self.families[family] {
            return Err(Refused::Dead);
        }
        if !newest {
            self.kill(family);
            return Err(Refused::Reused);
        }
        Ok(family)
    }

    /// A new refresh token in place of the family's newest.
    pub(crate) fn rotate(&mut self, family: usize) -> Arc<str> {
        self.refresh.values_mut().filter(|(of, _)| *of == family).for_each(|(_, newest)| *newest = false);
        let refresh = self.name("rt");
        self.refresh.insert(refresh.clone(), (family, true));
        refresh
    }

    /// A new access token.
    pub(crate) fn mint(&mut self, family: usize, now: Instant, lifetime: Duration) -> Arc<str> {
        let text = self.name("at");
        self.minted.insert(text.clone(), Minted { family, dies_at: now + lifetime, revoked: false });
        self.newest = Some(text.clone());
        text
    }

    pub(crate) fn newest(&self) -> Option<Arc<str>> {
        self.newest.clone()
    }

    /// How long `text` will still be good.
    pub(crate) fn left(&self, text: &str, now: Instant) -> Duration {
        self.minted.get(text).map_or(Duration::ZERO, |minted| minted.dies_at.saturating_duration_since(now))
    }

    pub(crate) fn revoke_newest(&mut self) -> Option<Arc<str>> {
        let newest = self.newest.clone()?;
        self.minted.get_mut(&newest)?.revoked = true;
        Some(newest)
    }

    pub(crate) fn revoke_all(&mut self) {
        self.minted.values_mut().for_each(|minted| minted.revoked = true);
    }

    /// Ends the session that `text` belongs to.
    pub(crate) fn log_out(&mut self, text: &str) {
        if let Some(family) = self.minted.get(text).map(|minted| minted.family) {
            self.kill(family);
        }
    }

    /// What is said of `text` now.
    pub(crate) fn standing(&self, text: &str, now: Instant) -> Standing {
        match self.minted.get(text) {
            Some(minted) if minted.revoked => Standing::Dead,
            Some(minted) if minted.dies_at <= now => Standing::Expired,
            Some(_) => Standing::Good,
            None => Standing::Dead,
        }
    }

    fn kill(&mut self, family: usize) {
        self.families[family] = false;
        let members = self.minted.values_mut().filter(|minted| minted.family == family);
        members.for_each(|minted| minted.revoked = true);
    }

    fn name(&mut self, kind: &str) -> Arc<str> {
        self.count += 1;
        format!("{kind}{}", self.count).into()
    }
}
