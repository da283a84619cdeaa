//! [`Passed`]: why a request passes without the layer's token. It stands here since logs and metrics say it.

/// Why a request passed the layer without its token, and its answer without inspection.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AuthOutcome, Passed};
///
/// fn report<B>(response: &http::Response<B>) {
///     if response.extensions().get().and_then(AuthOutcome::passed) == Some(Passed::OtherOrigin) {
///         eprintln!("refused, and it had no token: is the URL one of the layer's origin?");
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Passed {
    /// It goes to another [`Origin`](crate::Origin): scheme, host or port differ, or its URI has none of them and the
    /// origin isn't [implied](crate::Origin::implied). Or the origin has a path, and the request's isn't surely beneath
    /// it.
    OtherOrigin,
    /// It has the token's header already, which its caller has set, or a layer above.
    OwnHeader,
    /// It has a cookie by the name of the token's, which its caller has set, or a layer above.
    OwnCookie,
    /// It has a query parameter by the name of the token's, which its caller has set, or a layer above.
    OwnParameter,
    /// The token would go into the query, and the origin is plain `http` to another host than loopback:
    /// [`Placement::query_visible_in_logs`](crate::Placement::query_visible_in_logs).
    PlainHttp,
    /// It is exempt, by [`Exempt::FromAuthentication`](crate::Exempt::FromAuthentication).
    Exempt,
    /// It has as many headers as there can be. Or, for a token in the query, its URI would be longer than 65,534 bytes with
    /// it, or can't have a query, as `*` can't.
    NoRoom,
}
