//! [`NotReplayed`]: why a request was not sent again.

/// Why a rejected request was not sent again. A new token is acquired all the same, for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotReplayed {
    /// Its body wasn't kept, or broke off.
    Body,
    /// It has no room for the new token, as it had for the one before: with that in its query, its URI would be too long.
    NoRoom,
    /// Its body is longer than [`record_bodies`](crate::AuthLayer::record_bodies) allows for.
    BodyTooLong,
    /// The answer came while its body was still being sent.
    BodyUnfinished,
    /// It is exempt, by [`Exempt::FromReplay`](crate::Exempt::FromReplay).
    Exempt,
    /// It asks for another protocol on the connection.
    Upgrade,
    /// The rejecting response is too long, or too slow, to be set aside while a new token is acquired.
    Response,
    /// It was sent with a token that was known to be rejected, because acquiring is paused.
    Paused,
    /// The rejection is in the trailers, which come when the response has been handed out.
    Trailers,
}
