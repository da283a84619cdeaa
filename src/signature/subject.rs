//! What a condition can look at: headers, trailers, challenges, the media type, JSON, and the body's text.

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode;

use super::{
    challenge::{any_param, has_challenge},
    matcher::Found,
    reason::reason,
    truth::Truth,
    view::View,
};
use crate::text::Pointer;

/// Looks at a header. Of gRPC's `grpc-message` it sees what its percent-encoding stands for.
///
/// # Panics
///
/// If `name` is no header name. Names known only at run time can be checked before: a [`HeaderName`] always fits.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Rule, header};
///
/// let rule = Rule::expired().when(header("x-token-state").is("expired").ignore_case());
/// ```
#[track_caller]
pub fn header<N: TryInto<HeaderName>>(name: N) -> Header {
    let Ok(name) = name.try_into() else { panic!("a condition looks at what is no header name") };
    Header { name }
}

/// Looks at a field of the trailers, which come after the body (RFC 9110 §6.5).
///
/// By then the response has been handed out, its body streaming. So the request isn't replayed: the token is replaced
/// for the next one, and [`TrailersOutcome`](crate::TrailersOutcome) says so. A rule that
/// [reads success bodies](super::Rule::read_success_bodies) has each answer held up until its trailers are there, up to
/// the layer's caps, and then the request is replayed: that is for APIs that don't stream.
///
/// Where no trailers come, nothing can be said of them: neither the condition nor its negation holds.
///
/// # Panics
///
/// If `name` is no field name.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::signature::{Rule, trailer};
///
/// let rule = Rule::expired().status(StatusCode::OK).when(trailer("grpc-status").is("16"));
/// ```
#[track_caller]
pub fn trailer<N: TryInto<HeaderName>>(name: N) -> Trailer {
    let Ok(name) = name.try_into() else { panic!("a condition looks at what is no field name") };
    Trailer { name }
}

/// Looks at the challenges of a scheme in `WWW-Authenticate` (RFC 9110 §11.6.1).
///
/// The scheme's case doesn't matter, nor how many challenges there are, of other schemes too, in how many lines.
/// `Proxy-Authenticate` is never looked at.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Rule, challenge};
///
/// let rule = Rule::expired().when(challenge("Bearer").param("error").is("invalid_token"));
/// ```
pub fn challenge(scheme: &str) -> Challenge {
    Challenge { scheme: scheme.into() }
}

/// Looks at a JSON body, where `pointer` (RFC 6901) points to.
///
/// In an array `*` stands for any element: `/errors/*/code`. The empty pointer is the whole document; keys may have
/// spaces; `~` and `/` in keys are written `~0` and `~1`.
///
/// The body must be JSON as a whole, whatever its media type. Where it isn't, such as when it was cut off, nothing can be
/// said of it: neither the condition nor its negation holds. What is odd elsewhere in it (a byte that is in no charset, a
/// number out of all bounds, a raw line break) doesn't matter. Of members with the same key the last counts.
///
/// # Panics
///
/// If `pointer` is no JSON pointer. [`Json::parse`] checks those that are known only at run time.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Rule, json};
///
/// let rule = Rule::expired().when(json("/errors/*/code").is("602"));
/// ```
#[track_caller]
pub fn json(pointer: &str) -> Json {
    Json { pointer: Pointer::new(pointer) }
}

/// Looks at the body as text: for XML and plain text. It is read as UTF-8, UTF-16 or ISO 8859-1, whichever it is.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Rule, body, media_type};
///
/// let rule = Rule::expired().when(media_type("xml")).when(body().contains("<Code>ExpiredToken</Code>"));
/// ```
pub fn body() -> Body {
    Body(())
}

/// A header, made by [`header`]. Where it has several lines, one that fits is enough.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Header, header};
///
/// let state: Header = header("x-token-state");
/// let expired = state.clone().is("expired").or(state.starts_with("stale-"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct Header {
    name: HeaderName,
}

/// A field of the trailers, made by [`trailer`]. Where it has several lines, one that fits is enough.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Trailer, trailer};
///
/// let status: Trailer = trailer("grpc-status");
/// let unauthenticated = status.is("16");
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct Trailer {
    name: HeaderName,
}

/// Challenges of one scheme, made by [`challenge`]. Where there are several, one that fits is enough.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Challenge, challenge};
///
/// let basic: Challenge = challenge("Basic");
/// let login_page_of_a_proxy = basic.exists();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct Challenge {
    pub(super) scheme: Box<str>,
}

