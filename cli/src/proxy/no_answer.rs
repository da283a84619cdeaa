//! [`no_answer`]: what a client is told where an error takes the place of the vendor's answer.

use std::{error::Error, iter};

use http::StatusCode;
use tokio::time::Instant;
use tower_reauth::{
    AuthError, AuthErrorKind, BoxError,
    client::{ClientError, ClientErrorKind},
};

use super::problem::Problem;
use crate::message::chain;

/// Why there is no answer, for the client.
pub(super) fn no_answer(error: &BoxError) -> Problem {
    if let Some(error) = AuthError::find(&**error) {
        let kind = match error.kind() {
            AuthErrorKind::CredentialsRejected | AuthErrorKind::EndpointUnusable => {
                "proxy_configuration_error"
            }
            _ => "proxy_internal_error",
        };
        let wait = error.retry_at().map(|at| at.saturating_duration_since(Instant::now()));
        let detail = format!("there is no token for the vendor: {}", chain(error));
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail).with_retry_after(wait);
    }
    if let Some((kind, detail)) = wrong(&**error) {
        return Problem::new(StatusCode::BAD_GATEWAY, kind, detail);
    }
    let (status, kind) = match error.downcast_ref::<ClientError>().map(ClientError::kind) {
        Some(ClientErrorKind::Connect | ClientErrorKind::Proxy) => {
            (StatusCode::BAD_GATEWAY, "destination_unavailable")
        }
        Some(ClientErrorKind::MetadataHost) => (StatusCode::BAD_GATEWAY, "destination_ip_prohibited"),
        Some(ClientErrorKind::ConnectTimedOut) => (StatusCode::GATEWAY_TIMEOUT, "connection_timeout"),
        _ => (StatusCode::BAD_GATEWAY, "connection_terminated"),
    };
    Problem::new(status, kind, format!("the vendor did not answer: {}", chain(&**error)))
}

/// Whether the connection broke off, or the vendor says that it has done nothing yet (RFC 9113 §8.7): one that was kept may have been
/// closed while the request was on its way, and nobody but the sender knows of that. What changes nothing may be
/// sent again (RFC 9110 §9.2.2).
pub(super) fn was_hung_up_on(error: &BoxError) -> bool {
    let is_exchange = |error: &ClientError| error.kind() == ClientErrorKind::Exchange;
    let was_refused = |error: &h2::Error| error.reason() == Some(h2::Reason::REFUSED_STREAM);
    error.downcast_ref().is_some_and(is_exchange)
        && (wrong(&**error).is_none() || find(&**error).is_some_and(was_refused))
}

/// What is wrong with an answer that did come, if that is so and can be told.
fn wrong(error: &(dyn Error + 'static)) -> Option<(&'static str, String)> {
    if let Some(error) = find::<hyper::Error>(error).filter(|error| error.is_parse()) {
        return Some(match error.is_parse_too_large() {
            true => ("http_response_header_section_size", format!("the vendor's answer is refused: {error}")),
            false => ("http_protocol_error", format!("the vendor's answer makes no sense: {error}")),
        });
    }
    let error = find::<h2::Error>(error)?;
    match () {
        () if error.is_library() => {
            Some(("http_protocol_error", format!("the vendor's answer makes no sense: {error}")))
        }
        // The connection is well (RFC 9113 §5.4.2).
        () if error.is_reset() && error.is_remote() => {
            Some(("http_response_incomplete", format!("the vendor broke off its answer: {error}")))
        }
        () => None,
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    iter::successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}
