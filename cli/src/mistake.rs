//! [`Mistake`]: a command line that can't work, and how that is reported.

use std::fmt;

use tower_reauth::{ConfigError, ConfigErrorKind};

use crate::message::chain;

/// What is wrong with a command line, in words that say what to do.
#[derive(Clone, Debug)]
pub(crate) struct Mistake(String);

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// What is wrong with a configuration, with the option that has the URL, if it is about that.
    pub(crate) fn of_url(option: &str, error: ConfigError) -> Self {
        let is_url = matches!(
            error.kind(),
            ConfigErrorKind::Url | ConfigErrorKind::InsecureUrl | ConfigErrorKind::MetadataHost
        );
        let mistake = Self::from(error);
        if is_url { Self(format!("{option}: {mistake}")) } else { mistake }
    }

    /// Prints it in the way of other wrong usage, and ends the program with status 2.
    pub(crate) fn exit(self, mut command: clap::Command) -> ! {
        command.error(clap::error::ErrorKind::ValueValidation, self).exit()
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ConfigError> for Mistake {
    fn from(error: ConfigError) -> Self {
        Self(chain(&error))
    }
}
