//! What a fake has counted.

/// What a fake has counted since it was made, or since [`Controls::reset_counts`](super::Controls::reset_counts).
///
/// A call counts when it arrives, however it ends: refused, failed, hung or lost.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::FakeVervoe;
///
/// let vervoe = FakeVervoe::new("key", "secret");
/// assert_eq!(vervoe.counts().token_calls(), 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls for a new token with the program's own credentials. For Videsk: keys minted.
    pub acquires: usize,
    /// Calls that renew a token with a refresh token, or with the token itself.
    pub refreshes: usize,
    /// Calls that end a token.
    pub logouts: usize,
    /// The most acquire and refresh calls in flight at once.
    pub most_token_calls_at_once: usize,
    /// Calls of everything else: the sum of the next four, and of those that got no answer.
    pub api_calls: usize,
    /// API calls with a valid token, answered 200.
    pub api_accepted: usize,
    /// API calls whose token was missing, expired, invalid or removed, and which were answered so.
    pub api_unauthorised: usize,
    /// API calls that got the answer planned for them.
    pub api_planned: usize,
    /// API calls that broke the contract.
    pub api_refused: usize,
    /// The most API calls in flight at once.
    pub most_api_calls_at_once: usize,
    /// Calls of any kind that broke the contract; [`Controls::refusals`](super::Controls::refusals) says how.
    pub refused: usize,
}

impl Counts {
    /// Acquire and refresh calls together.
    #[must_use]
    pub fn token_calls(&self) -> usize {
        self.acquires + self.refreshes
    }
}
