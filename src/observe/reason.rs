//! [`Reason`]: why a token is asked for. It stands here since whatever is told of an acquisition says it.

/// Why a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There is no token yet.
    Cold,
    /// The token is still valid, but not for long. Try the refresh grant first.
    Expiring,
    /// The token has expired, by our clock or by the server's word. Try the refresh grant first.
    Expired,
    /// The token is dead, or the refresh grant failed: acquire anew, from what the program was configured with. A
    /// credential that has only a refresh token uses that.
    Rejected,
}
