//! What RFC 6750 and RFC 9470 say about answers to bearer tokens, as rules.

use http::StatusCode;

use super::{
    list::Signatures,
    rule::Rule,
    subject::{challenge, json},
};

/// Errors that are about the request or what the token may do: a new token of the same kind changes nothing
/// (RFC 6750 §3.1, RFC 9470 §3).
const DENIED: [&str; 3] = ["insufficient_scope", "invalid_request", "insufficient_user_authentication"];

impl Signatures {
    /// The answers of OAuth 2.0 resource servers (RFC 6750 §3), for tokens of the `Bearer` scheme.
    ///
    /// - A 401 with a `Bearer` challenge whose `error` is `invalid_token`: expired. Its `error_description` is the
    ///   reason.
    /// - `insufficient_scope`, `invalid_request`, and `insufficient_user_authentication` (RFC 9470): denied, also
    ///   with 400 and 403, and even beside an `invalid_token`. So is a 401 with any other `error`.
    /// - A 401 without such an error in a challenge of the scheme: the JSON body's `error` counts in the same way.
    /// - Any other 401 is accepted, unless [`bare_401`](Self::bare_401) follows.
    ///
    /// Challenges of other schemes don't matter. 407 and `Proxy-Authenticate` are another party's.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::Signatures;
    ///
    /// let strict = Signatures::oauth2();
    /// let lenient = Signatures::oauth2().bare_401();
    /// ```
    pub fn oauth2() -> Self {
        Self::oauth2_with_scheme("Bearer")
    }

    /// As [`oauth2`](Self::oauth2), for tokens that are sent with another scheme, such as `DPoP` (RFC 9449 §7.1).
    pub fn oauth2_with_scheme(scheme: &str) -> Self {
        let error = || challenge(scheme).param("error");
        let description = || challenge(scheme).param("error_description");
        let denied = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        Self::new()
            .rule(Rule::denied().statuses(denied).when(error().one_of(DENIED)).reason_from(description()))
            .rule(
                Rule::expired()
                    .status(StatusCode::UNAUTHORIZED)
                    .when(error().is("invalid_token"))
                    .reason_from(description()),
            )
            .rule(
                Rule::denied()
                    .status(StatusCode::UNAUTHORIZED)
                    .when(error().exists())
                    .reason_from(description()),
            )
            .rule(
                Rule::denied()
                    .status(StatusCode::UNAUTHORIZED)
                    .when(json("/error").one_of(DENIED))
                    .reason("/error_description"),
            )
            .rule(
                Rule::expired()
                    .status(StatusCode::UNAUTHORIZED)
                    .when(json("/error").is("invalid_token"))
                    .reason("/error_description"),
            )
    }

    /// Takes every 401 that no rule before this has judged for an expired token.
    pub fn bare_401(self) -> Self {
        self.rule(Rule::expired().status(StatusCode::UNAUTHORIZED))
    }
}
