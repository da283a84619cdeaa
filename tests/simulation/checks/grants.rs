//! Refresh tokens: the newest is presented, and none that is known, or likely, to be used up.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tower_reauth::{AccessToken, AcquireError, AcquireErrorKind};

use crate::{
    endpoint::Presented,
    world::{Inner, Known},
};

impl Inner {
    pub(super) fn the_newest_grant_is_presented(
        &mut self,
        is_first: bool,
        previous: Option<&AccessToken>,
        presented: &Presented,
    ) {
        let handed = previous.and_then(AccessToken::refresh_token).map(|refresh| refresh.expose_secret());
        let newest = self.model.grant.as_ref().and_then(|grant| grant.refresh.clone());
        if is_first {
            let is_newest = handed == newest.as_deref();
            self.check(is_newest, format_args!("grants: {handed:?} is handed out, the newest is {newest:?}"));
        }
        let Presented::Refresh(refresh) = presented else { return };
        match self.known.get(refresh) {
            Some(Known::Replaced) => {
                self.violated(format_args!("grants: {refresh} is sent, which was seen replaced"));
            }
            Some(Known::Refused) => {
                self.violated(format_args!("grants: {refresh} is sent, which was refused before"));
            }
            Some(Known::Unknown) if self.plan.kind.has_fallback() => {
                self.violated(format_args!(
                    "grants: {refresh} is sent again after an unknown outcome, though there is another grant"
                ));
            }
            _ => {}
        }
    }

    /// What is known of a refresh token after a call that presented it, which came to an end or not.
    pub(super) fn grant_was_used(
        &mut self,
        index: usize,
        result: Option<&Result<AccessToken, AcquireError>>,
    ) {
        let Presented::Refresh(refresh) = self.calls[index].presented.clone() else { return };
        let known = match result {
            Some(Ok(token)) if !brings(token, &refresh) => Known::Replaced,
            Some(Ok(_)) => {
                self.known.remove(&refresh);
                return;
            }
            Some(Err(error)) => match (error.kind(), error.status()) {
                (AcquireErrorKind::Rejected | AcquireErrorKind::GrantRejected, _) => Known::Refused,
                // The server asked to be left alone, and did nothing.
                (_, Some(_)) => return,
                _ => Known::Unknown,
            },
            None => Known::Unknown,
        };
        self.known.insert(refresh, known);
    }
}

/// Whether `refresh` stays in force.
fn brings(token: &AccessToken, refresh: &Arc<str>) -> bool {
    token.refresh_token().is_some_and(|new| new.expose_secret() == &**refresh)
}
