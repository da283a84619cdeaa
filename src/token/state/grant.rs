//! What the next token is got with: it is given to a flight that begins, and kept when that brings another one.

use secrecy::SecretString;

use super::{Errand, Grant, Order, State};
use crate::{
    observe::Reason,
    token::{access_token::AccessToken, description::Grants},
};

impl<F> State<F> {
    /// Gives a flight whose task begins the grant that there is now: since it was begun, the one before it, though
    /// superseded, may have brought a newer one.
    pub(in crate::token) fn depart(&mut self, order: &mut Order) {
        let Some(grant) = self.grant.as_mut().filter(|_| self.flights == order.id) else { return };
        // Until the flight says otherwise, what it sends may be used up.
        grant.spent |= matches!(order.errand, Errand::Acquire)
            && self.grants == Grants::RefreshThenOther
            && matches!(order.reason, Reason::Expiring | Reason::Expired);
        let token = grant.token.clone();
        order.previous = Some(self.with_newest(token));
    }

    /// Keeps a refresh token that `flight` brought without an access token, unless there is a newer one. It belongs
    /// to the grant whose refresh token it replaces.
    pub(in crate::token) fn rotate(&mut self, flight: u64, refresh_token: SecretString) {
        let is_kept_here = self.refresh_tokens.is_none();
        if let Some(grant) = self.grant.as_mut().filter(|grant| is_kept_here && grant.flight <= flight) {
            let token = grant.token.clone().with_refresh_token(refresh_token);
            *grant = Grant { token, flight, spent: false };
        }
    }

    /// Keeps a refresh token that came too late to be part of anything else, unless there is a newer one.
    pub(in crate::token) fn save_grant(&mut self, token: AccessToken, flight: u64) {
        let is_kept_here = self.refresh_tokens.is_none();
        let newer = self.grant.as_ref().is_some_and(|grant| grant.flight > flight);
        if is_kept_here && token.refresh_token().is_some() && !newer {
            self.grant = Some(Grant { token, flight, spent: false });
        }
    }

    /// A token with the refresh token that is in force.
    pub(super) fn with_newest(&self, token: AccessToken) -> AccessToken {
        match &self.refresh_tokens {
            Some(kept) => token.whose_refresh_token_is(kept.newest()),
            None => token,
        }
    }

    /// Whether there is but one way to another token, which is good once, and a server has handed it out since.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(in crate::token) fn has_only_grant(&self) -> bool {
        let is_there = || match &self.refresh_tokens {
            Some(kept) => kept.newest().is_some(),
            None => self.grant.as_ref().is_some_and(|grant| grant.token.refresh_token().is_some()),
        };
        self.grants == Grants::SingleUse && is_there()
    }
}
