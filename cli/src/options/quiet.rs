//! [`Quiet`]: reads a value that may be a secret, given by mistake.

use std::ffi::OsStr;

use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};

/// As clap's own, but its error says what to write and doesn't show what was written.
#[derive(Clone)]
pub(crate) struct Quiet<T>(pub(crate) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Quiet<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, option: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let parsed = value.to_str().ok_or_else(|| "it is not utf-8".to_owned()).and_then(self.0);
        parsed.map_err(|how| {
            let option = option.map(ToString::to_string).unwrap_or_default();
            clap::Error::raw(ErrorKind::ValueValidation, format!("{option}: {how}\n")).with_cmd(command)
        })
    }
}
