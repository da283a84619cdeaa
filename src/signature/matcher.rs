//! What a value is compared with, and how.

use std::borrow::Cow;

use crate::text::{Node, Scalar};

/// A value that JSON can hold, as [`Json::is`](super::Json::is) compares it: with its type, so that 602 isn't
/// `"602"`. Numbers are compared by value: 602 is `602.0`.
///
/// Made from strings, integers and booleans.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Literal, json};
///
/// let either = json("/code").one_of([Literal::from(602), Literal::from("602")]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Bool(bool),
    Integer(i128),
    Text(Box<str>),
}

impl Literal {
    /// JSON's `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(Kind::Null)
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self(Kind::Text(text.into()))
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self(Kind::Text(text.into()))
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self(Kind::Bool(value))
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Literal {
            fn from(value: $integer) -> Self {
                Self(Kind::Integer(value.into()))
            }
        }
    )*};
}

from_integer!(u8, u16, u32, u64, i8, i16, i32, i64);

/// Whether upper and lower case differ. Only ASCII letters have case here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Case {
    #[default]
    Sensitive,
    Ignored,
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matcher {
    /// Any value will do.
    Anything,
    OneOf(Box<[Literal]>),
    StartsWith(Box<str>),
    Contains(Box<str>),
}

/// A value that a condition looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Text(&'a str),
    Json(Node<'a>),
}

impl Matcher {
    pub(super) fn is(value: impl Into<Literal>) -> Self {
        Self::OneOf([value.into()].into())
    }

    pub(super) fn one_of<L: Into<Literal>>(values: impl IntoIterator<Item = L>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    pub(super) fn matches(&self, found: Found<'_>, case: Case) -> bool {
        match self {
            Self::Anything => true,
            Self::OneOf(literals) => literals.iter().any(|literal| literal.equals(found, case)),
            Self::StartsWith(prefix) => found.text().is_some_and(|text| match case {
                Case::Sensitive => text.starts_with(&**prefix),
                Case::Ignored => text
                    .as_bytes()
                    .get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
            }),
            Self::Contains(part) => found.text().is_some_and(|text| {
                let (text, part): (Cow<'_, str>, Cow<'_, str>) = match case {
                    Case::Sensitive => (text, (&**part).into()),
                    Case::Ignored => (text.to_ascii_lowercase().into(), part.to_ascii_lowercase().into()),
                };
                text.contains(&*part)
            }),
        }
    }
}

impl Literal {
    fn equals(&self, found: Found<'_>, case: Case) -> bool {
        match (&self.0, found) {
            (Kind::Text(expected), _) => found.text().is_some_and(|text| match case {
                Case::Sensitive => *text == **expected,
                Case::Ignored => text.eq_ignore_ascii_case(expected),
            }),
            (Kind::Null, Found::Json(value)) => value.scalar() == Some(Scalar::Null),
            (Kind::Bool(expected), Found::Json(value)) => value.scalar() == Some(Scalar::Bool(*expected)),
            (Kind::Integer(expected), Found::Json(value)) => integer(value) == Some(*expected),
            (_, Found::Text(_)) => false,
        }
    }
}

impl<'a> Found<'a> {
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text.into()),
            Self::Json(value) => value.text(),
        }
    }
}

/// The whole number that `value` is, however it is written.
fn integer(value: Node<'_>) -> Option<i128> {
    // Above 2^53 a fraction's digits are no longer exact, and equality would be chance.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some(Scalar::Number(digits)) = value.scalar() else { return None };
    digits.parse().ok().or_else(|| {
        let float = digits.parse().ok().filter(|float: &f64| float.fract() == 0.0 && float.abs() <= EXACT)?;
        Some(float as i128)
    })
}
