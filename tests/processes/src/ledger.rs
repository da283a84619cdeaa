//! [`Ledger`]: all that has happened, in the order in which it was seen.

use std::{
    cell::{RefCell, RefMut},
    collections::HashMap,
    time::Duration,
};

use tokio::time::Instant;

/// All that has happened. It is seen by one thread.
#[derive(Default)]
pub struct Ledger(RefCell<Books>);

impl Ledger {
    /// To be let go before anything is awaited.
    pub fn books(&self) -> RefMut<'_, Books> {
        self.0.borrow_mut()
    }
}

#[derive(Default)]
pub struct Books {
    /// Calls of the token endpoint.
    pub calls: Vec<Call>,
    /// Calls of the API with a token that was good, and who has made them.
    pub hits: Vec<(u32, Instant)>,
    /// Calls of the API with a token that wasn't.
    pub rejected: usize,
    /// Calls that weren't made, for want of a token.
    pub without: Vec<Without>,
    pub begun: HashMap<u32, Instant>,
    pub kills: Vec<Kill>,
    pub stops: Vec<Stop>,
    /// What was done to the store, and until when processes may not be back at it.
    pub blows: Vec<Blow>,
    pub losses: Vec<Loss>,
    /// How often processes that have ended by themselves have asked the store.
    pub commands: Vec<u32>,
    tokens: HashMap<String, Issued>,
    grants: HashMap<String, Handed>,
    /// Which login is the newest.
    pub family: u64,
    dead: Vec<u64>,
}

/// A call of the token endpoint.
pub struct Call {
    pub by: u32,
    pub at: Instant,
    /// When it was answered, whether anybody heard that or not.
    pub end: Option<Instant>,
    pub refused: bool,
}

/// A call of the API that wasn't made.
pub struct Without {
    pub at: Instant,
    pub why: String,
}

pub struct Kill {
    pub of: u32,
    pub at: Instant,
    /// It had the claim, or was at the token endpoint.
    pub holder: bool,
    /// In the store there was a note, right after it.
    pub in_doubt: bool,
}

pub struct Stop {
    pub of: u32,
    pub at: Instant,
    pub until: Instant,
}

/// Something that was done to the store.
pub struct Blow {
    pub at: Instant,
    pub until: Instant,
    pub loses: Loses,
}

/// What a store may lose of what it had acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loses {
    Nothing,
    /// What was written last: another server takes over, or the same one reads it from its disk.
    Newest,
    Everything,
}

/// All that came of a login is revoked, since a refresh token was used twice.
pub struct Loss {
    pub at: Instant,
    /// Who has sent it first, and when.
    pub first: (u32, Instant),
    pub second: u32,
    /// It is the one that the login has begun with, so that nothing was in the store before it was sent.
    pub is_initial: bool,
}

struct Issued {
    until: Instant,
    family: u64,
}

/// A refresh token that was handed out.
struct Handed {
    family: u64,
    /// Somebody has logged in with it.
    is_initial: bool,
    sent: Option<(u32, Instant)>,
}

/// What the token endpoint has said.
pub enum Said {
    Tokens { access: String, lives: Duration, refresh: Option<String> },
    Refused,
    Failed,
}

impl Books {
    /// A call of the token endpoint begins. Returns its number.
    pub fn call(&mut self, by: u32) -> usize {
        let at = Instant::now();
        self.calls.push(Call { by, at, end: None, refused: false });
        self.calls.len() - 1
    }

    /// It was answered. Returns whether a login is lost by that.
    pub fn answered(&mut self, call: usize, sent: Option<&str>, said: &Said) -> bool {
        let now = Instant::now();
        let (by, at) = (self.calls[call].by, self.calls[call].at);
        self.calls[call].end = Some(now);
        let before = sent.and_then(|sent| self.grants.get_mut(sent)).map(|handed| {
            let first = handed.sent;
            handed.sent.get_or_insert((by, at));
            (handed.family, first, handed.is_initial)
        });
        match said {
            Said::Tokens { access, lives, refresh } => {
                let family = match before {
                    Some((family, ..)) => family,
                    None => self.log_in(),
                };
                self.tokens.insert(access.clone(), Issued { until: now + *lives, family });
                if let Some(refresh) = refresh {
                    self.grants.insert(refresh.clone(), Handed { family, is_initial: false, sent: None });
                }
                false
            }
            Said::Refused => {
                self.calls[call].refused = true;
                let Some((family, first, is_initial)) = before else { return false };
                let Some(first) = first.filter(|_| !self.dead.contains(&family)) else { return false };
                self.dead.push(family);
                self.losses.push(Loss { at: now, first, second: by, is_initial });
                true
            }
            Said::Failed => false,
        }
    }

    /// Somebody has logged in, and has this refresh token.
    pub fn logged_in(&mut self, refresh_token: &str) {
        let family = self.log_in();
        self.grants.insert(refresh_token.to_owned(), Handed { family, is_initial: true, sent: None });
    }

    fn log_in(&mut self) -> u64 {
        self.family += 1;
        self.family
    }

    /// Whether the API takes this token.
    pub fn takes(&mut self, by: u32, token: &str) -> bool {
        let now = Instant::now();
        let issued = self.tokens.get(token);
        let good = issued.is_some_and(|issued| issued.until > now && !self.dead.contains(&issued.family));
        match good {
            true => self.hits.push((by, now)),
            false => self.rejected += 1,
        }
        good
    }

    /// Whether a process is at the token endpoint.
    pub fn is_calling(&self, process: u32) -> bool {
        self.calls.iter().rev().take(50).any(|call| call.by == process && call.end.is_none())
    }

    /// Who has called the token endpoint last.
    pub fn last_caller(&self) -> Option<u32> {
        self.calls.last().map(|call| call.by)
    }
}
