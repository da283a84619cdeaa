//! [`Guard`]: which requests may be made at all. Any web page can reach a server on loopback, so not all may.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Version,
    header::{HOST, ORIGIN},
    uri::Authority,
};

use super::{args::Args, front::Arrival, headers, problem::Problem};
use crate::number::number;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Says no to what isn't for this proxy, or comes from a web page.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: Vec<Authority>,
    origins: Vec<String>,
    cross_site: bool,
}

impl Guard {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            hosts: args.allow_host.clone(),
            origins: args.allow_origin.clone(),
            cross_site: args.allow_cross_site,
        }
    }

    /// Admits more than the options say.
    pub(crate) fn and(
        mut self,
        hosts: impl IntoIterator<Item = Authority>,
        origins: Vec<String>,
        cross_site: bool,
    ) -> Self {
        self.hosts.extend(hosts);
        self.origins.extend(origins);
        self.cross_site |= cross_site;
        self
    }

    pub(crate) fn admit<B>(&self, request: &Request<B>, arrival: Arrival) -> Result<(), Problem> {
        self.admit_method(request.method())?;
        self.admit_host(request, arrival)?;
        self.admit_page(request.headers())?;
        if headers::is_coded(request.headers()) {
            let detail = "no transfer coding but chunked is known here, and that once";
            // What follows may be read in two ways.
            return Err(Problem::malformed(detail).closing());
        }
        if headers::has_passed_here(request.headers()) {
            let status = http::StatusCode::LOOP_DETECTED;
            return Err(Problem::new(
                status,
                "proxy_loop_detected",
                "the proxy's upstream is a proxy like this one, perhaps itself; check --base-url",
            ));
        }
        Ok(())
    }

    fn admit_method(&self, method: &Method) -> Result<(), Problem> {
        match *method {
            Method::CONNECT => {
                return Err(Problem::unsupported(
                    "CONNECT asks for a tunnel, and this is a reverse proxy; call it as if it were the vendor",
                ));
            }
            Method::TRACE => return Err(Problem::unsupported("the answer to TRACE would show the token")),
            _ => {}
        }
        Ok(())
    }

    /// A page whose name suddenly means this machine has its own name in `Host` (DNS rebinding).
    fn admit_host<B>(&self, request: &Request<B>, arrival: Arrival) -> Result<(), Problem> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() || host.is_none() && request.version() < Version::HTTP_2 {
            // RFC 9112 §3.2.
            return Err(Problem::malformed("there must be one Host header"));
        }
        let target = request.uri().authority();
        let is_another = |host: &&HeaderValue| {
            target.is_some_and(|target| !target.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()))
        };
        let said_twice = host.filter(is_another).is_some();
        let host = host.filter(|host| !arrival.at.is_some_and(|address| is_plainly_ours(host, address)));
        let host = match host.map(|host| Authority::try_from(host.as_bytes())) {
            Some(Err(_)) => return Err(Problem::malformed("the Host header is no host")),
            Some(Ok(host)) => Some(host),
            None => None,
        };
        // An absolute-form target has one too, and HTTP/2 nothing else.
        for authority in target.into_iter().chain(&host) {
            if authority.as_str().contains('@') {
                // RFC 9110 §4.2.4.
                return Err(Problem::malformed("there must be no user or password before the host"));
            }
            if authority.port().is_some_and(|port| number(port.as_str().as_bytes()).is_none()) {
                return Err(Problem::malformed("the host's port is no number"));
            }
            if let Some(address) = arrival.at.filter(|address| !self.is_ours(authority, *address)) {
                return Err(Problem::denied(format!(
                    "this is a proxy for one vendor, at {address}, and the request is for another host, so perhaps from a \
                     web page; --allow-host allows for other names"
                )));
            }
        }
        if said_twice {
            // RFC 9112 §3.2.2, RFC 9113 §8.3.1: for which of them it is, others could read otherwise.
            return Err(Problem::malformed("the target's host must be that of the Host header"));
        }
        Ok(())
    }

    /// Whether that is a name of this proxy that nobody else can have. What is [plainly](is_plainly_ours) so is among them.
    fn is_ours(&self, authority: &Authority, own: SocketAddr) -> bool {
        let host = authority.host();
        let port = authority.port_u16();
        let given = |allowed: &Authority| {
            allowed.host().eq_ignore_ascii_case(host)
                && (allowed.port().is_none() || allowed.port_u16() == port)
        };
        if self.hosts.iter().any(given) {
            return true;
        }
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let is_here = match address.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address == own.ip() && !address.is_unspecified(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        };
        // Without a number after it, a colon is no port, and nothing is the usual one.
        let port = port.or_else(|| (authority.as_str() == host).then_some(80));
        is_here && port == Some(own.port())
    }

    /// Browsers say where a request comes from. Programs have no reason to.
    fn admit_page(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if headers.contains_key(ORIGIN) {
            let allowed = |origin: &HeaderValue| {
                self.origins.iter().any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
            };
            if headers.get_all(ORIGIN).iter().all(allowed) {
                return Ok(());
            }
            return Err(Problem::denied(
                "the request has an Origin, so it comes from a web page; --allow-origin allows for pages",
            ));
        }
        let own = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
        if self.cross_site || headers.get_all(SEC_FETCH_SITE).iter().all(own) {
            return Ok(());
        }
        Err(Problem::denied(
            "Sec-Fetch-Site says that the request comes from another site's page; --allow-cross-site allows for that",
        ))
    }
}

/// Whether that is a name of this proxy as most programs write it, which takes less to see than to read a host.
fn is_plainly_ours(host: &HeaderValue, own: SocketAddr) -> bool {
    let named = host.to_str().ok().and_then(|host| host.rsplit_once(':'));
    named.is_some_and(|(name, port)| {
        let is_here = || name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
        (name == "localhost" || is_here()) && number(port.as_bytes()) == Some(own.port().into())
    })
}
