//! Which requests may carry the token: those to one origin (RFC 6454 §4), compared by scheme, host and port, and, if it
//! has one, beneath its path. Or to one of a few, where a vendor has several hosts for one token.

use std::{fmt, iter, sync::Arc};

use http::{
    Uri,
    uri::{Authority, Scheme},
};

use super::prefix::{is_beneath, prefix};
use crate::{
    address::{is_inward_host, is_loopback, is_metadata_host},
    error::{ConfigError, ConfigErrorKind},
};

/// The origin that the token belongs to. Requests to any other one pass through the layer untouched.
///
/// Scheme and host are compared without regard to case, default ports are filled in, and userinfo is ignored.
/// The `Host` header is never trusted. Names aren't looked up: `localhost` is another host than `127.0.0.1`.
///
/// It may have a path, for an API behind a gateway: `https://gateway.example.com/vendor`. Then requests to `/vendor` and
/// to what is beneath it carry the token, and others to the same host don't. The path is compared byte for byte. A
/// request whose path might lead out of it to any server, by `..` in whatever encoding, is none beneath it. A client or a
/// layer beneath this one that follows redirects by itself would take the token along to other paths of the host.
///
/// A vendor may have several hosts for one token, such as one for its API and one for uploads: see
/// [`with_other`](Self::with_other). Nothing but what is in that list carries the token.
///
/// Who gets a 401 for such a slip finds [`Passed::OtherOrigin`](crate::Passed::OtherOrigin) in the response's
/// [`AuthOutcome`](crate::AuthOutcome), and both origins in the log at debug level.
///
/// A metadata service, from which machines in a cloud get what they are and who, is never an origin, whichever way its
/// address is written: a token for an API is none of its business, and what it answers is a secret itself. Only a
/// credential that was made for it may ask there.
///
/// # Examples
///
/// ```
/// use tower_reauth::Origin;
///
/// let origin = Origin::parse("https://api.example.com")?;
/// assert!(origin.covers(&"https://API.example.com:443/videos".parse().unwrap()));
/// assert!(!origin.covers(&"http://api.example.com/videos".parse().unwrap()));
///
/// let origin = Origin::parse("https://gateway.example.com/vendor")?;
/// assert!(origin.covers(&"https://gateway.example.com/vendor/videos".parse().unwrap()));
/// assert!(!origin.covers(&"https://gateway.example.com/vendors".parse().unwrap()));
/// assert!(!origin.covers(&"https://gateway.example.com/vendor/%2e%2e/admin".parse().unwrap()));
/// # Ok::<(), tower_reauth::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
    /// Without a slash at its end. Usually empty.
    prefix: Box<str>,
    /// Host and port as they are usually written, to be compared with first. Empty, which no authority is, where the path
    /// has to be looked at as well.
    authority: Box<str>,
    implied: Implied,
    /// Where the token may go as well. Mostly nowhere. None of these has others itself, or is implied.
    others: Option<Arc<Others>>,
}

/// Some more origins. Behind one pointer, since each layer has room for it and few have any.
#[derive(PartialEq, Eq)]
struct Others(Box<[Origin]>);

/// Whether requests whose URI has no authority go to the origin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Implied {
    No,
    /// All of them do, and may carry the token.
    Wholly,
    /// They do, and those beneath the prefix may carry it.
    Beneath,
}

/// Whether secrets may travel in plain text to other machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Plaintext {
    #[default]
    Refused,
    Allowed,
}

impl Origin {
    /// Parses `scheme://host[:port][/path]`. `http` is accepted only for loopback hosts (`localhost`, `127.0.0.0/8`,
    /// `[::1]`), since anybody on the way could read the token. A slash at the end means nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if it is no origin, or has a query, a fragment, or a path with dot segments or anything
    /// that could be taken for one; [`ConfigErrorKind::InsecureUrl`] for `http` elsewhere;
    /// [`ConfigErrorKind::MetadataHost`] for a metadata service.
    pub fn parse(origin: &str) -> Result<Self, ConfigError> {
        Self::parse_allowing_plaintext_tokens(origin)?
            .in_private("tokens", "Origin::parse_allowing_plaintext_tokens")
    }

