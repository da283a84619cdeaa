//! [`spelled`]: each IP address that some client would take a host for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Each IP address that some client would connect to for `host`, as it stands in a URL, without looking up a name.
///
/// There is none for a name, and more than one where clients differ: `010.0.0.1` has eight to those who read it as C
/// does, and ten to those who don't. Clients also differ in whether they read `2852039166`, `0xa9fea9fe` and
/// `169.254.43518` as an address at all (`inet_aton(3)` and the URL standard of WHATWG §3.5.1 do, the parser of
/// `std` doesn't, and hands them to a resolver that does), in what they make of a dot at the end and of a zone, and
/// in whether more than IPv6 may stand in brackets. So this is for asking where a request might go, and not for
/// asking where it surely goes.
pub(super) fn spelled(host: &str) -> Vec<IpAddr> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    // RFC 4007 §11 has the zone behind `%`, and RFC 6874 in a URL behind `%25`.
    let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
    if let Ok(address) = without_zone.parse::<Ipv6Addr>() {
        return vec![address.into()];
    }
    let host = without_zone.trim_end_matches('.');
    let mut spelled: Vec<IpAddr> = [Zeros::Octal, Zeros::Decimal]
        .into_iter()
        .filter_map(|zeros| ipv4(host, zeros))
        .map(IpAddr::V4)
        .collect();
    spelled.dedup();
    spelled
}

/// What a zero at the beginning of a number means.
#[derive(Clone, Copy)]
enum Zeros {
    Octal,
    Decimal,
}

/// One to four numbers with dots between them. The last one fills all bytes that are left.
fn ipv4(text: &str, zeros: Zeros) -> Option<Ipv4Addr> {
    let mut numbers = text.split('.').map(|text| number(text, zeros)).collect::<Option<Vec<u32>>>()?;
    let last = numbers.pop()?;
    let left = 32 - 8 * u32::try_from(numbers.len()).ok().filter(|bytes| *bytes < 4)?;
    if left < 32 && last >> left != 0 {
        return None;
    }
    numbers
        .iter()
        .enumerate()
        .try_fold(last, |address, (at, number)| {
            let byte = u32::from(u8::try_from(*number).ok()?);
            Some(address | byte << (24 - 8 * at))
        })
        .map(Ipv4Addr::from)
}

fn number(text: &str, zeros: Zeros) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        // The URL standard takes `0x` for zero.
        [b'0', b'x' | b'X'] => return Some(0),
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] if matches!(zeros, Zeros::Octal) => (&text[1..], 8),
        _ => (text, 10),
    };
    // `from_str_radix` takes a sign, too.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then(|| u32::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_spells_it() {
        for (host, addresses) in [
            ("169.254.169.254", &["169.254.169.254"][..]),
            ("169.254.169.254.", &["169.254.169.254"]),
            ("[169.254.169.254]", &["169.254.169.254"]),
            ("2852039166", &["169.254.169.254"]),
            ("2852039166.", &["169.254.169.254"]),
            ("[2852039166]", &["169.254.169.254"]),
            ("0xa9fea9fe", &["169.254.169.254"]),
            ("0XA9FEA9FE", &["169.254.169.254"]),
            ("0x00000000a9fea9fe", &["169.254.169.254"]),
            ("0xa9.0xfe.0xa9.0xfe", &["169.254.169.254"]),
            ("025177524776", &["169.254.169.254"]),
            ("0251.0376.0251.0376", &["169.254.169.254"]),
            ("0251.254.0xa9.0000376", &["169.254.169.254"]),
            ("169.16689662", &["169.254.169.254"]),
            ("169.254.43518", &["169.254.169.254"]),
            ("169.254.0xa9fe", &["169.254.169.254"]),
            ("0169.0254.0169.0254", &["169.254.169.254"]),
            ("010.0.0.1", &["8.0.0.1", "10.0.0.1"]),
            ("0", &["0.0.0.0"]),
            ("0x", &["0.0.0.0"]),
            ("127.1", &["127.0.0.1"]),
            ("[fd00:ec2::254]", &["fd00:ec2::254"]),
            ("fd00:ec2::254", &["fd00:ec2::254"]),
            ("[FD00:0EC2:0:0:0:0:0:254]", &["fd00:ec2::254"]),
            ("[::ffff:169.254.169.254]", &["::ffff:169.254.169.254"]),
            ("[fe80::a9fe:a9fe%25eth0]", &["fe80::a9fe:a9fe"]),
            ("[fe80::a9fe:a9fe%eth0]", &["fe80::a9fe:a9fe"]),
        ] {
            let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().expect(text)).collect();
            assert_eq!(spelled(host), addresses, "{host}");
        }
    }

    #[test]
    fn a_name_spells_none() {
        for host in [
            "",
            ".",
            "[]",
            "localhost",
            "api.example.com",
            "169.254.169.254.example.com",
            "1.2.3.4.5",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.65536",
            "1.16777216",
            "4294967296",
            "0x100000000",
            "0xg",
            "+1",
            "-1",
            "1..1",
            "1.+1",
            "face",
            "[fe80::1::2]",
            "a%25b",
            "%25",
        ] {
            assert_eq!(spelled(host), [] as [IpAddr; 0], "{host}");
        }
    }
}
