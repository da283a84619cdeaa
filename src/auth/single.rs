//! [`Single`]: the choice where there is none.

use std::{convert::Infallible, fmt, mem, sync::Arc};

use arc_swap::ArcSwapOption;
use http::{Extensions, HeaderValue, Uri};

use super::{
    choice::{Choice, Turned, Wait},
    marks::{is_to_pass, tell_passed},
    origin::Origin,
    placement::Placement,
    stamp::Stamp,
};
use crate::{
    error::AuthError,
    observe::{Passages, Passed},
    token::TokenCache,
};

/// One credential for all requests: the default of a layer's last type parameter.
#[derive(Clone)]
pub struct Single {
    pub(super) origin: Origin,
    pub(super) tokens: TokenCache,
    passages: Passages,
}

impl Single {
    pub(super) fn new(origin: Origin, tokens: TokenCache) -> Self {
        Self { passages: Passages::new(&origin), origin, tokens }
    }

    #[cold]
    fn new_stamp(&self, placement: &Placement, memory: &Memory) -> Option<(HeaderValue, u64)> {
        let (stamp, copy) = Stamp::of(&self.tokens, placement)?;
        memory.store(Some(Arc::new(stamp)));
        Some(copy)
    }
}

/// The last stamp of a thread.
type Memory = ArcSwapOption<Stamp>;

/// What was sent last, from the second request on: a clone that is made for one request has no use for it.
#[derive(Default)]
pub(crate) struct Last {
    pub(super) stamp: Option<Arc<Stamp>>,
    was_called: bool,
}

impl Choice for Single {
    type Chosen = ();
    type Late = Infallible;
    type Memory = Memory;
    type Last = Last;

    // Always, as below.
    #[inline(always)]
    fn choose(&self, uri: &Uri, extensions: &Extensions) -> Result<(), Turned<Self>> {
        let why = match self.origin.covers(uri) {
            true if !is_to_pass(extensions) => return Ok(()),
            true => Passed::Exempt,
            false => Passed::OtherOrigin,
        };
        Err(Turned::Passes(tell_passed(&self.passages, why, uri, extensions)))
    }

    fn wait(late: Infallible) -> Wait {
        match late {}
    }

    fn passages(&self) -> &Passages {
        &self.passages
    }

    #[inline]
    fn tokens<'a>(&'a self, (): &'a ()) -> &'a TokenCache {
        &self.tokens
    }

    fn origin<'a>(&'a self, (): &'a ()) -> &'a Origin {
        &self.origin
    }

    fn check(&self, (): &()) -> Result<(), AuthError> {
        Ok(())
    }

    #[inline]
    fn stamp(&self, (): &(), placement: &Placement, memory: &Memory) -> Option<(HeaderValue, u64)> {
        match &*memory.load() {
            Some(stamp) if stamp.is_good(&self.tokens) => Some(stamp.copy()),
            _ => self.new_stamp(placement, memory),
        }
    }

    // Always: the compiler counts how many services call this, and each has it on its hot path.
    #[inline(always)]
    fn stamp_of_kept(
        &self,
        (): &(),
        placement: &Placement,
        memory: &Memory,
        last: &mut Last,
    ) -> Option<(HeaderValue, u64)> {
        if let Some(stamp) = &last.stamp
            && stamp.is_good(&self.tokens)
        {
            return Some(stamp.copy());
        }
        if mem::replace(&mut last.was_called, true) {
            last.stamp = memory.load_full();
        }
        self.stamp(&(), placement, memory)
    }
}

impl fmt::Debug for Single {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single")
            .field("origin", &self.origin)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}
