//! Why a flight has failed, as text for the flights of other processes.

use crate::error::{AcquireError, AcquireErrorKind};

/// The kinds that others have to know, since they do about them what they would do themselves. To all others it may work
/// later.
const KINDS: [(&str, AcquireErrorKind); 12] = [
    ("rejected", AcquireErrorKind::Rejected),
    ("grant rejected", AcquireErrorKind::GrantRejected),
    ("no secret", AcquireErrorKind::NoSecret),
    ("timed out", AcquireErrorKind::TimedOut),
    ("moved", AcquireErrorKind::Moved),
    ("missing", AcquireErrorKind::Missing),
    ("not accepted", AcquireErrorKind::NotAccepted),
    ("blocked", AcquireErrorKind::Blocked),
    ("proxy", AcquireErrorKind::ProxyRefused),
    ("unintelligible", AcquireErrorKind::Unintelligible),
    ("token type", AcquireErrorKind::TokenType),
    ("undeclared", AcquireErrorKind::Undeclared),
];

/// What others are told of `error`, which holds no secret.
pub(super) fn to_text(error: &AcquireError) -> String {
    let kind = KINDS.iter().find(|(_, kind)| *kind == error.kind());
    format!("{}: {error}", kind.map_or("later", |(name, _)| name))
}

/// The error that another process has told.
pub(super) fn from_text(text: &str) -> AcquireError {
    let (name, words) = text.split_once(": ").unwrap_or(("", text));
    let kind = KINDS.iter().find(|(known, _)| *known == name);
    let kind = kind.map_or(AcquireErrorKind::Transient, |(_, kind)| *kind);
    AcquireError::new(kind, format!("another process has failed: {words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_do_about_it_what_they_would_do_themselves() {
        for (_, kind) in KINDS {
            let told = from_text(&to_text(&AcquireError::new(kind, "it says: no")));
            assert_eq!(told.kind(), kind);
            assert_eq!(told.to_string(), "another process has failed: it says: no");
        }
        for other in [AcquireErrorKind::Transient, AcquireErrorKind::Panicked, AcquireErrorKind::Unsupported]
        {
            assert_eq!(
                from_text(&to_text(&AcquireError::new(other, "no"))).kind(),
                AcquireErrorKind::Transient
            );
        }
        for text in ["", "no", "of a later release: no", "rejected"] {
            assert_eq!(from_text(text).kind(), AcquireErrorKind::Transient, "{text}");
        }
    }
}
