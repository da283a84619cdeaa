//! [`Condition`]: what must hold for a rule to match, put together with and, or and not.

use std::ops::Not;

use super::{
    matcher::{Case, Matcher},
    media_type::MediaType,
    subject::Subject,
    truth::Truth,
    view::View,
};
use crate::text::Pointer;

/// Asks for a media type in `Content-Type`, whatever its parameters and its case.
///
/// `application/json` is that type alone. A format without a slash, such as `json` or `xml`, is every type of that
/// format, also by its suffix (RFC 6838 §4.2.8): `application/json` and `application/problem+json`.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::signature::{Rule, json, media_type};
///
/// // An event stream that the same API sends with a 200 isn't held up: its head refutes the rule.
/// let rule = Rule::expired()
///     .status(StatusCode::OK)
///     .read_success_bodies()
///     .when(media_type("json"))
///     .when(json("/error").is("token_expired"));
/// ```
pub fn media_type(name: &str) -> Condition {
    Condition::media_type(MediaType::new(name))
}

/// What must hold for a [`Rule`](super::Rule) to match.
///
/// Made by [`header`](super::header()), [`trailer`](super::trailer()), [`challenge`](super::challenge()),
/// [`media_type`](super::media_type()), [`json`](super::json()) and [`body`](super::body()), and put together with
/// [`and`](Self::and), [`or`](Self::or) and `!`. Case matters unless [`ignore_case`](Self::ignore_case) says otherwise.
///
/// Where the body can't be had or read, nothing can be said of it: then neither a condition on it nor the negation
/// of that condition holds.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{header, json};
///
/// let expired = json("/code").one_of([40014, 42001]).or(header("x-token").is("Expired").ignore_case());
/// let fresh = !expired;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a condition does nothing until a rule has it"]
pub struct Condition(Node);

#[derive(Clone, Debug)]
enum Node {
    Test { subject: Subject, matcher: Matcher, case: Case },
    MediaType(MediaType),
    Within { pointer: Pointer, inner: Box<Condition> },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    /// Both this and `other` hold.
    pub fn and(self, other: Self) -> Self {
        let mut all = match self.0 {
            Node::All(all) => all,
            node => vec![Self(node)],
        };
        all.push(other);
        Self(Node::All(all))
    }

    /// This or `other` holds, or both.
    pub fn or(self, other: Self) -> Self {
        let mut any = match self.0 {
            Node::Any(any) => any,
            node => vec![Self(node)],
        };
        any.push(other);
        Self(Node::Any(any))
    }

    /// Takes upper and lower case of ASCII letters for the same, in everything that this condition compares.
    pub fn ignore_case(self) -> Self {
        let each = |conditions: Vec<Self>| conditions.into_iter().map(Self::ignore_case).collect();
        Self(match self.0 {
            Node::Test { subject, matcher, .. } => Node::Test { subject, matcher, case: Case::Ignored },
            Node::MediaType(media_type) => Node::MediaType(media_type),
            Node::Within { pointer, inner } => Node::Within { pointer, inner: Box::new(inner.ignore_case()) },
            Node::All(all) => Node::All(each(all)),
            Node::Any(any) => Node::Any(each(any)),
            Node::Not(inner) => Node::Not(Box::new(inner.ignore_case())),
        })
    }

    /// Whether any part of it is about the trailers.
    pub(super) fn is_about_trailers(&self) -> bool {
        match &self.0 {
            Node::Test { subject, .. } => subject.is_in_trailers(),
            Node::MediaType(_) => false,
            Node::Within { inner, .. } | Node::Not(inner) => inner.is_about_trailers(),
            Node::All(conditions) | Node::Any(conditions) => conditions.iter().any(Self::is_about_trailers),
        }
    }

    /// Whether it holds, as far as that can be told from what `view` shows.
    pub(super) fn holds(&self, view: View<'_, '_>) -> Truth {
        match &self.0 {
            Node::Test { subject, matcher, case } => {
                subject.any(view, &mut |found| matcher.matches(found, *case))
            }
            Node::MediaType(media_type) => Truth::of(media_type.covers(view.head.headers)),
            Node::Within { pointer, inner } => {
                let Some(document) = view.document() else { return Truth::Unknown };
                // Nothing is unknown any more once there is a document.
                Truth::of(pointer.any(document, &mut |value| inner.holds(view.within(value)) == Truth::True))
            }
            Node::All(all) => Self::all(all, view),
            Node::Any(any) => !Truth::all(any.iter().map(|condition| !condition.holds(view))),
            Node::Not(inner) => !inner.holds(view),
        }
    }

    /// Whether all of `conditions` hold.
    pub(super) fn all(conditions: &[Self], view: View<'_, '_>) -> Truth {
        Truth::all(conditions.iter().map(|condition| condition.holds(view)))
    }

    pub(super) fn test(subject: impl Into<Subject>, matcher: Matcher) -> Self {
        Self(Node::Test { subject: subject.into(), matcher, case: Case::Sensitive })
    }

    pub(super) fn media_type(media_type: MediaType) -> Self {
        Self(Node::MediaType(media_type))
    }

    pub(super) fn within(pointer: Pointer, inner: Self) -> Self {
        Self(Node::Within { pointer, inner: Box::new(inner) })
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self(Node::Not(Box::new(self)))
    }
}
