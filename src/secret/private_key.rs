//! [`private_key_pem`]: the private key in a PEM, or what there is in its place.

use secrecy::zeroize::Zeroizing;

use super::pem::{Block, CERTIFICATES, PUBLIC_KEYS, REQUESTS, blocks, in_place_of_any, text};
use crate::error::{ConfigError, ConfigErrorKind};

const PRIVATE_KEYS: &[&str] = &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// PEM of the first private key in `pem`, or an error that says what there is in its place.
pub(crate) fn private_key_pem(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let read = || {
        let text = text(pem)?;
        let blocks: Vec<_> = blocks(&text).collect();
        match blocks.iter().find(|block| block.is(PRIVATE_KEYS) && !is_encrypted(block)) {
            Some(key) => key.pem(key.label),
            None => Err(in_place_of_a_key(&blocks, &text)),
        }
    };
    let pem = read().map_err(|why| {
        let words = format!("there is no private key in the pem that can be used: {why}");
        ConfigError::new(ConfigErrorKind::Secret, words)
    })?;
    Ok(Zeroizing::new(pem.as_bytes().to_vec()))
}

/// By its label, or by a header of RFC 1421 §4.6.1.1, as OpenSSL writes it.
fn is_encrypted(block: &Block<'_>) -> bool {
    let has_header = |body: &str| body.contains("Proc-Type:") && body.contains("ENCRYPTED");
    block.label == "ENCRYPTED PRIVATE KEY" || block.body.is_some_and(has_header)
}