    /// As [`parse`](Self::parse), but lets tokens travel in plain text over `http` to any host.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Url`] if it is no origin, [`ConfigErrorKind::MetadataHost`] for a metadata service.
    pub fn parse_allowing_plaintext_tokens(origin: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| ConfigError::new(ConfigErrorKind::Url, format!("not an origin: {why}"));
        let uri: Uri = origin
            .parse()
            .map_err(|error| refuse(&format!("it {}", unreadable(origin))).with_source(error))?;
        // `Uri` drops fragments.
        if uri.query().is_some() || origin.contains('#') {
            return Err(refuse("it has a query or a fragment; give scheme, host, port and path only"));
        }
        if uri.host().is_some_and(|host| host.contains('*')) {
            return Err(refuse("its host has a wildcard, and there are none; name each host"));
        }
        let found = Self::of(&uri)
            .ok_or_else(|| refuse("it needs http or https, a host, no userinfo and a valid port"))?
            .off_metadata()?;
        Ok(found.beneath(prefix(uri.path()).map_err(refuse)?))
    }

    /// The origin of a base URL, whose path it keeps. Those who may send secrets there in plain text have said so by
    /// `allow_plaintext_secrets`.
    pub(crate) fn of_base_url(url: &str, plaintext: Plaintext) -> Result<Self, ConfigError> {
        Self::parse_allowing_plaintext_tokens(url)?.fit_for_secrets(plaintext)
    }

    /// The same, with the origins of others.
    pub(crate) fn of_base_urls(
        url: &str,
        others: &[impl AsRef<str>],
        plaintext: Plaintext,
    ) -> Result<Self, ConfigError> {
        others.iter().try_fold(Self::of_base_url(url, plaintext)?, |origin, other| {
            Ok(origin.with_other(Self::of_base_url(other.as_ref(), plaintext)?))
        })
    }

