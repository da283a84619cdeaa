//! [`Stored`]: what a store has of a token, for people and programs that ask how it is doing. Holds no token.

use std::time::Duration;

use super::{body::Kept, link::Link};
use crate::{
    error::StoreError,
    store::{Moment, Seen, Standing},
};

/// What a store has of a [`TokenCache`](crate::TokenCache)'s token at one moment. It holds no token.
///
/// # Examples
///
/// ```
/// use tower_reauth::{StoreError, TokenCache};
///
/// async fn needs_a_login(tokens: &TokenCache) -> Result<bool, StoreError> {
///     Ok(tokens.stored().await?.is_none_or(|stored| stored.is_dead() && !stored.is_usable()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Stored {
    is_offered: bool,
    left: Option<Duration>,
    has_refresh_token: bool,
    note: Noted,
    failure: Option<Box<str>>,
}

/// What is known of the refresh token's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noted {
    Nothing,
    Sent,
    Refused,
}

impl Stored {
    /// Whether the access token can be used: no server is known to have rejected it, and it hasn't expired.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.is_offered && self.left.is_none_or(|left| !left.is_zero())
    }

    /// How long the access token is valid from now on, if that is known; zero when it has expired.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.left
    }

    /// Whether there is a refresh token.
    #[must_use]
    pub fn has_refresh_token(&self) -> bool {
        self.has_refresh_token
    }

    /// Whether the refresh token may have been sent by somebody of whom nothing was heard after that. If it is good once only,
    /// the next one who sends it may find it spent.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.has_refresh_token && self.note == Noted::Sent
    }

    /// Whether a server has refused the refresh token, so that it is never sent again.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.has_refresh_token && self.note == Noted::Refused
    }

    /// Why the last attempt to get another token failed, if it did, and nothing has come since.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub(in crate::token) async fn look(link: &Link) -> Result<Option<Self>, StoreError> {
        Self::of(&link.look().await?)
    }

    fn of(seen: &Seen) -> Result<Option<Self>, StoreError> {
        let record = &seen.record;
        if record.body.as_bytes().is_empty() || record.standing == Standing::Revoked {
            return Ok(None);
        }
        let Kept { token, expires_at, lifetime, .. } = Kept::from_body(&record.body)?;
        let left = |at: Moment| at.since(seen.now).min(lifetime.unwrap_or(Duration::MAX));
        // Whoever has the claim is still going to hear of what it has sent.
        let is_underway = |by| record.claim.as_ref().is_some_and(|claim| claim.by == by);
        let note = match record.note.as_ref().filter(|note| note.revision == record.revision) {
            Some(note) if note.refused => Noted::Refused,
            Some(note) if !is_underway(note.by) => Noted::Sent,
            _ => Noted::Nothing,
        };
        Ok(Some(Self {
            is_offered: record.standing == Standing::Offered,
            left: expires_at.map(left),
            has_refresh_token: token.refresh_token().is_some(),
            note,
            failure: record.failure.as_ref().map(|failure| failure.text.as_str().into()),
        }))
    }
}
