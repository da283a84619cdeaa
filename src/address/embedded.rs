//! [`embedded`]: the IPv4 addresses that an IPv6 address may stand for.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Each IPv4 address that a packet to `address` may end at, where something on the way translates it or unpacks it.
///
/// Where an address holds more than one, or its form is told by the network's prefix, all come that it may hold.
pub(super) fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let (segments, bytes) = (address.segments(), address.octets());
    let at = |places: [usize; 4]| Some(Ipv4Addr::from(places.map(|place| bytes[place])));
    let last = at([12, 13, 14, 15]);
    let found = match segments {
        // IPv4-mapped and IPv4-compatible (RFC 4291 §2.5.5), IPv4-translated (RFC 2765 §2.1), and NAT64's own
        // prefix (RFC 6052 §2.1). `::` and `::1` come as 0.0.0.0 and 0.0.0.1, which nobody asks for.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => [last, None],
        // The prefix that networks choose theirs for NAT64 from (RFC 8215): of 48, 56, 64 or 96 bits, and without
        // the ninth byte (RFC 6052 §2.2).
        [0x64, 0xff9b, 1, ..] => {
            return [last, at([6, 7, 9, 10]), at([7, 9, 10, 11]), at([9, 10, 11, 12])].into_iter().flatten();
        }
        // 6to4 (RFC 3056 §2).
        [0x2002, ..] => [at([2, 3, 4, 5]), None],
        // Teredo (RFC 4380 §4): the server, and the client with its bits inverted.
        [0x2001, 0, ..] => [at([4, 5, 6, 7]), last.map(|client| Ipv4Addr::from(!u32::from(client)))],
        // ISATAP (RFC 5214 §6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => [last, None],
        _ => [None, None],
    };
    [found[0], found[1], None, None].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_ipv4_in_ipv6_is_seen() {
        for form in [
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:a9:fe:a9fe::",
            "64:ff9b:1:1:a9:fea9:fe00:0",
            "64:ff9b:1:ffff:1:2:a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "2002:a9fe:a9fe:1:2:3:4:5",
            "2001:0:a9fe:a9fe::",
            "2001:0:1:2:3:4:5601:5601",
            "fe80::5efe:a9fe:a9fe",
            "2001:db8::200:5efe:a9fe:a9fe",
        ] {
            let address = form.parse().expect(form);
            assert!(embedded(address).any(|found| found == Ipv4Addr::new(169, 254, 169, 254)), "{form}");
        }
    }

    #[test]
    fn other_addresses_hold_none() {
        for address in ["fd00:ec2::254", "fe80::a9fe:a9fe", "2001:db8::a9fe:a9fe", "2606:4700::a9fe:a9fe"] {
            assert_eq!(embedded(address.parse().expect(address)).next(), None, "{address}");
        }
    }
}
