//! The tokens that a fake has issued, and what has become of them. Knows no vendor.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// More than any test has at once. Older ones are forgotten, hence unknown.
const REMEMBERED: usize = 4096;

/// What becomes of all tokens issued so far.
///
/// | | [`Expired`](Self::Expired) | [`Invalid`](Self::Invalid) | [`Removed`](Self::Removed) |
/// |---|---|---|---|
/// | api.video | 401 `The access token is invalid or expired.`; refresh tokens work | the same answer (the two can't be told apart); refresh tokens are dead too | as invalid, and the API key is refused |
/// | Videsk | 401 `jwt expired` | 401 `invalid signature` | 403 `The integration token it's invalid or was removed.` |
/// | VIDIZMO | 400 `ExpiredAccessTokenException`; can be refreshed | 400 `InvalidAccessTokenException`; can't be refreshed | as invalid, and the secret is refused |
/// | Vervoe | 401 `Invalid credentials.` | the same | the same, and the keys are refused with 401 |
///
/// Removed credentials work again when the fake is given some, and a key that Videsk mints later is accepted.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{FakeVidesk, Revoked};
///
/// let videsk = FakeVidesk::new();
/// videsk.controls().revoke(Revoked::Removed);
/// assert!(videsk.accepted_keys().is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// Over before its time, as if the lifetime had passed.
    Expired,
    /// Unknown to the vendor, as if it had never been issued.
    Invalid,
    /// Withdrawn together with the credentials behind it.
    Removed,
}

/// The `expires_in` that goes with a token. Only api.video's answers have one.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{Announced, FakeApiVideo};
///
/// let api_video = FakeApiVideo::new("key");
/// api_video.controls().announce(Announced::Json("\"3599\"".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Announced {
    /// The true lifetime in seconds; with a fraction where it isn't a whole number.
    #[default]
    Honest,
    /// This JSON value, whatever the lifetime is.
    Json(String),
    /// No such field.
    Omitted,
}

/// What a token is good for now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    Expired,
    /// Expired, and can't be renewed.
    LoggedOut,
    Invalid,
    Removed,
    Unknown,
}

/// Tokens that descend from one acquire call (RFC 9700 §4.14.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Family(u64);

/// Why a refresh token isn't accepted.
pub(super) enum Spent {
    /// It was rotated away, or its family was revoked.
    Dead,
    Unknown,
}

/// Whether a token call gets a token of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Issue {
    New,
    NewestAgain,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Credentials {
    Accepted,
    Removed,
}

struct Access {
    value: String,
    family: Family,
    standing: Standing,
    expires_at: Option<Instant>,
}

struct Refresh {
    value: String,
    family: Family,
    alive: bool,
}

pub(super) struct Tokens {
    access: VecDeque<Access>,
    refresh: VecDeque<Refresh>,
    families: u64,
    lifetime: Option<Duration>,
    announced: Announced,
    issue: Issue,
    credentials: Credentials,
}

impl Tokens {
    pub(super) fn new(lifetime: Option<Duration>) -> Self {
        Self {
            access: VecDeque::new(),
            refresh: VecDeque::new(),
            families: 0,
            lifetime,
            announced: Announced::Honest,
            issue: Issue::New,
            credentials: Credentials::Accepted,
        }
    }

    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = Some(lifetime);
    }

    pub(super) fn announce(&mut self, announced: Announced) {
        self.announced = announced;
    }

    pub(super) fn set_issue(&mut self, issue: Issue) {
        self.issue = issue;
    }

    /// The JSON value of `expires_in`.
    pub(super) fn expires_in(&self) -> Option<String> {
        match &self.announced {
            Announced::Honest => self.lifetime.map(|lifetime| match lifetime.subsec_nanos() {
                0 => lifetime.as_secs().to_string(),
                _ => lifetime.as_secs_f64().to_string(),
            }),
            Announced::Json(value) => Some(value.clone()),
            Announced::Omitted => None,
        }
    }

    pub(super) fn credentials_are_removed(&self) -> bool {
        self.credentials == Credentials::Removed
    }

    pub(super) fn restore_credentials(&mut self) {
        self.credentials = Credentials::Accepted;
    }

    pub(super) fn new_family(&mut self) -> Family {
        self.families += 1;
        Family(self.families)
    }

    /// Issues `value`, or the newest token again if that was asked for.
    pub(super) fn issue(&mut self, family: Family, value: String) -> String {
        if let (Issue::NewestAgain, Some(newest)) = (self.issue, self.access.back()) {
            return newest.value.clone();
        }
        // A lifetime too long for the clock is none.
        let expires_at = self.lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        let access = Access { value: value.clone(), family, standing: Standing::Valid, expires_at };
        push(&mut self.access, access);
        value
    }

    pub(super) fn issue_refresh(&mut self, family: Family, value: String) -> String {
        push(&mut self.refresh, Refresh { value: value.clone(), family, alive: true });
        value
    }

    /// Spends a refresh token and revokes the access tokens beside it. One that is spent already takes its whole
    /// family with it.
    pub(super) fn rotate(&mut self, refresh: &str) -> Result<Family, Spent> {
        let found = self.refresh.iter_mut().rev().find(|known| known.value == refresh);
        let Some(found) = found else {
            return Err(Spent::Unknown);
        };
        let family = found.family;
        if !found.alive {
            self.kill(family);
            return Err(Spent::Dead);
        }
        found.alive = false;
        if self.issue == Issue::New {
            self.revoke_where(Standing::Expired, |access| access.family == family);
        }
        Ok(family)
    }

    pub(super) fn standing(&self, value: &str) -> Standing {
        // Newest first: that is the one in use.
        let Some(access) = self.access.iter().rev().find(|access| access.value == value) else {
            return Standing::Unknown;
        };
        match access.standing {
            Standing::Valid if access.expires_at.is_some_and(|at| at <= Instant::now()) => Standing::Expired,
            standing => standing,
        }
    }

    pub(super) fn revoke(&mut self, revoked: Revoked) {
        let standing = match revoked {
            Revoked::Expired => Standing::Expired,
            Revoked::Invalid => Standing::Invalid,
            Revoked::Removed => Standing::Removed,
        };
        self.revoke_where(standing, |_| true);
        if revoked != Revoked::Expired {
            self.refresh.iter_mut().for_each(|refresh| refresh.alive = false);
        }
        if revoked == Revoked::Removed {
            self.credentials = Credentials::Removed;
        }
    }

    pub(super) fn log_out(&mut self, value: &str) {
        self.revoke_where(Standing::LoggedOut, |access| access.value == value);
    }

    /// Oldest first.
    pub(super) fn issued(&self) -> Vec<String> {
        self.access.iter().map(|access| access.value.clone()).collect()
    }

    /// Oldest first.
    pub(super) fn issued_refresh(&self) -> Vec<String> {
        self.refresh.iter().map(|refresh| refresh.value.clone()).collect()
    }

    fn kill(&mut self, family: Family) {
        self.revoke_where(Standing::Invalid, |access| access.family == family);
        self.refresh.iter_mut().filter(|known| known.family == family).for_each(|known| known.alive = false);
    }

    fn revoke_where(&mut self, standing: Standing, which: impl Fn(&Access) -> bool) {
        self.access.iter_mut().filter(|access| which(access)).for_each(|access| access.standing = standing);
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == REMEMBERED {
        queue.pop_front();
    }
    queue.push_back(item);
}
