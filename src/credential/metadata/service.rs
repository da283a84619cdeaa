//! [`Service`]: what is known of a metadata service's failures, as data.

use std::{ops::RangeInclusive, time::Duration};

use crate::error::{AcquireError, AcquireErrorKind};

/// A metadata service, as its documentation has it.
#[derive(Debug)]
pub(super) struct Service {
    /// What errors call it.
    pub(super) name: &'static str,
    /// No answer.
    pub(super) silence: Advice,
    /// Answers, by their status. The first that fits counts.
    pub(super) answers: &'static [(RangeInclusive<u16>, Advice)],
}

/// How a failure is to be taken, and what to look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advice {
    pub(super) taken: Taken,
    pub(super) words: &'static str,
}

/// What a failure means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken {
    /// It passes. The second attempt comes so long after the first one, and further ones ever later.
    Passes(Duration),
    /// What is asked for isn't there.
    Missing,
    /// It is refused, and will be.
    Refused,
}

impl Service {
    /// `error`, with what to look at. What says that already stays as it is.
    pub(super) fn advise(&self, error: AcquireError) -> AcquireError {
        let advice = match error.status() {
            Some(status) => self
                .answers
                .iter()
                .find(|(statuses, _)| statuses.contains(&status.as_u16()))
                .map(|(_, it)| it),
            None if error.kind() == AcquireErrorKind::Transient => Some(&self.silence),
            None => None,
        };
        let Some(Advice { taken, words }) = advice else { return error };
        let words = format!("{} {words}", self.name);
        let mut advised = match taken {
            Taken::Passes(apart) => AcquireError::transient(words).with_attempts_apart(*apart),
            Taken::Missing => AcquireError::new(AcquireErrorKind::Missing, words),
            Taken::Refused => AcquireError::rejected(words),
        };
        if let Some(status) = error.status() {
            advised = advised.with_status(status);
        }
        if let Some(code) = error.code() {
            advised = advised.with_code(code);
        }
        if let Some(after) = error.retry_after() {
            advised = advised.with_retry_after(after);
        }
        advised.with_source(error)
    }
}
