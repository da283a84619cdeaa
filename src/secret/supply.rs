//! [`Supply`]: what a source is, and what is known of its secret.

use std::{fmt, future::Future, path::Path, pin::Pin, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

use super::{
    file,
    given::{Failure, env_secret, file_secret, tidied, usable, wait_of},
};
use crate::error::{AcquireError, BoxError, ConfigError, ConfigErrorKind};

/// A secret that is being made.
pub(crate) type Supplied = Pin<Box<dyn Future<Output = Result<SecretString, BoxError>> + Send>>;

/// What makes a secret when it is asked.
pub(crate) trait Ask: Send + Sync {
    /// A secret, made for `audience` if it is an assertion.
    fn ask(&self, audience: &str) -> Supplied;

    /// Whether it can make any, as far as can be told without asking.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Whether it would give another one by now than `made`, and not just one that is made anew, as far as can be told without
    /// waiting.
    fn differs_from(&self, made: &str) -> bool {
        let _ = made;
        false
    }

    /// Takes down that a server has taken `secret`.
    fn accept(&self, secret: &SecretString) {
        let _ = secret;
    }

    /// Takes down that a server has refused `secret`. Returns whether the next one is another for that reason.
    fn refuse(&self, secret: &SecretString) -> bool {
        let _ = secret;
        false
    }

    /// The names of the [inputs](Supply::Input) that it is made with.
    fn inputs(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    /// One that has what `fill` says in their places, if there are any.
    fn filled(&self, fill: &Fill<'_>) -> Option<Arc<dyn Ask>> {
        let _ = fill;
        None
    }

    /// What `Debug` shows, which is no secret.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[closure]")
    }
}

impl<F: Fn(&str) -> Supplied + Send + Sync> Ask for F {
    fn ask(&self, audience: &str) -> Supplied {
        self(audience)
    }
}

/// What an input is filled with, by its name, if it is.
pub(crate) type Fill<'f> = dyn Fn(&str) -> Option<Supply> + 'f;

/// What a source is.
#[derive(Clone)]
pub(crate) enum Supply {
    Fixed(SecretString),
    Env(Arc<str>),
    File(Arc<Path>),
    Ask(Arc<dyn Ask>),
    Look(Arc<dyn Fn() -> Result<SecretString, BoxError> + Send + Sync>),
    /// There is none before it is filled in.
    Input(Arc<str>),
}

impl Supply {
    /// Reads the secret, made for `audience` if it is an assertion. `what` names it in errors.
    pub(crate) async fn read(&self, what: &str, audience: &str) -> Result<SecretString, AcquireError> {
        if let Some(unfilled) = self.unfilled(what) {
            return Err(AcquireError::rejected(unfilled));
        }
        let read = match self {
            Self::Fixed(secret) => Ok(secret.clone()),
            Self::Env(name) => env_secret(name),
            Self::File(path) => {
                let path = path.clone();
                // Files may be on a disk that is far away.
                let read = tokio::task::spawn_blocking(move || file_secret(&path, file::read_whole)).await;
                read.unwrap_or_else(|error| Err(Failure::Unread(error.into())))
            }
            Self::Ask(maker) => tidied(maker.ask(audience).await),
            Self::Look(look) => tidied(look()),
            // It was told above.
            Self::Input(_) => Err(Failure::Empty),
        };
        usable(read).map_err(|failure| {
            let error = AcquireError::no_secret(format!("the {what}{} {failure}", self.reference()));
            match failure {
                Failure::Unread(source) => match wait_of(&*source) {
                    Some(wait) => error.with_retry_after(wait).with_source(source),
                    None => error.with_source(source),
                },
                Failure::Untidy(_) | Failure::TooLong | Failure::Empty => error,
            }
        })
    }

    /// What the secret is now, or a stand-in where only asking could tell.
    pub(crate) fn peek(&self, what: &str) -> Result<SecretString, ConfigError> {
        if let Some(unfilled) = self.unfilled(what) {
            return Err(ConfigError::new(ConfigErrorKind::Input, unfilled));
        }
        if let Self::Ask(maker) = self {
            maker.check()?;
        }
        let Some(read) = self.look() else { return Ok("stand-in".into()) };
        usable(read).map_err(|failure| {
            let hint = match self {
                Self::Env(_) => "; set the variable",
                Self::File(_) => "; check the file",
                Self::Fixed(_) => "; check where it comes from",
                Self::Ask(_) | Self::Look(_) | Self::Input(_) => "",
            };
            let words = format!("the {what}{} {failure}", self.reference());
            let error = |hint| ConfigError::new(ConfigErrorKind::Secret, words + hint);
            match failure {
                Failure::Unread(source) => error(hint).with_source(source),
                Failure::Empty => error(hint),
                // What they say is what is to be done.
                Failure::Untidy(_) | Failure::TooLong => error(""),
            }
        })
    }

    /// What it is now, if that is another secret than `refused`, and can be told without waiting.
    pub(crate) fn differs_from(&self, refused: &SecretString) -> bool {
        if let Self::Ask(maker) = self {
            return maker.differs_from(refused.expose_secret());
        }
        self.may_change()
            && self.look().is_some_and(|secret| {
                secret.is_ok_and(|secret| {
                    let secret = secret.expose_secret();
                    !secret.is_empty() && secret != refused.expose_secret()
                })
            })
    }

    /// What it is now, if that can be told without waiting, and is what was configured: what is made for the occasion is
    /// another each time.
    pub(crate) fn at_hand(&self) -> Option<SecretString> {
        self.look().and_then(|read| usable(read).ok())
    }

    /// Takes down that a server has taken `secret`.
    pub(crate) fn accept(&self, secret: &SecretString) {
        if let Self::Ask(maker) = self {
            maker.accept(secret);
        }
    }

    /// Takes down that a server has refused `secret`. Returns whether the next one is another for that reason.
    pub(crate) fn refuse(&self, secret: &SecretString) -> bool {
        matches!(self, Self::Ask(maker) if maker.refuse(secret))
    }

    /// As [`differs_from`](Self::differs_from), of what a closure may make anew each time: that is no other one.
    #[cfg(feature = "oauth2")]
    pub(crate) fn was_replaced(&self, refused: &SecretString) -> bool {
        !matches!(self, Self::Look(_)) && self.differs_from(refused)
    }

    /// Whether it may be another one when it is read again.
    pub(crate) fn may_change(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// Whether it has to be asked for, and so is known only when it is needed.
    #[cfg(any(feature = "serde", feature = "oauth2"))]
    pub(crate) fn is_asked_for(&self) -> bool {
        matches!(self, Self::Ask(_))
    }

    /// What it is for as long as the program runs, if that is so: the program's own text, or the environment's.
    pub(crate) fn lasting(&self) -> Option<SecretString> {
        match self {
            Self::Fixed(secret) => Some(secret.clone()),
            Self::Env(name) => usable(env_secret(name)).ok(),
            Self::File(_) | Self::Ask(_) | Self::Look(_) | Self::Input(_) => None,
        }
    }

    /// The names of the inputs that it is, or is made with.
    pub(crate) fn inputs(&self) -> Vec<Arc<str>> {
        match self {
            Self::Input(name) => vec![name.clone()],
            Self::Ask(maker) => maker.inputs(),
            Self::Fixed(_) | Self::Env(_) | Self::File(_) | Self::Look(_) => Vec::new(),
        }
    }

    /// Whether it has inputs, so that there is none before they are filled in.
    pub(crate) fn is_open(&self) -> bool {
        !self.inputs().is_empty()
    }

    /// Puts what `fill` has in the places of its inputs.
    pub(crate) fn fill(&mut self, fill: &Fill<'_>) {
        let filled = match self {
            Self::Input(name) => fill(name),
            Self::Ask(maker) => maker.filled(fill).map(Self::Ask),
            Self::Fixed(_) | Self::Env(_) | Self::File(_) | Self::Look(_) => None,
        };
        if let Some(filled) = filled {
            *self = filled;
        }
    }

    /// As [`peek`](Self::peek), with a stand-in for what is still to be filled in.
    pub(crate) fn peek_or_open(&self, what: &str) -> Result<SecretString, ConfigError> {
        if self.is_open() { Ok("stand-in".into()) } else { self.peek(what) }
    }

    /// What its text takes, in bytes, if it is its own.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.fixed().map_or(0, |secret| secret.expose_secret().len())
    }

    /// The secret itself, if it is a fixed one.
    pub(crate) fn fixed(&self) -> Option<&SecretString> {
        match self {
            Self::Fixed(secret) => Some(secret),
            _ => None,
        }
    }

    /// The secret, unless it has to be waited for.
    fn look(&self) -> Option<Result<SecretString, Failure>> {
        match self {
            Self::Fixed(secret) => Some(Ok(secret.clone())),
            Self::Env(name) => Some(env_secret(name)),
            Self::File(path) => Some(file_secret(path, file::read)),
            Self::Look(look) => Some(tidied(look())),
            Self::Ask(_) | Self::Input(_) => None,
        }
    }

    /// That there is an input that isn't filled in, if there is.
    fn unfilled(&self, what: &str) -> Option<String> {
        let name = self.inputs().into_iter().next()?;
        Some(format!("the {what} in input:{name} isn't filled in; fill it, or give the secret itself"))
    }

    /// What names the source in errors, with a space and `in` before it.
    pub(crate) fn reference(&self) -> String {
        match self {
            Self::Env(_) | Self::File(_) | Self::Input(_) => format!(" in {self:?}"),
            Self::Fixed(_) | Self::Ask(_) | Self::Look(_) => String::new(),
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(_) => f.write_str("[secret]"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Ask(maker) => maker.show(f),
            Self::Look(_) => f.write_str("[closure]"),
            Self::Input(name) => write!(f, "input:{name}"),
        }
    }
}

/// Several secrets as one, if there are any, and all of them are at hand.
pub(crate) fn all_at_hand<'a>(supplies: impl IntoIterator<Item = &'a Supply>) -> Option<SecretString> {
    let mut all = String::new();
    for supply in supplies {
        let secret = supply.at_hand()?;
        let secret = secret.expose_secret();
        // So that no two lists are written alike.
        all.push_str(&format!("{} {secret}", secret.len()));
    }
    (!all.is_empty()).then(|| all.into())
}
