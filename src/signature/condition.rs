//! [`Condition`]: what must hold for a rule to match, put together with and, or and not.

use std::ops::Not;

use super::{
    matcher::{Case, Matcher},
    media_type::MediaType,
    pointer::Pointer,
    subject::Subject,
    view::View,
};

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
    pub(super) fn holds(&self, view: View<'_>) -> Truth {
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
    pub(super) fn all(conditions: &[Self], view: View<'_>) -> Truth {
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

/// What is known of a condition (Kleene's three values). Without its body a response leaves conditions on the body
/// unknown; where those beside them decide, the body needn't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    pub(super) fn of(known: bool) -> Self {
        if known { Self::True } else { Self::False }
    }

    /// Whether all are true: one that is false outweighs any that are unknown.
    fn all(truths: impl IntoIterator<Item = Self>) -> Self {
        let mut so_far = Self::True;
        for truth in truths {
            match truth {
                Self::True => {}
                Self::False => return Self::False,
                Self::Unknown => so_far = Self::Unknown,
            }
        }
        so_far
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}
