//! [`Trial`]: a file that is tried out, without secrets and without asking anybody.

use http::Response;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    declaration::{Declaration, Kind, Static},
    node::Node,
    outline::{RFC6750, outline},
    value::refuse,
};
use crate::{
    auth::{AuthLayer, Origin},
    credential::{Parts, TokenEndpoint},
    error::{AcquireError, ConfigError},
    signature::Head,
    token::{AccessToken, Credential},
};

/// A [`Declaration`] that is tried out: what it says, in words, and what becomes of answers that were recorded.
///
/// Nothing is sent. No variable and no file is read, and no input has to be filled: something stands in for each. Answers are
/// judged by the code that judges them in earnest: those of the token endpoint by what a flight asks, those of the API by
/// the [layer](Self::layer) itself.
///
/// # Examples
///
/// ```
/// use http::Response;
/// use tower_reauth::Trial;
///
/// let file = r#"
///     name = "Acme"
///     base_url = "https://{tenant}.acme.example"
///
///     [acquire]
///     request = "POST /token"
///     json = { key = "env:ACME_KEY" }
///
///     [answer]
///     lifetime = "/ttl"
/// "#;
/// let acme: Trial = toml::from_str(file).expect("a declaration");
/// assert!(acme.outline().any(|line| line == "inputs to fill: tenant"));
///
/// let recorded = Response::new(r#"{"access_token":"abc","ttl":600}"#);
/// let token = acme.read_answer(&recorded).expect("a token");
/// assert_eq!(token.lifetime(), Some(std::time::Duration::from_secs(600)));
///
/// let recorded = Response::builder().status(429).header("retry-after", "7").body("")?;
/// let error = acme.read_answer(&recorded).expect_err("no token");
/// assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Trial {
    name: String,
    outline: Vec<String>,
    whole: Whole,
    refreshes: bool,
}

/// The file, with stand-ins for its inputs.
#[derive(Clone, Debug)]
enum Whole {
    Endpoint(Box<TokenEndpoint>),
    Static(Box<Static>),
}

impl Trial {
    /// The vendor's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the file says, in words, a line each: where tokens go, where they come from and how long they live, what becomes
    /// of the one before, what is taken for expiry, which inputs are to be filled, and where secrets are.
    pub fn outline(&self) -> impl Iterator<Item = &str> {
        self.outline.iter().map(|line| &**line)
    }

    /// Whether its tokens come from a token endpoint: they aren't a key, nor a metadata service's.
    #[must_use]
    pub fn acquires(&self) -> bool {
        matches!(self.whole, Whole::Endpoint(_))
    }

    /// Whether there is a request that renews a token.
    #[must_use]
    pub fn refreshes(&self) -> bool {
        self.refreshes
    }

    /// The token that `response` brings, if the token endpoint's answer to the first request were that.
    ///
    /// # Errors
    ///
    /// Those of [`TokenEndpoint::read_answer`](crate::TokenEndpoint::read_answer), and
    /// [`AcquireErrorKind::Unsupported`](crate::AcquireErrorKind::Unsupported) where a key is its own token.
    pub fn read_answer<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<AccessToken, AcquireError> {
        match &self.whole {
            Whole::Endpoint(endpoint) => endpoint.read_answer(response),
            Whole::Static(declared) => Err(self.has_no_token_endpoint(declared)),
        }
    }

    /// The same of an answer to the request that renews `previous`.
    ///
    /// # Errors
    ///
    /// Those of [`TokenEndpoint::read_refresh_answer`](crate::TokenEndpoint::read_refresh_answer), and of
    /// [`read_answer`](Self::read_answer).
    pub fn read_refresh_answer<B: AsRef<[u8]>>(
        &self,
        previous: &AccessToken,
        response: &Response<B>,
    ) -> Result<AccessToken, AcquireError> {
        match &self.whole {
            Whole::Endpoint(endpoint) => endpoint.read_refresh_answer(previous, response),
            Whole::Static(declared) => Err(self.has_no_token_endpoint(declared)),
        }
    }

    /// The layer for the vendor's API with its origin, signatures and placement, and with a credential of the caller's,
    /// such as one that makes up tokens.
    ///
    /// # Errors
    ///
    /// None, once the file was read, but what its signature allows for.
    pub fn layer(&self, credential: impl Credential) -> Result<AuthLayer, ConfigError> {
        let Parts { credential: (), origin, signatures, placement } = self.parts()?;
        Ok(AuthLayer::new(origin, credential).signatures(signatures).placement(placement))
    }

    /// The rule that an answer of the API fits, as the [outline](Self::outline) has it: the first that does, which is the one that
    /// counts. `None` where none does. Trailers aren't looked at.
    #[must_use]
    pub fn rule_for<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Option<&str> {
        self.rule(
            Head { status: response.status(), headers: response.headers() },
            Some(response.body().as_ref()),
        )
    }

    /// The same of the answer to a HEAD, which has no body.
    #[must_use]
    pub fn rule_for_head<B>(&self, response: &Response<B>) -> Option<&str> {
        self.rule(Head { status: response.status(), headers: response.headers() }, None)
    }

    fn rule(&self, head: Head<'_>, body: Option<&[u8]>) -> Option<&str> {
        let index = self.parts().ok()?.signatures.matching(head, body)?;
        let place = format!("rules[{index}]: ");
        // Behind the file's own are those of RFC 6750, which are one line.
        self.outline()
            .find(|line| line.starts_with(&place))
            .or_else(|| self.outline().find(|line| *line == RFC6750))
    }

    /// The origin of the API, with stand-ins where it has inputs.
    ///
    /// # Errors
    ///
    /// As those of [`layer`](Self::layer).
    pub fn origin(&self) -> Result<Origin, ConfigError> {
        Ok(self.parts()?.origin)
    }

    fn parts(&self) -> Result<Parts<()>, ConfigError> {
        match &self.whole {
            Whole::Endpoint(endpoint) => endpoint.parts_without_credential(),
            Whole::Static(declared) => declared.parts_without_credential(),
        }
    }

    fn has_no_token_endpoint(&self, declared: &Static) -> AcquireError {
        let why = if declared.asks_metadata() {
            "asks a metadata service, whose answers are not the file's to say"
        } else {
            "takes a key as it is, and has no token endpoint"
        };
        AcquireError::unsupported(format!("{} {why}", self.name))
    }

    fn read(node: Node) -> Result<Self, ConfigError> {
        let outline = outline(&node);
        let refreshes =
            matches!(&node, Node::Table(entries) if entries.iter().any(|(key, _)| key == "refresh"));
        let declaration = Declaration::read(node)?;
        let name = declaration.name().to_owned();
        let whole = match declaration.0 {
            Kind::Open(open) => Declaration::read_whole(open.with_stand_ins()?)?.0,
            kind => kind,
        };
        let whole = match whole {
            Kind::Endpoint(endpoint) => Whole::Endpoint(endpoint),
            Kind::Static(declared) => Whole::Static(declared),
            Kind::Open(_) | Kind::Strange(..) => return Err(refuse("", "it is still open")),
        };
        Ok(Self { name, outline, whole, refreshes })
    }
}

impl<'de> Deserialize<'de> for Trial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
