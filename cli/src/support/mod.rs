//! What both programs have in common: which vendor, whose secrets, and how long to wait.

mod idle;
mod options;
mod secret;
mod vendor;

use std::{error::Error, fmt, io::Write, time::Duration};

use tower_reauth::{ConfigError, client::Roots};

pub(crate) use self::{
    idle::Idle,
    options::{TrustOptions, VendorOptions, one_reader},
    vendor::Vendor,
};

/// A command line that can't work, in words that say what to do.
#[derive(Debug)]
pub(crate) struct Mistake(String);

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
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

/// An error, and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own words.
        if !line.ends_with(&cause_text) {
            line.push_str(": ");
            line.push_str(&cause_text);
        }
        next = cause.source();
    }
    line
}

/// Writes a line to standard error. Where nobody reads that any more, nothing is lost.
pub(crate) fn tell(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Seconds on a command line: a number above zero, with a fraction if need be.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "give seconds, as a number above 0".to_owned();
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

/// Which root certificates are trusted.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum TrustedRoots {
    /// The operating system's, or those that SSL_CERT_FILE names
    System,
    /// Mozilla's, as they were when this was built
    Bundled,
}

impl From<TrustedRoots> for Roots {
    fn from(roots: TrustedRoots) -> Self {
        match roots {
            TrustedRoots::System => Self::System,
            TrustedRoots::Bundled => Self::Bundled,
        }
    }
}