fn in_place_of_a_key(blocks: &[Block<'_>], text: &str) -> &'static str {
    let any = |labels: &[&str]| blocks.iter().any(|block| block.is(labels));
    if blocks.iter().any(is_encrypted) {
        "it is encrypted; write it without a passphrase: openssl pkey -in key.pem -out plain.pem"
    } else if any(&["OPENSSH PRIVATE KEY"]) {
        "it is in openssh's own format; write it in another: ssh-keygen -p -m pkcs8 -f copy-of-the-key"
    } else if any(CERTIFICATES) || any(&["TRUSTED CERTIFICATE"]) {
        "it is a certificate; take the key that belongs to it, which begins with -----BEGIN PRIVATE KEY-----"
    } else if any(PUBLIC_KEYS) || text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") {
        "it is a public key; take the private one, which begins with -----BEGIN PRIVATE KEY-----"
    } else if any(REQUESTS) {
        "it is a request for a certificate; take the key that it was made with, which begins with -----BEGIN PRIVATE KEY-----"
    } else if text.starts_with('{') {
        "it is json; take the pem that begins with -----BEGIN PRIVATE KEY-----"
    } else {
        in_place_of_any(text, "it begins with -----BEGIN PRIVATE KEY-----")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::{super::pem::tests::forms, *};

    const KEY: &str = include_str!("../credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");
    const SEC1: &str = include_str!("../credential/oauth2/tests/keys/rfc7515-a3-sec1.pem");
    const RSA: &str = include_str!("../credential/oauth2/tests/keys/rfc7515-a2-pkcs1.pem");

    fn key(pem: impl AsRef<[u8]>) -> Result<String, String> {
        let read = private_key_pem(pem.as_ref()).map_err(|error| {
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            let error = error.to_string();
            error.strip_prefix("there is no private key in the pem that can be used: ").unwrap().to_owned()
        })?;
        Ok(String::from_utf8(read.to_vec()).unwrap())
    }

    #[test]
    fn a_key_is_the_same_in_every_form() {
        for pem in [KEY, SEC1, RSA] {
            for form in forms(pem) {
                assert_eq!(key(&form).as_deref(), Ok(pem), "{form}");
            }
        }
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        assert_eq!(key(format!("{parameters}{SEC1}{RSA}")).as_deref(), Ok(SEC1), "the first key");
    }

    #[test]
    fn what_is_there_in_place_of_a_key_is_said() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nczNjcmV0\n-----END {label}-----\n");
        let encrypted =
            "it is encrypted; write it without a passphrase: openssl pkey -in key.pem -out plain.pem";
        let header =
            RSA.replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,6D8F\n\n", 1);
        for (pem, why) in [
            (block("ENCRYPTED PRIVATE KEY"), encrypted),
            (header.clone(), encrypted),
            (header.replace('\n', "\\n"), encrypted),
            (header.replace('\n', " "), encrypted),
            (BASE64_STANDARD.encode(header), encrypted),
            (
                block("OPENSSH PRIVATE KEY"),
                "it is in openssh's own format; write it in another: ssh-keygen -p -m pkcs8 -f \
                                            copy-of-the-key",
            ),
            (
                block("CERTIFICATE"),
                "it is a certificate; take the key that belongs to it, which begins with -----BEGIN \
                                    PRIVATE KEY-----",
            ),
            (
                block("PUBLIC KEY"),
                "it is a public key; take the private one, which begins with -----BEGIN PRIVATE KEY-----",
            ),
            (
                block("RSA PUBLIC KEY").replace('\n', " "),
                "it is a public key; take the private one, which begins with -----BEGIN \
                                                          PRIVATE KEY-----",
            ),
            (
                "ssh-ed25519 czNjcmV0 me".into(),
                "it is a public key; take the private one, which begins with -----BEGIN \
                                                PRIVATE KEY-----",
            ),
            (
                block("CERTIFICATE REQUEST"),
                "it is a request for a certificate; take the key that it was made with, which begins \
                                            with -----BEGIN PRIVATE KEY-----",
            ),
            (
                "{\"kty\":\"EC\",\"d\":\"czNjcmV0\"}".into(),
                "it is json; take the pem that begins with -----BEGIN PRIVATE KEY-----",
            ),
            (block("S3CRET"), "it begins with -----BEGIN PRIVATE KEY-----"),
            ("s3cret".into(), "it begins with -----BEGIN PRIVATE KEY-----"),
            ("-----BEGIN ".into(), "it begins with -----BEGIN PRIVATE KEY-----"),
            (String::new(), "it is empty"),
            ("\u{feff} \"\"\n".into(), "it is empty"),
            ("/run/s3cret/key.pem\n".into(), "it is the name of a file; read the file"),
            (
                "MIIczNjcmV0\nczNjcmV0==".into(),
                "its first and its last line are missing, the ones with -----BEGIN and -----END",
            ),
            (
                block("PRIVATE KEY").replace("END", "ENDE"),
                "its last line is missing, which begins with -----END",
            ),
            (
                block("PRIVATE KEY").replace("END PRIVATE", "END RSA PRIVATE"),
                "its last line is missing, which begins with \
                                                                              -----END",
            ),
            (
                block("PRIVATE KEY").replace("czNj", "s3cret!"),
                "what is between its first and its last line is not base64",
            ),
        ] {
            assert_eq!(key(&pem).unwrap_err(), why, "{pem}");
        }
        let utf16: Vec<u8> = "\u{feff}s3cret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(key(utf16).unwrap_err().starts_with("it is utf-16, "));
        assert!(
            key(b"\x30\x82\x01\x00\x02\x01")
                .unwrap_err()
                .starts_with("it is binary, not text; convert it: openssl pkey ")
        );
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let mut pem = rng.choice([KEY, SEC1, RSA]).unwrap().as_bytes().to_vec();
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(..pem.len());
                match rng.u8(..4) {
                    0 => pem[at] = rng.u8(..),
                    1 => pem.truncate(at.max(1)),
                    2 => pem.insert(at, rng.u8(..)),
                    _ => drop(pem.drain(at..(at + 9).min(pem.len()).max(at)).count()),
                }
                if pem.is_empty() {
                    break;
                }
            }
            if let Err(error) = private_key_pem(&pem) {
                assert!(error.to_string().len() < 250, "{error}");
            }
        }
    }
}
