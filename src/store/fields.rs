//! A record as fields with names: what is kept, whatever a store makes of it.
//!
//! A field that isn't there means none, or nothing. There is one format, for ever: a later release adds fields that an
//! earlier one may leave as they are, or else it says another number in `format`.

use std::str;

use bytes::Bytes;

use super::{
    digest::Digest,
    moment::Moment,
    nonce::Nonce,
    record::{Failure, Held, Note, Record, Standing},
    revision::Revision,
};
use crate::error::{StoreError, StoreErrorKind};

/// The format that is written, and the only one that is read.
const FORMAT: u64 = 1;

impl Record {
    /// The record as fields, `format` first.
    pub(super) fn to_fields(&self) -> Vec<(String, Bytes)> {
        let mut fields = Writer(Vec::new());
        fields.number("format", FORMAT);
        fields.number("revision", self.revision.number());
        fields.text("author", self.author);
        fields.number("saved_at", self.saved_at.millis());
        let standing = match self.standing {
            Standing::Offered => None,
            Standing::Rejected => Some("rejected"),
            Standing::Revoked => Some("revoked"),
        };
        fields.text("standing", standing);
        fields.number("accepted", self.accepted.into());
        if let Some(held) = &self.claim {
            fields.text("claim.by", Some(held.by));
            fields.number("claim.until", held.until.millis());
            fields.bytes("claim.owner", &held.owner);
        }
        if let Some(note) = &self.note {
            fields.number("note.revision", note.revision.number());
            fields.text("note.by", Some(note.by));
            fields.number("note.at", note.at.millis());
            fields.number("note.flights", note.flights.into());
            fields.number("note.refused", note.refused.into());
        }
        fields.number("rejections", self.rejections.into());
        fields.number("full_at", self.full_at.millis());
        if let Some(failure) = &self.failure {
            fields.text("failure.by", Some(failure.by));
            fields.number("failure.at", failure.at.millis());
            fields.number("failure.until", failure.until.millis());
            fields.text("failure.whom", failure.whom);
            fields.number("failure.in_a_row", failure.in_a_row.into());
            fields.text("failure.text", Some(&failure.text));
        }
        fields.number("goes_at", self.goes_at.millis());
        fields.0.extend(self.unknown.iter().cloned());
        fields.bytes("body", self.body.as_bytes());
        fields.0
    }

    /// Reads fields. None at all are the default record.
    pub(super) fn from_fields(fields: impl IntoIterator<Item = (String, Bytes)>) -> Result<Self, StoreError> {
        let mut fields = Reader(fields.into_iter().collect());
        if fields.0.is_empty() {
            return Ok(Self::default());
        }
        match fields.number("format")? {
            FORMAT => {}
            newer if newer > FORMAT => {
                let words =
                    format!("the record is in format {newer}, of a later release; update this program");
                return Err(StoreError::new(StoreErrorKind::NewerFormat, words));
            }
            _ => return Err(unreadable("format")),
        }
        Ok(Self {
            revision: Revision::new(fields.number("revision")?),
            author: fields.parsed("author", Nonce::parse)?,
            saved_at: fields.moment("saved_at")?,
            standing: fields.parsed("standing", standing)?.unwrap_or_default(),
            accepted: fields.flag("accepted")?,
            claim: fields.claim()?,
            note: fields.note()?,
            rejections: fields.small("rejections")?,
            full_at: fields.moment("full_at")?,
            failure: fields.failure()?,
            goes_at: fields.moment("goes_at")?,
            body: fields.take("body").unwrap_or_default().into(),
            unknown: fields.0,
        })
    }
}

struct Writer(Vec<(String, Bytes)>);

impl Writer {
    fn number(&mut self, name: &str, number: u64) {
        if number > 0 {
            self.text(name, Some(number));
        }
    }

    fn text(&mut self, name: &str, text: Option<impl ToString>) {
        if let Some(text) = text {
            self.bytes(name, &text.to_string().into());
        }
    }

    fn bytes(&mut self, name: &str, bytes: &Bytes) {
        if !bytes.is_empty() {
            self.0.push((name.to_owned(), bytes.clone()));
        }
    }
}

/// What wasn't taken yet.
struct Reader(Vec<(String, Bytes)>);

impl Reader {
    fn take(&mut self, name: &str) -> Option<Bytes> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, StoreError> {
        self.take(name).map(|value| parse(&value).ok_or_else(|| unreadable(name))).transpose()
    }

    fn number(&mut self, name: &str) -> Result<u64, StoreError> {
        let number = |value: &[u8]| str::from_utf8(value).ok()?.parse().ok();
        Ok(self.parsed(name, number)?.unwrap_or_default())
    }

    fn small(&mut self, name: &str) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.number(name)?).unwrap_or(u32::MAX))
    }

    fn flag(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.number(name)? > 0)
    }

    fn moment(&mut self, name: &str) -> Result<Moment, StoreError> {
        self.number(name).map(Moment::from_millis)
    }

    fn claim(&mut self) -> Result<Option<Held>, StoreError> {
        let by = self.parsed("claim.by", Nonce::parse)?;
        let (until, owner) = (self.moment("claim.until")?, self.take("claim.owner").unwrap_or_default());
        Ok(by.map(|by| Held { by, until, owner }))
    }

    fn note(&mut self) -> Result<Option<Note>, StoreError> {
        let by = self.parsed("note.by", Nonce::parse)?;
        let (revision, at) = (Revision::new(self.number("note.revision")?), self.moment("note.at")?);
        let (flights, refused) = (self.small("note.flights")?, self.flag("note.refused")?);
        Ok(by.map(|by| Note { revision, by, at, flights, refused }))
    }

    fn failure(&mut self) -> Result<Option<Failure>, StoreError> {
        let by = self.parsed("failure.by", Nonce::parse)?;
        let (at, until) = (self.moment("failure.at")?, self.moment("failure.until")?);
        let whom = self.parsed("failure.whom", Digest::parse)?;
        let in_a_row = self.small("failure.in_a_row")?;
        let text = self.parsed("failure.text", |value| String::from_utf8(value.into()).ok())?;
        let text = text.unwrap_or_default();
        Ok(by.map(|by| Failure { by, at, until, whom, in_a_row, text }))
    }
}

fn standing(text: &[u8]) -> Option<Standing> {
    match text {
        b"rejected" => Some(Standing::Rejected),
        b"revoked" => Some(Standing::Revoked),
        _ => None,
    }
}

fn unreadable(name: &str) -> StoreError {
    let words = format!(
        "the record's field `{name}` makes no sense; something else has written it, or it is damaged"
    );
    StoreError::new(StoreErrorKind::Unreadable, words)
}
