//! What a record has for a process: a token, or what the next one can be got with.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::body::Kept;
use crate::{
    error::StoreError,
    store::{Seen, Standing},
    time::wall_clock,
    token::{
        access_token::AccessToken,
        state::{Adopted, Catch},
    },
};

/// When something was asked.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    at: Instant,
    wall: SystemTime,
}

impl Asked {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), wall: wall_clock() }
    }
}

/// What a record has for a process.
pub(super) enum Found {
    /// A token that can be used.
    Token(Adopted),
    /// One that can't be, with what the next one can be got with.
    Grant(AccessToken),
    Nothing,
}

/// What `seen` has for a process whose tokens have this mark.
///
/// # Errors
///
/// If it can't be read.
pub(super) fn found(seen: &Seen, asked: Asked, mark: &str) -> Result<Found, StoreError> {
    let record = &seen.record;
    if record.body.as_bytes().is_empty() || record.standing == Standing::Revoked {
        return Ok(Found::Nothing);
    }
    let Kept { token, expires_at, lifetime, mark: kept } = Kept::from_body(&record.body)?;
    // No more than the whole, whatever the clocks show. It counts from before the store was asked.
    let left = expires_at.map(|at| at.since(seen.now).min(lifetime.unwrap_or(Duration::MAX)));
    let is_usable =
        record.standing == Standing::Offered && kept == mark && left.is_none_or(|left| !left.is_zero());
    if !is_usable {
        return Ok(if token.refresh_token().is_some() { Found::Grant(token) } else { Found::Nothing });
    }
    let token = match left {
        Some(left) => token.with_lifetime(left).with_requested_at(asked.at),
        None => token,
    };
    let catch = Catch { token, asked_at: asked.at, wall_asked_at: asked.wall };
    Ok(Found::Token(Adopted { catch, revision: record.revision, lifetime }))
}
