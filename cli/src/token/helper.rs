//! What a helper comes to: an answer, or none.

/// What a helper has to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<T> {
    /// It was asked for this.
    Asked(T),
    /// It isn't for it to say anything.
    Nothing,
}

/// What was asked makes no sense. It holds nothing of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Senseless(pub(super) &'static str);
