//! [`Reply`]: what a script answers.

use bytes::Bytes;
use redis::Value;

use crate::{
    error::{StoreError, StoreErrorKind},
    store::{Claimed, Digest, Moment, Record, Revision, Saved, Seen},
};

/// What a script answers: a word, the time, the next revision, and the record as fields.
pub(super) struct Reply {
    pub(super) word: Bytes,
    pub(super) next: Revision,
    pub(super) seen: Seen,
}

impl Reply {
    pub(super) fn read(value: Value) -> Result<Self, StoreError> {
        let Value::Array(values) = value else { return Err(nonsense()) };
        let mut parts = values.into_iter().map(|value| match value {
            Value::BulkString(bytes) => Some(Bytes::from(bytes)),
            Value::SimpleString(text) => Some(Bytes::from(text)),
            _ => None,
        });
        let mut part = || parts.next().flatten();
        let number = |bytes: Option<Bytes>| std::str::from_utf8(&bytes?).ok()?.parse::<u64>().ok();
        let head = (part(), number(part()), number(part()));
        let (Some(word), Some(now), Some(next)) = head else { return Err(nonsense()) };
        let mut fields = Vec::new();
        while let Some(name) = parts.next() {
            let name = name.and_then(|name| String::from_utf8(name.into()).ok());
            let (Some(name), Some(Some(value))) = (name, parts.next()) else { return Err(nonsense()) };
            fields.push((name, value));
        }
        let record = Record::from_fields(fields)?;
        if &word[..] == b"unsound" {
            let words = "the record makes no sense; something else has written it, or it is damaged";
            return Err(StoreError::new(StoreErrorKind::Unreadable, words));
        }
        Ok(Self { word, next: Revision::new(next), seen: Seen::new(Moment::from_millis(now), record) })
    }

    /// What is answered to a claim by those who have the secret `whom`.
    pub(super) fn claimed(self, whom: Option<Digest>) -> Result<Claimed, StoreError> {
        let Self { word, next, seen } = self;
        let now = seen.now;
        Ok(match (&word[..], &seen.record.claim, &seen.record.failure) {
            (b"newer", ..) => Claimed::Newer(Box::new(seen)),
            (b"yours", ..) => Claimed::Yours { seen: Box::new(seen), next },
            (b"held", Some(held), _) => Claimed::Held { by: held.by, left: held.left(now), now },
            (b"wait", _, Some(failure)) => {
                Claimed::Wait { failure: failure.clone(), left: failure.left(whom, now), now }
            }
            _ => return Err(nonsense()),
        })
    }

    /// What is answered to a save.
    pub(super) fn saved(self) -> Result<Saved, StoreError> {
        match &self.word[..] {
            b"done" => Ok(Saved::Done),
            b"newer" => Ok(Saved::Newer(Box::new(self.seen))),
            _ => Err(nonsense()),
        }
    }
}

/// That it isn't what a script of ours answers.
fn nonsense() -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, "redis's answer makes no sense; check whether it is redis")
}
