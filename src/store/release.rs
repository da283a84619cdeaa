//! [`Release`]: the end of a claim under which nothing was saved.

use std::time::Duration;

use super::{digest::Digest, nonce::Nonce};

/// The longest text of a failure, in bytes.
const MAX_TEXT: usize = 1024;

/// The end of a claim under which nothing was saved.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::store::{Fate, Nonce, Release};
///
/// let release = Release::new(Nonce::random(), Fate::Unspent)
///     .failed("the token endpoint asks to be left alone", 1)
///     .wait(Duration::from_secs(5));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Release {
    pub(super) nonce: Nonce,
    pub(super) fate: Fate,
    pub(super) failed: Option<Failed>,
    pub(super) wait: Duration,
    pub(super) whom: Option<Digest>,
}

/// That the flight has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) text: String,
    pub(super) in_a_row: u32,
}

/// What has become of the refresh token that a flight has noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is good: none that the flight has sent was looked at, or it has sent none. The note goes, unless another flight
    /// has noted the same token before.
    Unspent,
    /// Nobody knows. The note stays.
    Unknown,
    /// The server has refused it. The note stays, and says so.
    Refused,
}

impl Release {
    /// Ends the claim of the flight `nonce`, if it still has one.
    pub fn new(nonce: Nonce, fate: Fate) -> Self {
        Self { nonce, fate, failed: None, wait: Duration::ZERO, whom: None }
    }

    /// Says that the flight has failed, as `in_a_row`th in a row. Those who waited for it are told `text`, of which 1 KiB is
    /// kept. It must not hold a secret.
    pub fn failed(mut self, text: impl Into<String>, in_a_row: u32) -> Self {
        let mut text = text.into();
        let end = (0..=MAX_TEXT.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
        text.truncate(end.unwrap_or_default());
        self.failed = Some(Failed { text, in_a_row });
        self
    }

    /// Sets how long nobody is to try again, if the flight has failed. By default that is not at all.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Says which secret was refused: who has another one needn't wait, unless that was refused as well meanwhile.
    pub fn refused_secret(mut self, whom: Digest) -> Self {
        self.whom = Some(whom);
        self
    }
}
