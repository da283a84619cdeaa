//! [`is_near`]: whether an address is this machine or on a link of it, so that what is sent there is seen by no other network.

use std::net::{IpAddr, Ipv6Addr};

/// Google's metadata server, of machines with IPv6 alone: "View and query VM metadata", Google Compute Engine.
const GOOGLE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// Whether a packet to `address` stays on this machine or its link: loopback, link-local (RFC 3927, RFC 4291 §2.5.6), or a
/// metadata service that a cloud has there. An IPv6 address in which something on the way may find an IPv4 address isn't,
/// whichever it is, as that packet leaves the link.
pub(crate) fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.is_loopback() || mapped.is_link_local(),
            None => address.is_loopback() || address.is_unicast_link_local() || address == GOOGLE,
        },
    }
}

/// Whether `host`, as it stands in a URL, is an address that is elsewhere. Of names nothing is known before they are resolved.
pub(crate) fn is_far_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    address.parse().is_ok_and(|address| !is_near(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_its_links_are_near() {
        for host in [
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "169.254.130.9",
            "[::1]",
            "[fe80::a9fe:a9fe]",
            "[::ffff:169.254.169.254]",
            "[::ffff:127.0.0.1]",
            "[fd20:ce::254]",
        ] {
            assert!(!is_far_host(host), "{host}");
        }
        // They are looked up first.
        for host in
            ["localhost", "metadata.google.internal", "2852039166", "169.254.43518", "example.com", ""]
        {
            assert!(!is_far_host(host), "{host}");
        }
    }

    #[test]
    fn other_networks_are_far_however_private() {
        for host in [
            "10.0.0.1",
            "172.16.5.3",
            "192.168.1.1",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "8.8.8.8",
            "169.253.255.255",
            "[::]",
            "[fd00:ec2::254]",
            "[fd20:ce::255]",
            "[fec0::1]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[2001:db8::5efe:a9fe:a9fe]",
            "[::ffff:10.0.0.1]",
            "[2001:db8::1]",
        ] {
            assert!(is_far_host(host), "{host}");
        }
    }
}
