//! [`leads_inwards`]: whether an address is one of this machine or of a network that isn't public, so that who is outside
//! of it has no business to have requests sent there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{embedded::embedded, metadata::is_metadata, metadata::is_metadata_host, spelled::spelled};

/// Whether what is at `address` is reached from inside alone: this machine, a private network, a link, a metadata service.
/// So is what an IPv6 address leads to that may stand for an IPv4 address.
pub(crate) fn leads_inwards(address: IpAddr) -> bool {
    is_metadata(address)
        || match address {
            IpAddr::V4(address) => is_inner_v4(address),
            IpAddr::V6(address) => is_inner_v6(address) || embedded(address).any(is_inner_v4),
        }
}

/// Whether `host`, as it stands in a URL, surely leads there for some client, whether by an address in whatever form or by a
/// name that means this machine. Of other names nothing is known before they are resolved.
pub(crate) fn is_inward_host(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || is_metadata_host(host)
        || spelled(host).into_iter().any(leads_inwards)
}

/// The blocks of IANA's registry of special addresses (RFC 6890) that aren't globally reachable, and multicast.
fn is_inner_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || matches!((a, b, c), (0, ..) | (192, 0, 0) | (240.., ..))
        // Carriers' (RFC 6598), and for benchmarks (RFC 2544).
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
}

fn is_inner_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        // Unique local (RFC 4193), link-local (RFC 4291 §2.5.6), and what was site-local (RFC 3879).
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xffc0 == 0xfec0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_an_inner_address_leads_inwards() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "0",
            "10.1.2.3",
            "012.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "3232235777",
            "100.64.0.1",
            "169.254.1.1",
            "169.254.169.254",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::10.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:a00:1::]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fe80::1%25eth0]",
            "[ff02::1]",
            "localhost",
            "LOCALHOST.",
            "app.localhost",
            "metadata.google.internal",
            "instance-data",
        ] {
            assert!(is_inward_host(host), "{host}");
        }
    }

    #[test]
    fn public_ones_do_not() {
        for host in [
            "api.example.com",
            "localhost.example.com",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "192.169.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "169.253.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2001:4860:4860::8888]",
            "[::ffff:1.1.1.1]",
            "[64:ff9b::1.1.1.1]",
        ] {
            assert!(!is_inward_host(host), "{host}");
        }
    }
}
