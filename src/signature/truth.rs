//! [`Truth`]: what is known of a condition.

use std::ops::Not;

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
    pub(super) fn all(truths: impl IntoIterator<Item = Self>) -> Self {
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
