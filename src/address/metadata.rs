//! Where machines read what they are, and who: the metadata services of clouds, which hand out credentials to whoever
//! asks from inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{embedded::embedded, spelled::spelled};

/// The addresses, with the pages that name them, as they were in 2026.
const ADDRESSES: [IpAddr; 16] = [
    // "Use the Instance Metadata Service to access instance metadata", Amazon EC2 User Guide; most clouds have the same.
    v4([169, 254, 169, 254]),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),
    // `aws_config::ecs`, docs.rs; "IAM roles for tasks", Amazon ECS Developer Guide.
    v4([169, 254, 170, 2]),
    // "Set up the Amazon EKS Pod Identity Agent", Amazon EKS User Guide.
    v4([169, 254, 170, 23]),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),
    // "View and query VM metadata", Google Compute Engine: of machines with IPv6 alone.
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]),
    // "What is IP address 168.63.129.16?", Microsoft Azure: WireServer, from which agents get certificates.
    v4([168, 63, 129, 16]),
    // "Instance metadata", Alibaba Cloud ECS, 15 May 2026; by IPv6 in cloud-init's data source "Alibaba Cloud".
    v4([100, 100, 100, 200]),
    v6([0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200]),
    // "Retrieve Predefined Instance Metadata", Oracle Cloud at Customer.
    v4([192, 0, 0, 192]),
    // Oracle's SDK for Python, `oci/auth/signers`: "METADATA_URL_BASE_IPV6".
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe]),
    // "Metadata service", OpenStack Nova 2026.2.
    v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe]),
    // "Scaleway", cloud-init's data sources.
    v4([169, 254, 42, 42]),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]),
    // "Akamai", cloud-init's data sources.
    v6([0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1]),
    // "Instance metadata", Tencent Cloud CVM.
    v4([169, 254, 0, 23]),
];

/// The names, in lower case. Those without a dot are found by the search list that a machine there has.
const NAMES: [&str; 8] = [
    // "View and query VM metadata", Google Compute Engine.
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    // "Instance metadata", Tencent Cloud CVM.
    "metadata.tencentyun.com",
    // "VPC Instance Metadata API", IBM Cloud.
    "api.metadata.cloud.ibm.com",
    // "Cloud-init user data", Exoscale.
    "metadata.exoscale.com",
    // "Metadata", Equinix Metal; the second is its older name.
    "metadata.platformequinix.com",
    "metadata.packet.net",
];

/// Whether `host`, as it stands in a URL, is a metadata service to any client: by an address in whatever form, or by
/// one of the names that clouds give it. Of other names that lead there, nothing is known before they are resolved.
pub(crate) fn is_metadata_host(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    NAMES.contains(&&*name) || is_instance_data(&name) || spelled(host).into_iter().any(is_metadata)
}

/// Whether a metadata service is at `address`, or at an IPv4 address inside it.
pub(crate) fn is_metadata(address: IpAddr) -> bool {
    ADDRESSES.contains(&address)
        || match address {
            IpAddr::V4(_) => false,
            IpAddr::V6(address) => embedded(address).any(|inside| ADDRESSES.contains(&inside.into())),
        }
}

/// Amazon's name for it: `instance-data` in the domain of the machine's region, `ec2.internal` or
/// `eu-west-1.compute.internal`.
fn is_instance_data(name: &str) -> bool {
    name.strip_prefix("instance-data")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && rest.ends_with(".internal"))
}

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_known_in_each_form() {
        for host in [
            "169.254.169.254",
            "169.254.169.254.",
            "[169.254.169.254]",
            "2852039166",
            "[2852039166]",
            "0xa9fea9fe",
            "0XA9.0XFE.0xa9.0xfe",
            "0251.0376.0251.0376",
            "025177524776",
            "169.254.43518",
            "169.16689662",
            "0169.254.169.0254",
            "[::ffff:a9fe:a9fe]",
            "[::FFFF:169.254.169.254]",
            "[::169.254.169.254]",
            "[::ffff:0:a9fe:a9fe]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[fe80::5efe:a9fe:a9fe]",
            "[::ffff:169.254.170.2]",
            "[64:ff9b::100.100.100.200]",
            "169.254.170.2",
            "169.254.170.23",
            "[fd00:ec2::254]",
            "[fd00:0ec2:0::0254]",
            "[fd00:ec2::23]",
            "[fd20:ce::254]",
            "[fd00:c1::a9fe:a9fe]",
            "[fe80::a9fe:a9fe]",
            "[fe80::a9fe:a9fe%25eth0]",
            "[fd00:42::42]",
            "169.254.42.42",
            "[fd00:a9fe:a9fe::1]",
            "[fd00:100::100:200]",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "169.254.0.23",
            "metadata.google.internal",
            "metadata.google.internal.",
            "METADATA.Google.Internal",
            "[metadata.google.internal]",
            "metadata.goog",
            "metadata",
            "metadata.",
            "metadata.tencentyun.com",
            "api.metadata.cloud.ibm.com",
            "metadata.exoscale.com",
            "metadata.platformequinix.com",
            "metadata.packet.net",
            "instance-data",
            "Instance-Data.",
            "instance-data.ec2.internal",
            "instance-data.eu-west-1.compute.internal.",
        ] {
            assert!(is_metadata_host(host), "{host}");
        }
    }

    #[test]
    fn others_are_not() {
        for host in [
            "",
            "api.example.com",
            "metadata.example.com",
            "google.internal",
            "login.metadata.example",
            "169.254.169.253",
            "169.254.1.1",
            "[fe80::1]",
            "127.0.0.1",
            "10.0.0.1",
            "localhost",
            "[::1]",
            "instance-data.example.com",
            "instance-database",
            "instance-data-internal",
            "169.254.169.254.example.com",
            "metadata-goog",
            "[fd00:ec2::253]",
            "0.0.0.0",
        ] {
            assert!(!is_metadata_host(host), "{host}");
        }
    }
}
