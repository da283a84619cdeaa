//! What can be asked of each [`Subject`](super::Subject), which makes it a [`Condition`].

use super::{
    condition::Condition,
    matcher::{Literal, Matcher},
    subject::{Body, Challenge, ChallengeParam, Header, Json, Trailer},
};
use crate::text::Pointer;

/// What can be asked of a value that is text and nothing else.
macro_rules! value_conditions {
    () => {
        /// It is exactly `value`.
        pub fn is(self, value: &str) -> Condition {
            Condition::test(self, Matcher::is(value))
        }

        /// It is exactly one of `values`.
        pub fn one_of<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Condition {
            Condition::test(self, Matcher::one_of(values))
        }
    };
}

/// What can be asked of text, wherever it is.
macro_rules! text_conditions {
    () => {
        /// It starts with `prefix`.
        pub fn starts_with(self, prefix: &str) -> Condition {
            Condition::test(self, Matcher::StartsWith(prefix.into()))
        }

        /// It contains `part`.
        pub fn contains(self, part: &str) -> Condition {
            Condition::test(self, Matcher::Contains(part.into()))
        }
    };
}

/// What can be asked of something that may not be there.
macro_rules! presence_conditions {
    () => {
        /// It is there, whatever its value.
        pub fn exists(self) -> Condition {
            Condition::test(self, Matcher::Anything)
        }

        /// It isn't there.
        pub fn absent(self) -> Condition {
            !self.exists()
        }
    };
}

impl Header {
    value_conditions!();
    text_conditions!();
    presence_conditions!();
}

impl Trailer {
    value_conditions!();
    text_conditions!();
    presence_conditions!();
}

impl Challenge {
    /// Looks at the parameter `name`, whose case doesn't matter.
    pub fn param(self, name: &str) -> ChallengeParam {
        ChallengeParam { scheme: self.scheme, name: name.into() }
    }

    presence_conditions!();
}

impl ChallengeParam {
    value_conditions!();
    text_conditions!();
    presence_conditions!();
}

impl Json {
    /// As [`json`](super::json()), for pointers that are known only at run time: `None` if `pointer` is no JSON pointer.
    #[must_use]
    pub fn parse(pointer: &str) -> Option<Self> {
        Pointer::parse(pointer).map(|pointer| Self { pointer })
    }

    /// It is `value`, of the same type: `"602"` isn't 602.
    pub fn is(self, value: impl Into<Literal>) -> Condition {
        Condition::test(self, Matcher::is(value))
    }

    /// It is one of `values`.
    pub fn one_of<L: Into<Literal>>(self, values: impl IntoIterator<Item = L>) -> Condition {
        Condition::test(self, Matcher::one_of(values))
    }

    /// Within it `condition` holds: pointers in `condition` start here, and all of them at the same element.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::signature::json;
    ///
    /// // The code and the details of one and the same error.
    /// let expired = json("/errors/*")
    ///     .has(json("/code").is("Unauthorized").and(json("/details").contains("has expired")));
    /// ```
    pub fn has(self, condition: Condition) -> Condition {
        Condition::within(self.pointer, condition)
    }

    text_conditions!();
    presence_conditions!();
}

impl Body {
    text_conditions!();
}
