//! [`is_loopback`]: whether a host is this machine, whoever connects.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether every client connects to this machine itself for `host`, as it stands in a URL, or to nothing.
///
/// So `localhost` by no other name: RFC 6761 §6.3 wants `localhost.` and all names under it to mean loopback, but only
/// by a "should", and resolvers that don't know of it ask the network. Nor `2130706433` and `127.1`, which are names to
/// some. `0.0.0.0` and `[::]` mean this machine to some systems alone.
pub(crate) fn is_loopback(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok_and(|address| {
            // Not `to_canonical`, which unpacks no more than this, but might.
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|mapped| mapped.is_loopback())
        }),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_loopback_to_everybody_is() {
        for host in [
            "localhost",
            "LocalHost",
            "127.0.0.1",
            "127.255.255.254",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.",
            "a.localhost",
            "localhost.example.com",
            "[localhost]",
            "localhost4",
            "0.0.0.0",
            "[::]",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "[127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[::1%25lo]",
            "128.0.0.1",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
