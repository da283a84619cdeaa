//! What gRPC says of a call without valid credentials, as rules.

use http::StatusCode;

use super::{
    list::Signatures,
    rule::Rule,
    subject::{header, trailer},
};

/// `UNAUTHENTICATED`, as it is written in `grpc-status`.
const UNAUTHENTICATED: &str = "16";

impl Signatures {
    /// The answers of gRPC servers: status 16, `UNAUTHENTICATED`, is an expired token, with `grpc-message` for a reason.
    ///
    /// - In the headers, of an answer without a message: the call is replayed.
    /// - In the trailers, when the answer has been handed out: the token is replaced for the next call, and
    ///   [`TrailersOutcome`](crate::TrailersOutcome) says so. Streams go on streaming; nothing is held up.
    ///
    /// Status 7, `PERMISSION_DENIED`, is left alone: a new token of the same kind changes nothing. What a gateway says in
    /// HTTP is for other signatures, to be put [behind these](Self::then).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::Signatures;
    ///
    /// let signatures = Signatures::grpc().then(Signatures::oauth2());
    /// ```
    pub fn grpc() -> Self {
        let expired = || Rule::expired().status(StatusCode::OK);
        Self::new()
            .rule(
                expired().when(header("grpc-status").is(UNAUTHENTICATED)).reason_from(header("grpc-message")),
            )
            .rule(
                expired()
                    // Other answers of the same origin aren't kept track of.
                    .when(header("content-type").starts_with("application/grpc").ignore_case())
                    .when(trailer("grpc-status").is(UNAUTHENTICATED))
                    .reason_from(trailer("grpc-message")),
            )
    }
}
