//! [`Data`]: what a request is to send, as the command line says.

use std::{fmt, path::PathBuf, str::FromStr};

use bytes::Bytes;

/// What a request is to send.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Text(Bytes),
    File(PathBuf),
    Stdin,
}

impl Data {
    /// Whether it may be a pipe, whose length is known to nobody but whoever writes to it.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Stdin | Self::File(_))
    }

    pub(crate) fn reads_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("the text"),
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

impl FromStr for Data {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Ok(match text.strip_prefix('@') {
            Some("") => return Err("write @FILE, or @- for standard input"),
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.into()),
            None => Self::Text(Bytes::copy_from_slice(text.as_bytes())),
        })
    }
}
