//! Whether a credential is for what a helper is asked about.

use crate::vendor::Vendor;

/// Whether a vendor's token may be given to whoever talks to this host over https, below this path, if that is known.
pub(super) fn is_own(vendor: &Vendor, host: &str, path: Option<&str>) -> bool {
    // What could be taken for another part of a URL is part of no host.
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return false;
    }
    let path = path.unwrap_or_default();
    vendor.own_url(&format!("https://{host}/{}", path.strip_prefix('/').unwrap_or(path))).is_some()
}

/// The same of a URL. Where `usual` says so, one without a scheme is https.
pub(super) fn is_own_url(vendor: &Vendor, url: &str, usual: Bare) -> bool {
    let rest = match (url.split_once("://"), usual) {
        (Some((scheme, rest)), _) if scheme.eq_ignore_ascii_case("https") => rest,
        (None, Bare::IsHttps) => url,
        _ => return false,
    };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    is_own(vendor, host, path)
}

/// What a URL without a scheme is.
#[derive(Clone, Copy)]
pub(super) enum Bare {
    IsHttps,
    IsNone,
}
