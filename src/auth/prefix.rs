//! Which paths lie beneath another one, for every server that reads them.
//!
//! Servers differ in what they make of a path before they look it up: some decode it more than once, take `\` for `/`,
//! cut off what follows a `;`, or resolve dots that a client has left alone. So a path counts as beneath a prefix only if
//! none of them would get out. Nothing here is decoded or resolved for the request itself, which goes as it is.

/// How often a path is decoded. What hides more behind its percent signs is no path of an API.
const ROUNDS: usize = 4;

/// The path of a base URL as a prefix: without the slash at its end, and empty for `/`.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn prefix(path: &str) -> Result<&str, &'static str> {
    let prefix = path.strip_suffix('/').unwrap_or(path);
    let lower = prefix.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%25"].into_iter().any(|encoded| lower.contains(encoded)) {
        return Err(
            "its path has an encoded dot, slash or percent sign; write the path as the server knows it",
        );
    }
    if path.contains("//") || path.contains('\\') {
        return Err("its path has an empty segment or a backslash; write the path as the server knows it");
    }
    if !stays(prefix) {
        return Err("its path has a dot segment; write the path that it leads to");
    }
    Ok(prefix)
}

/// Whether `path`, without its query, is `prefix` or beneath it.
pub(super) fn is_beneath(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && stays(rest))
}

/// Whether `path` stays beneath wherever it is put.
pub(crate) fn stays(path: &str) -> bool {
    if !path.contains(['%', '\\']) && !path.contains("/.") {
        return true;
    }
    // In overlong encodings of UTF-8 there may be more dots and slashes.
    let Some(Ok(path)) = decoded(path).map(String::from_utf8) else { return false };
    // `%u002e` is a dot to some servers of Microsoft's.
    !path.contains("%u") && !path.contains("%U") && !path.split(['/', '\\']).any(is_dots)
}

/// The path with nothing percent-encoded any more, or `None` if there is no end to it.
fn decoded(path: &str) -> Option<Vec<u8>> {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..ROUNDS {
        let once = decoded_once(&bytes);
        if once.len() == bytes.len() {
            return Some(bytes);
        }
        bytes = once;
    }
    None
}

fn decoded_once(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Whether a segment is nothing but dots to somebody: with what servers leave out, or cut off.
fn is_dots(segment: &str) -> bool {
    let mut dots = false;
    for c in segment.chars() {
        match c {
            '.' => dots = true,
            ';' | '?' | '#' | '\0' => break,
            c if c.is_whitespace() || c.is_control() => {}
            _ => return false,
        }
    }
    dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beneath_is_covered() {
        for path in [
            "/vendor",
            "/vendor/",
            "/vendor/videos",
            "/vendor/videos/",
            "/vendor//videos",
            "/vendor/a%20b/%C3%BC",
            "/vendor/group%2Fproject",
            "/vendor/100%25",
            "/vendor/100%2525",
            "/vendor/.well-known/x",
            "/vendor/..hidden",
            "/vendor/a..b/v1.2",
            "/vendor/a.",
            "/vendor/a;b=c",
            "/vendor/100%",
            "/vendor/ü",
        ] {
            assert!(is_beneath("/vendor", path), "{path}");
        }
        assert!(is_beneath("/a/b%20c", "/a/b%20c/d"));
    }

    #[test]
    fn what_could_get_out_is_not() {
        for path in [
            "",
            "/",
            "*",
            "/vendo",
            "/vendorx",
            "/vendor%2fx",
            "/vendor%5cx",
            "/vendor;x/y",
            "/vendor.",
            "/vendor\\x",
            "/Vendor/x",
            "/%76endor/x",
            "//vendor/x",
            "/x/vendor",
            "/vendor/.",
            "/vendor/..",
            "/vendor/../other",
            "/vendor/a/../../other",
            "/vendor/./x",
            "/vendor/./..",
            "/vendor//..",
            "/vendor/%2e%2e/other",
            "/vendor/%2E./other",
            "/vendor/.%2E/",
            "/vendor/..%2fother",
            "/vendor/..%5Cother",
            "/vendor/a%2f..%2f..%2fother",
            "/vendor%2f..",
            "/vendor/%2f../x",
            "/vendor\\..",
            "/vendor/\\..\\other",
            "/vendor/a\\..\\..\\other",
            "/vendor/%5c..%5cother",
            "/vendor/%252e%252e/other",
            "/vendor/%252E%252e%252fother",
            "/vendor/%25252e%25252e/other",
            "/vendor/%25%32%65%25%32%65/other",
            "/vendor/%2525252525252e",
            "/vendor/..;/other",
            "/vendor/..;a=b/other",
            "/vendor/..%3b/other",
            "/vendor/%2e%2e;/other",
            "/vendor/..%00/other",
            "/vendor/..%00x/other",
            "/vendor/..%09/other",
            "/vendor/.%0a./other",
            "/vendor/..%20/other",
            "/vendor/..%3fx/other",
            "/vendor/..%23/other",
            "/vendor/...",
            "/vendor/%c0%ae%c0%ae/other",
            "/vendor/%e0%80%ae./other",
            "/vendor/a%c0%af../other",
            "/vendor/%u002e%u002e/other",
            "/vendor/%U002E./other",
        ] {
            assert!(!is_beneath("/vendor", path), "{path}");
        }
    }

    #[test]
    fn a_prefix_is_a_plain_path() {
        for (path, expected) in [
            ("", ""),
            ("/", ""),
            ("/vendor", "/vendor"),
            ("/vendor/", "/vendor"),
            ("/a/b.c/~d%20e", "/a/b.c/~d%20e"),
        ] {
            assert_eq!(prefix(path), Ok(expected), "{path}");
        }
        for path in [
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/a/.",
            "/a/..",
            "/./a",
            "/a/../b",
            "/..",
            "/%2e%2e/a",
            "/a/.%2E",
            "/v1%2e2",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a%25b",
            "/..;/a",
            "/%c0%ae%c0%ae",
            "/%u002e",
            "/...",
        ] {
            assert!(prefix(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_long_path_is_no_work() {
        let path = format!("/vendor/{}2e", "%25".repeat(1_000_000));
        assert!(is_beneath("/vendor", &path), "decodes to percent signs and digits");
        assert!(!is_beneath("/vendor", &format!("/vendor/%{}2e", "25".repeat(1_000_000))));
    }
}
