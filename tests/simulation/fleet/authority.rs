//! The servers of a fleet: who has which tokens, and what becomes of them. Each refresh token is good once, and one that
//! comes a second time kills its family.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use tower_reauth::store::Revision;

/// What no log, no error and no sealed record may hold.
pub(crate) const SECRET: &str = "SECRET";

#[derive(Debug, Default)]
pub(crate) struct Authority {
    pub(crate) accounts: Vec<Account>,
    pub(crate) families: Vec<Family>,
    refresh: BTreeMap<Arc<str>, Refresh>,
    pub(crate) access: Vec<Access>,
    count: u64,
}

/// Somebody who has tokens.
#[derive(Debug)]
pub(crate) struct Account {
    /// The refresh token that programs are given at their start.
    pub(crate) initial: Arc<str>,
    /// How often somebody has logged in again.
    pub(crate) version: u32,
    /// When a program said that somebody has to.
    pub(crate) told_at: Option<Instant>,
}

/// All that has come of one login.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) dead_since: Option<Instant>,
    pub(crate) log_out: Option<LogOut>,
}

/// A program has ended a family.
#[derive(Clone, Debug)]
pub(crate) struct LogOut {
    pub(crate) at: Instant,
    /// The processes that may have had its tokens by then.
    pub(crate) holders: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Refresh {
    family: usize,
    spent: Option<Spent>,
    /// The access token that came with it.
    with: Option<usize>,
}

/// When a refresh token was used, and by which call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) at: Instant,
    pub(crate) call: usize,
    /// The access token that came with it.
    pub(crate) with: Option<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) text: Arc<str>,
    pub(crate) account: usize,
    pub(crate) mark: usize,
    pub(crate) family: Option<usize>,
    pub(crate) call: usize,
    pub(crate) minted_at: Instant,
    pub(crate) dies_at: Instant,
    pub(crate) revoked: bool,
    /// Who has asked for it may not have known what the store's clock shows.
    pub(crate) by_wall: bool,
    /// Somebody was told that it is no good.
    pub(crate) rejected: bool,
    /// As what it is in the store, since when.
    pub(crate) saved: Option<Stored>,
    /// Who has asked for it was told of something newer.
    pub(crate) overtaken: bool,
}

/// What a token is in the store.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) slot: String,
    pub(crate) revision: Revision,
    pub(crate) at: Instant,
}

/// What is said of a refresh token.
#[derive(Debug)]
pub(crate) enum Redeemed {
    Good { family: usize },
    Reused(Spent),
    Dead,
}

impl Authority {
    /// Somebody logs in, so that programs can be given a refresh token.
    pub(crate) fn configure(&mut self, account: usize) {
        let initial = self.log_in().1;
        match self.accounts.get_mut(account) {
            Some(there) => *there = Account { initial, version: there.version + 1, told_at: None },
            None => self.accounts.push(Account { initial, version: 0, told_at: None }),
        }
    }

    pub(crate) fn log_in(&mut self) -> (usize, Arc<str>) {
        self.families.push(Family { dead_since: None, log_out: None });
        let family = self.families.len() - 1;
        (family, self.rotate(family, None))
    }

    pub(crate) fn redeem(&mut self, text: &str, call: usize, now: Instant) -> Redeemed {
        let Some(refresh) = self.refresh.get_mut(text) else { return Redeemed::Dead };
        let (family, with) = (refresh.family, refresh.with);
        if let Some(spent) = refresh.spent {
            self.kill(family, now);
            return Redeemed::Reused(spent);
        }
        refresh.spent = Some(Spent { at: now, call, with });
        if self.families[family].dead_since.is_some() { Redeemed::Dead } else { Redeemed::Good { family } }
    }

    pub(crate) fn family_of(&self, refresh: &str) -> Option<&Family> {
        self.refresh.get(refresh).map(|refresh| &self.families[refresh.family])
    }

    /// A new refresh token of this family, which comes with that access token.
    pub(crate) fn rotate(&mut self, family: usize, with: Option<usize>) -> Arc<str> {
        let text = self.name("rt");
        self.refresh.insert(text.clone(), Refresh { family, spent: None, with });
        text
    }

    pub(crate) fn mint(
        &mut self,
        (account, mark): (usize, usize),
        family: Option<usize>,
        call: usize,
        (now, lifetime): (Instant, Duration),
    ) -> usize {
        let text = self.name("at");
        self.access.push(Access {
            text,
            account,
            mark,
            family,
            call,
            minted_at: now,
            dies_at: now + lifetime,
            revoked: false,
            by_wall: false,
            rejected: false,
            saved: None,
            overtaken: false,
        });
        self.access.len() - 1
    }

    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.access.iter().rposition(|access| &*access.text == text)
    }

    /// The newest access token of this account, asked for the same.
    pub(crate) fn newest(&self, account: usize, mark: usize) -> Option<usize> {
        self.access.iter().rposition(|access| access.account == account && access.mark == mark)
    }

    pub(crate) fn kill(&mut self, family: usize, now: Instant) {
        self.families[family].dead_since.get_or_insert(now);
        let members = self.access.iter_mut().filter(|access| access.family == Some(family));
        members.for_each(|access| access.revoked = true);
    }

    fn name(&mut self, kind: &str) -> Arc<str> {
        self.count += 1;
        format!("{SECRET}-{kind}-{}.", self.count).into()
    }
}
