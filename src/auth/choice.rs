//! [`Choose`]: whose token a request carries. A layer has one credential's, or chooses among many. Whatever differs with
//! that is asked here, by way of what was chosen: origin, cache, and the value that goes into the header.

use std::{fmt, pin::Pin};

use http::{Extensions, HeaderValue, Uri};

use super::{origin::Origin, placement::Placement};
use crate::{
    error::AuthError,
    observe::{Passages, Passed},
    token::{Lease, TokenCache},
};

/// How a layer chooses whose token a request carries: its last type parameter.
///
/// [`Single`](crate::Single) is the default: there is one credential, and no choice. It is sealed, since it is asked by the
/// way of each request, which changes from release to release.
#[expect(private_bounds, reason = "that seals it")]
pub trait Choose: Choice {}

impl<T: Choice> Choose for T {}

/// What the way of a request asks. A request is chosen for once; whatever is asked after that is asked for what was chosen.
pub(crate) trait Choice: Sized + fmt::Debug {
    /// What was chosen for a request: nothing, where there is no choice. The request holds on to it until it has ended.
    type Chosen;
    /// A choice that takes time, or is refused, with the wait for a token after it.
    type Late;
    /// What each thread remembers of the values that it has sent.
    type Memory: Default;
    /// And of these a service that is kept.
    type Last: Default;

    /// Admits a request that is to carry a token, and chooses whose: it goes to `uri`, which has to be at the origin of that,
    /// and isn't exempt. Whether somebody else has authenticated it shows when the token is put in.
    ///
    /// # Errors
    ///
    /// What becomes of any other, having told of one that passes.
    fn choose(&self, uri: &Uri, extensions: &Extensions) -> Result<Self::Chosen, Turned<Self>>;

    /// Marks a request that was admitted, or waits for that, each time that it is sent.
    #[inline]
    fn mark(&self, _extensions: &mut Extensions) {}

    /// The wait of a request for which the choice takes time.
    fn wait(late: Self::Late) -> Wait;

    /// Whose passages are told.
    fn passages(&self) -> &Passages;

    /// Where the tokens are.
    fn tokens<'a>(&'a self, chosen: &'a Self::Chosen) -> &'a TokenCache;

    /// Where the request may go.
    fn origin<'a>(&'a self, chosen: &'a Self::Chosen) -> &'a Origin;

    /// Whether a token may still be sent that has been waited for.
    ///
    /// # Errors
    ///
    /// Why not.
    fn check(&self, chosen: &Self::Chosen) -> Result<(), AuthError>;

    /// The header value of the newest usable token, and its generation, without waiting. There is none where the token is
    /// joined with something of the request's.
    fn stamp(
        &self,
        chosen: &Self::Chosen,
        placement: &Placement,
        memory: &Self::Memory,
    ) -> Option<(HeaderValue, u64)>;

    /// As [`stamp`](Self::stamp), for a service that may be kept.
    fn stamp_of_kept(
        &self,
        chosen: &Self::Chosen,
        placement: &Placement,
        memory: &Self::Memory,
        last: &mut Self::Last,
    ) -> Option<(HeaderValue, u64)>;
}

/// What becomes of a request for which nothing was chosen yet.
pub(crate) enum Turned<T: Choice> {
    /// It passes without a token, for this reason if that is to be said.
    Passes(Option<Passed>),
    /// It waits for the choice, after which this stands for what was chosen, and for a token.
    #[allow(dead_code, reason = "where there is no choice, nobody waits for it")]
    Waits(T::Chosen, T::Late),
}

/// The wait for a token.
pub(crate) type Wait = Pin<Box<dyn Future<Output = Result<Lease, AuthError>> + Send>>;
