//! A record as bytes: [`Record::to_bytes`], [`Record::from_bytes`].
//!
//! A first line, then each field: its name, a space, the length of its value in bytes, a line break, the value, a line
//! break. The last line says that nothing is missing.

use bytes::Bytes;

use super::record::Record;
use crate::error::{StoreError, StoreErrorKind};

const FIRST: &[u8] = b"tower-reauth record\n";
const LAST: &[u8] = b"end\n";

impl Record {
    /// The record as bytes, for stores that keep bytes. There is one format, and later releases read it as well.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FIRST.to_vec();
        for (name, value) in self.to_fields() {
            bytes.extend_from_slice(format!("{name} {}\n", value.len()).as_bytes());
            bytes.extend_from_slice(&value);
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(LAST);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, by this release or another one.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::NewerFormat`] for a format that came after this release, [`StoreErrorKind::Unreadable`] for
    /// anything else that can't be read, or was cut off.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let cut = || StoreError::new(StoreErrorKind::Unreadable, "the record is damaged, or cut off");
        let mut rest = bytes.strip_prefix(FIRST).ok_or_else(|| {
            let words = "what was found isn't a record of this crate; check what else is kept there";
            StoreError::new(StoreErrorKind::Unreadable, words)
        })?;
        let mut fields = Vec::new();
        while rest != LAST {
            let (name, value, after) = field(rest).ok_or_else(cut)?;
            fields.push((name.to_owned(), Bytes::copy_from_slice(value)));
            rest = after;
        }
        Self::from_fields(fields)
    }
}

fn field(bytes: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let line = bytes.iter().position(|&byte| byte == b'\n')?;
    let (name, length) = std::str::from_utf8(&bytes[..line]).ok()?.rsplit_once(' ')?;
    let rest = &bytes[line + 1..];
    let (value, after) = rest.split_at_checked(length.parse().ok()?)?;
    Some((name, value, after.strip_prefix(b"\n")?))
}