/// A parameter of a challenge, made by [`Challenge::param`], with quotes and escapes undone.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{ChallengeParam, challenge};
///
/// let error: ChallengeParam = challenge("Bearer").param("error");
/// let permanent = error.one_of(["insufficient_scope", "invalid_request"]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct ChallengeParam {
    pub(super) scheme: Box<str>,
    pub(super) name: Box<str>,
}

/// Values of a JSON body, made by [`json`]. Where the pointer names several, one that fits is enough.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Json, json};
///
/// let code: Json = json("/errors/0/code");
/// let unnamed = code.clone().absent().or(code.one_of(["", "unknown"]));
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct Json {
    pub(super) pointer: Pointer,
}

/// The body's text, made by [`body`].
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Body, body};
///
/// let text: Body = body();
/// let expired = text.starts_with("token expired").ignore_case();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it is a condition only with what is asked of it"]
pub struct Body(());

/// What a condition looks at, of whatever kind. It is also where a [reason](super::Rule::reason_from) is found.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::signature::{Rule, header};
///
/// let rule = Rule::denied().status(StatusCode::FORBIDDEN).reason_from(header("x-request-id"));
/// ```
#[derive(Clone, Debug)]
pub struct Subject(Place);

#[derive(Clone, Debug)]
enum Place {
    Header(HeaderName),
    Trailer(HeaderName),
    Challenge(Box<str>),
    Param { scheme: Box<str>, name: Box<str> },
    Json(Pointer),
    Body,
}

impl Subject {
    /// Shows `visit` each value that is there, until it returns true. Says whether it did, as far as that is known.
    pub(super) fn any(&self, view: View<'_, '_>, visit: &mut dyn FnMut(Found<'_>) -> bool) -> Truth {
        let headers = view.head.headers;
        Truth::of(match &self.0 {
            Place::Header(name) => any_line(headers, name, visit),
            Place::Trailer(name) => {
                let Some(trailers) = view.trailers() else { return Truth::Unknown };
                any_line(trailers, name, visit)
            }
            Place::Challenge(scheme) => has_challenge(headers, scheme) && visit(Found::Text(scheme)),
            Place::Param { scheme, name } => {
                any_param(headers, scheme, name, &mut |value| visit(Found::Text(value)))
            }
            Place::Json(pointer) => {
                let Some(document) = view.document() else { return Truth::Unknown };
                pointer.any(document, &mut |value| visit(Found::Json(value)))
            }
            Place::Body => {
                let Some(text) = view.text() else { return Truth::Unknown };
                visit(Found::Text(text))
            }
        })
    }

    pub(super) fn is_in_trailers(&self) -> bool {
        matches!(self.0, Place::Trailer(_))
    }

    /// The first value that makes a reason.
    pub(super) fn reason(&self, view: View<'_, '_>) -> Option<Box<str>> {
        let mut words = None;
        self.any(view, &mut |found| {
            words = reason(found);
            words.is_some()
        });
        words
    }
}

/// Shows `visit` the lines of a field, until it returns true. Those of `grpc-message` are percent-encoded.
fn any_line(fields: &HeaderMap, name: &HeaderName, visit: &mut dyn FnMut(Found<'_>) -> bool) -> bool {
    let mut lines = fields.get_all(name).iter();
    if name == "grpc-message" {
        return lines.any(|line| visit(Found::Text(&percent_decode(line.as_bytes()).decode_utf8_lossy())));
    }
    lines.any(|line| visit(Found::Text(&String::from_utf8_lossy(line.as_bytes()))))
}

impl From<Header> for Subject {
    fn from(header: Header) -> Self {
        Self(Place::Header(header.name))
    }
}

impl From<Trailer> for Subject {
    fn from(trailer: Trailer) -> Self {
        Self(Place::Trailer(trailer.name))
    }
}

impl From<Challenge> for Subject {
    fn from(challenge: Challenge) -> Self {
        Self(Place::Challenge(challenge.scheme))
    }
}

impl From<ChallengeParam> for Subject {
    fn from(ChallengeParam { scheme, name }: ChallengeParam) -> Self {
        Self(Place::Param { scheme, name })
    }
}

impl From<Json> for Subject {
    fn from(json: Json) -> Self {
        Self(Place::Json(json.pointer))
    }
}

impl From<Body> for Subject {
    fn from(Body(()): Body) -> Self {
        Self(Place::Body)
    }
}
