//! [`Outline`]: which claims and headers a JWT has, and how long it is good. It knows no key and no value, so a file can be
//! checked by it before its secrets are there.

use std::time::Duration;

/// How long a JWT is valid, from its `iat` on.
pub(crate) const LIFETIME: Duration = Duration::from_secs(180);

/// How far `iat` and `nbf` are in the past, since the server's clock may be behind ours. GitHub recommends 60 seconds:
/// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>,
/// read in November 2026.
const BACK_DATED: Duration = Duration::from_secs(60);

/// The claims that a JWT has by itself, and what sets them.
const CLAIMS: [(&str, &str); 7] = [
    ("iss", "it is the issuer"),
    ("exp", "`lifetime` sets it"),
    ("sub", "`subject` sets it"),
    ("aud", "`audience` sets it"),
    ("iat", "`back_dated` sets it"),
    ("nbf", "`back_dated` sets it"),
    ("jti", "each jwt has one of its own"),
];

/// Those without which there is no JWT.
const NEEDED: [&str; 2] = ["iss", "exp"];

/// A JWT by the names of what is in it.
pub(crate) struct Outline<'a> {
    /// The claims that are given as one's own.
    pub(crate) claims: Vec<&'a str>,
    pub(crate) left_out: Vec<&'a str>,
    /// The headers that are given as one's own.
    pub(crate) headers: Vec<&'a str>,
    /// The headers that the key sets.
    pub(crate) of_key: Vec<&'a str>,
    pub(crate) lifetime: Duration,
    pub(crate) back_dated: Option<Duration>,
}

/// What is wrong with an [`Outline`], and what of it that is.
pub(crate) enum Refusal<'a> {
    Claim(&'a str, &'static str),
    LeftOut(&'a str),
    Header(&'a str),
    Span { lifetime: u64, back: u64 },
}

impl<'a> Outline<'a> {
    /// Whether something that was set would be lost, or the JWT wouldn't be good for a moment.
    pub(crate) fn refusal(&self) -> Option<Refusal<'a>> {
        for name in &self.claims {
            let own = CLAIMS.iter().find(|(own, _)| own == name && !self.left_out.contains(own));
            if let Some((_, why)) = own {
                return Some(Refusal::Claim(name, why));
            }
        }
        let may_go = |name: &str| CLAIMS.iter().any(|(own, _)| *own == name) && !NEEDED.contains(&name);
        if let Some(name) = self.left_out.iter().find(|name| !may_go(name)) {
            return Some(Refusal::LeftOut(name));
        }
        // `b64` would change what is signed (RFC 7797).
        let taken = |name: &&&str| ["alg", "typ", "b64"].contains(*name) || self.of_key.contains(*name);
        if let Some(name) = self.headers.iter().find(taken) {
            return Some(Refusal::Header(name));
        }
        let (lifetime, back) = (self.lifetime.as_secs(), back(self.lifetime, self.back_dated));
        (lifetime <= back).then_some(Refusal::Span { lifetime, back })
    }
}

impl Refusal<'_> {
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Claim(name, why) if NEEDED.contains(name) => {
                format!("the claim {name} of a jwt can't be given as one's own: {why}")
            }
            Self::Claim(name, why) => format!(
                "the claim {name} of a jwt can't be given as one's own: {why}; `without_claim`, or `without_claims` in a \
                 file, leaves that out"
            ),
            Self::LeftOut(name) => format!(
                "the claim {name} of a jwt can't be left out; it has to be one of sub, aud, iat, nbf and jti"
            ),
            Self::Header(name) => format!(
                "the header {name} of a jwt can't be given as one's own; it is set by the key, its names, or `typ`"
            ),
            Self::Span { lifetime, back } => {
                format!(
                    "a jwt that is valid for {lifetime} s and back-dated by {back} s has expired when it is sent"
                )
            }
        }
    }
}

/// How far in the past a JWT is issued, in seconds.
pub(super) fn back(lifetime: Duration, back_dated: Option<Duration>) -> u64 {
    back_dated.unwrap_or(BACK_DATED.min(lifetime / 2)).as_secs()
}