    /// The origin of `uri`, whatever its path.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        let port = port_of(scheme, authority)?;
        let host = authority.host().to_ascii_lowercase();
        let authority =
            if default_port(scheme) == Some(port) { host.clone() } else { format!("{host}:{port}") };
        Some(Self {
            scheme: scheme.clone(),
            host: host.into(),
            port,
            prefix: Box::default(),
            authority: authority.into(),
            implied: Implied::No,
            others: None,
        })
    }

    /// Adds an origin that gets the same token: an upload host beside the API, a second region. It is compared as the first one
    /// is, by scheme, host, port and path, and there are no wildcards. A query parameter carries the token only if all of them
    /// are `https` or loopback.
    ///
    /// `Display` shows the first one alone, which base URLs, logs and metrics are about.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::Origin;
    ///
    /// let api = Origin::parse("https://api.example.com")?;
    /// let origin = api.with_other(Origin::parse("https://content.example.com")?);
    /// assert!(origin.covers(&"https://api.example.com/files".parse().unwrap()));
    /// assert!(origin.covers(&"https://content.example.com/upload".parse().unwrap()));
    /// assert!(!origin.covers(&"https://example.com/".parse().unwrap()));
    /// # Ok::<(), tower_reauth::ConfigError>(())
    /// ```
    #[must_use]
    pub fn with_other(mut self, mut other: Self) -> Self {
        let theirs = other.others.take();
        other.implied = Implied::No;
        let all = self.all().skip(1).cloned().chain([other]);
        let all = all.chain(theirs.iter().flat_map(|theirs| theirs.0.iter().cloned()));
        self.others = Some(Arc::new(Others(all.collect())));
        self
    }

    /// Says that the service under the layer talks to this origin alone, so that requests whose URI has no
    /// authority (tonic's, and those of a bare HTTP/1.1 connection) go there and may carry the token.
    #[must_use]
    pub fn implied(mut self) -> Self {
        self.implied = if self.prefix.is_empty() { Implied::Wholly } else { Implied::Beneath };
        self
    }

    /// Whether a request to `uri` may carry the token.
    #[must_use]
    #[inline]
    pub fn covers(&self, uri: &Uri) -> bool {
        match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => {
                (*scheme == self.scheme && authority.as_str() == &*self.authority)
                    || self.covers_otherwise(scheme, authority, uri)
            }
            (None, None) => self.implied == Implied::Wholly || self.is_implied_by(uri),
            _ => false,
        }
    }

    /// Where the authority is written in another way, or isn't all that counts, or is that of one of the others. Out of the way
    /// of those where it is.
    #[inline(never)]
    fn covers_otherwise(&self, scheme: &Scheme, authority: &Authority, uri: &Uri) -> bool {
        self.all().any(|origin| origin.is_at(scheme, authority, uri.path()))
    }

    /// Whether it is that of `scheme` and `authority`, with a path that is beneath its own.
    fn is_at(&self, scheme: &Scheme, authority: &Authority, path: &str) -> bool {
        *scheme == self.scheme
            && authority.host().eq_ignore_ascii_case(&self.host)
            && port_of(scheme, authority) == Some(self.port)
            && (self.prefix.is_empty() || is_beneath(&self.prefix, path))
    }

    #[inline(never)]
    fn is_implied_by(&self, uri: &Uri) -> bool {
        self.implied == Implied::Beneath && is_beneath(&self.prefix, uri.path())
    }

    /// Whether it surely is what is reached from inside alone: this machine, or a private network.
    #[allow(dead_code, reason = "where somebody else has chosen it")]
    pub(crate) fn leads_inwards(&self) -> bool {
        self.all().any(|origin| is_inward_host(&origin.host))
    }

    /// This one, and the others.
    fn all(&self) -> impl Iterator<Item = &Self> {
        iter::once(self).chain(self.others.iter().flat_map(|others| &others.0))
    }

    /// This origin, if no metadata service is there.
    pub(crate) fn off_metadata(self) -> Result<Self, ConfigError> {
        if !is_metadata_host(&self.host) {
            return Ok(self);
        }
        Err(ConfigError::new(
            ConfigErrorKind::MetadataHost,
            format!(
                "{} is a metadata service, which hands out a machine's own credentials; no setting lets tokens or \
                 secrets go there, and only a credential that is made for it may ask it; give the url of the api, or \
                 of its token endpoint",
                self.host
            ),
        ))
    }

    /// This origin, if secrets may be sent there.
    pub(crate) fn fit_for_secrets(self, plaintext: Plaintext) -> Result<Self, ConfigError> {
        match plaintext {
            Plaintext::Refused => self.in_private("secrets", "allow_plaintext_secrets"),
            Plaintext::Allowed => Ok(self),
        }
    }

    /// This origin, if nobody but the server can read what is sent there.
    fn in_private(self, what: &str, setting: &str) -> Result<Self, ConfigError> {
        if self.is_secure() {
            return Ok(self);
        }
        Err(ConfigError::new(
            ConfigErrorKind::InsecureUrl,
            format!(
                "{self} would be sent {what} in plain text; use https, or a loopback host, or {setting} if everybody on \
                 the way may read them"
            ),
        ))
    }

    /// Whether nobody but the server can read what is sent there.
    pub(super) fn is_secure(&self) -> bool {
        self.all().all(|origin| origin.scheme == Scheme::HTTPS || is_loopback(&origin.host))
    }

    fn beneath(self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self;
        }
        Self { prefix: prefix.into(), authority: Box::default(), ..self }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}{}", self.scheme, self.host, self.port, self.prefix)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self}{}", if self.implied == Implied::No { "" } else { ", implied" })?;
        self.all().skip(1).try_for_each(|other| write!(f, " and {other}"))?;
        f.write_str(")")
    }
}

/// What is wrong with a URL that can't be read.
pub(crate) fn unreadable(url: &str) -> &'static str {
    let host = url.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    match host {
        // RFC 5890 §2.3.2.1.
        Some(host) if !host.is_ascii() => {
            "can't be parsed; a host with letters beyond ASCII is written in punycode, as in xn--mnchen-3ya.example"
        }
        _ => "can't be parsed",
    }
}

/// The port that `authority` means, or `None` where that can't be told.
fn port_of(scheme: &Scheme, authority: &Authority) -> Option<u16> {
    if let Some(port) = authority.port_u16() {
        return Some(port);
    }
    // A port that isn't a number up to 65535 is none to http; a client might read it in another way.
    if !authority.as_str().ends_with(authority.host()) {
        return None;
    }
    default_port(scheme)
}

fn default_port(scheme: &Scheme) -> Option<u16> {
    if *scheme == Scheme::HTTPS {
        Some(443)
    } else if *scheme == Scheme::HTTP {
        Some(80)
    } else {
        None
    }
}

#[cfg(test)]
pub(super) mod tests;
