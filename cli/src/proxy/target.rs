//! [`admit`]: which targets are ones that this proxy can answer for, whoever may ask. Whose host it is, the guard has said by then.

use std::net::IpAddr;

use http::{Method, Request, StatusCode, Version, header::HOST, uri::Authority};

use super::{front::Arrival, problem::Problem};

/// Says no to a target that means something else than what would be made of it: a path at the vendor.
pub(super) fn admit<B>(request: &Request<B>, arrival: Arrival) -> Result<(), Problem> {
    let target = request.uri();
    if target.path() == "*" && request.method() != Method::OPTIONS {
        // RFC 9112 §3.2.4.
        return Err(Problem::malformed("nothing but OPTIONS is for *"));
    }
    if request.version() == Version::HTTP_2
        && target.authority().is_none()
        && !request.headers().contains_key(HOST)
    {
        return Err(Problem::malformed("there must be an :authority, or a Host header"));
    }
    match target.scheme_str() {
        None => Ok(()),
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => Ok(()),
        Some(scheme)
            if scheme.eq_ignore_ascii_case("https") && may_be_a_gateways(target.authority(), arrival) =>
        {
            Ok(())
        }
        // RFC 9110 §7.4.
        Some(_) => Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "http_request_error",
            "http alone is spoken here; https is for a gateway, by a name of --allow-host",
        )),
    }
}

/// Whether something before this proxy may have ended TLS, and says so, as Envoy does over HTTP/2. It calls the proxy by a name, while
/// whoever is on this machine has made no such connection.
fn may_be_a_gateways(authority: Option<&Authority>, arrival: Arrival) -> bool {
    let is_name = |host: &str| {
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        address.parse::<IpAddr>().is_err() && !host.eq_ignore_ascii_case("localhost")
    };
    arrival.at.is_none() || authority.is_some_and(|authority| is_name(authority.host()))
}
