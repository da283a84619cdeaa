//! How the way of a request chooses among tenants.

use std::sync::{Arc, OnceLock};

use http::{Extensions, HeaderValue, Uri};

use super::{
    held::Held,
    id::TenantId,
    lately::{Hand, Missing},
    tenants::Tenants,
    ward::Reach,
};
use crate::{
    auth::{AuthLayer, Choice, Origin, Placement, Stamp, Turned, Wait, is_to_pass, tell_passed},
    error::{AuthError, AuthErrorKind},
    keep::CloneBodies,
    observe::{Passages, Passed},
    token::TokenCache,
    transport::Outward,
};

impl<Id: TenantId> AuthLayer<CloneBodies, Tenants<Id>> {
    /// A layer that puts each tenant's tokens on its requests to its origin, as `Authorization: Bearer`. Whose a request is, it
    /// says by an extension of the type `Id`.
    ///
    /// Without [`signatures`](Self::signatures) no answer is taken for a rejection.
    pub fn tenants(tenants: Tenants<Id>) -> Self {
        Self::choosing(tenants)
    }
}

/// What was chosen for a request.
pub(crate) struct Chosen<Id>(Which<Id>);

enum Which<Id> {
    /// This thread has it at hand.
    Near(Arc<Hand<Id>>),
    Now(Arc<Held<Id>>, Missing),
    /// It is nobody's until this is set.
    Late(Arc<OnceLock<Arc<Held<Id>>>>),
}

impl<Id> Chosen<Id> {
    fn held(&self) -> Option<&Arc<Held<Id>>> {
        match &self.0 {
            Which::Near(hand) => Some(&hand.held),
            Which::Now(held, _) => Some(held),
            Which::Late(held) => held.get(),
        }
    }
}

impl<Id: TenantId> Choice for Tenants<Id> {
    type Chosen = Chosen<Id>;
    type Late = Wait;
    type Memory = ();
    type Last = ();

    fn choose(&self, uri: &Uri, extensions: &Extensions) -> Result<Chosen<Id>, Turned<Self>> {
        if is_to_pass(extensions) {
            return Err(Turned::Passes(tell_passed(&self.many.passages, Passed::Exempt, uri, extensions)));
        }
        let Some(id) = extensions.get::<Id>() else { return Err(refuse(AuthErrorKind::NoTenant)) };
        let map = &self.many.map;
        let which = match map.lately.find(id) {
            Ok(hand) => Which::Near(hand),
            Err(missing) => match map.get(id) {
                Some(held) => Which::Now(held, missing),
                None => return Err(self.choose_late(id.clone(), uri.clone())),
            },
        };
        let chosen = Chosen(which);
        if self.origin(&chosen).covers(uri) { Ok(chosen) } else { Err(refuse(AuthErrorKind::OtherTenant)) }
    }

    fn mark(&self, extensions: &mut Extensions) {
        if self.many.yard.reach == Reach::Outwards {
            extensions.insert(Outward);
        }
    }

    fn wait(late: Wait) -> Wait {
        late
    }

    fn passages(&self) -> &Passages {
        &self.many.passages
    }

    fn tokens<'a>(&'a self, chosen: &'a Chosen<Id>) -> &'a TokenCache {
        chosen.held().map_or(&self.many.nobodys.0, |held| &held.tokens)
    }

    fn origin<'a>(&'a self, chosen: &'a Chosen<Id>) -> &'a Origin {
        chosen.held().map_or(&self.many.nobodys.1, |held| &held.origin)
    }

    fn check(&self, chosen: &Chosen<Id>) -> Result<(), AuthError> {
        match chosen.held() {
            Some(held) if !held.ward.is_removed() => Ok(()),
            Some(_) => Err(AuthError::new(AuthErrorKind::TenantRemoved)),
            None => Err(AuthError::new(AuthErrorKind::NoTenant)),
        }
    }

    fn stamp(&self, chosen: &Chosen<Id>, placement: &Placement, (): &()) -> Option<(HeaderValue, u64)> {
        if !self.writes_as_first(placement) {
            return Stamp::of(&chosen.held()?.tokens, placement).map(|(_, copy)| copy);
        }
        match &chosen.0 {
            Which::Near(hand) => hand.copy().or_else(|| self.stamp_anew(chosen, placement)),
            Which::Now(..) | Which::Late(_) => self.stamp_anew(chosen, placement),
        }
    }

    fn stamp_of_kept(
        &self,
        chosen: &Chosen<Id>,
        placement: &Placement,
        memory: &(),
        (): &mut (),
    ) -> Option<(HeaderValue, u64)> {
        self.stamp(chosen, placement, memory)
    }
}

impl<Id: TenantId> Tenants<Id> {
    /// The value of a tenant that isn't at hand, or whose token is another one by now.
    fn stamp_anew(&self, chosen: &Chosen<Id>, placement: &Placement) -> Option<(HeaderValue, u64)> {
        let (held, map) = (chosen.held()?, &self.many.map);
        let is_to_be_near = match chosen.0 {
            Which::Near(_) => {
                map.lately.let_go(held);
                false
            }
            Which::Now(_, missing) => missing == Missing::InTurn,
            Which::Late(_) => false,
        };
        let copy = held.stamp(placement, || {
            // It saves time, and is no reason to refuse somebody.
            if !map.weigh(held) {
                held.forget_stamp();
                map.weigh(held);
            }
        })?;
        // One that makes a request now and then has no use for it.
        let is_used = is_to_be_near && held.has_stamp();
        if is_used && let Some((stamp, _)) = Stamp::of(&held.tokens, placement) {
            map.lately.take(held, stamp);
        }
        Some(copy)
    }

    #[cold]
    fn choose_late(&self, id: Id, uri: Uri) -> Turned<Self> {
        let many = self.many.clone();
        let late = Arc::new(OnceLock::new());
        let chosen = Chosen(Which::Late(late.clone()));
        let wait: Wait = Box::pin(async move {
            let held = many.tenant(id, Some(uri)).await?;
            let wait = held.tokens.usable();
            // Nobody else sets it.
            let _ = late.set(held);
            wait.await
        });
        Turned::Waits(chosen, wait)
    }
}

/// A request that isn't sent, for which nothing is chosen.
#[cold]
fn refuse<Id: TenantId>(why: AuthErrorKind) -> Turned<Tenants<Id>> {
    let wait: Wait = Box::pin(std::future::ready(Err(AuthError::new(why))));
    Turned::Waits(Chosen(Which::Late(Arc::default())), wait)
}
