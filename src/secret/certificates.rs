//! [`certificates_pem`]: the certificates in a PEM, or what there is in their place.

use secrecy::zeroize::Zeroizing;

use super::pem::{Block, CERTIFICATES, PUBLIC_KEYS, REQUESTS, Text, blocks, in_place_of_any, text};
use crate::error::{ConfigError, ConfigErrorKind};

/// PEM of all certificates in `pem`, or an error that says what there is in their place.
pub(crate) fn certificates_pem(pem: &[u8]) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let read = || {
        let text = text(pem)?;
        let blocks: Vec<_> = blocks(&text).collect();
        let mut all = Text::default();
        for certificate in blocks.iter().filter(|block| block.is(CERTIFICATES)) {
            all.push_str(&certificate.pem("CERTIFICATE")?);
        }
        if all.is_empty() { Err(in_place_of_a_certificate(&blocks, &text)) } else { Ok(all) }
    };
    let pem = read().map_err(|why| {
        let words = format!("there is no certificate in the pem that can be used: {why}");
        ConfigError::new(ConfigErrorKind::Tls, words)
    })?;
    Ok(Zeroizing::new(pem.as_bytes().to_vec()))
}

fn in_place_of_a_certificate(blocks: &[Block<'_>], text: &str) -> &'static str {
    let any = |labels: &[&str]| blocks.iter().any(|block| block.is(labels));
    if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) {
        "it is a private key; take the certificate, which begins with -----BEGIN CERTIFICATE-----"
    } else if any(PUBLIC_KEYS) {
        "it is a public key; take the certificate, which begins with -----BEGIN CERTIFICATE-----"
    } else if any(REQUESTS) {
        "it is a request for a certificate; take what was made of it, which begins with -----BEGIN CERTIFICATE-----"
    } else if any(&["TRUSTED CERTIFICATE"]) {
        "it is in openssl's own format; write it in another: openssl x509 -in a.pem -out b.pem"
    } else if any(&["PKCS7", "CMS"]) {
        "it is pkcs#7; take the certificates out of it: openssl pkcs7 -in a.p7b -print_certs -out a.pem"
    } else {
        in_place_of_any(text, "it begins with -----BEGIN CERTIFICATE-----")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::pem::tests::forms, *};

    const KEY: &str = include_str!("../credential/oauth2/tests/keys/rfc7515-a3-pkcs8.pem");

    fn roots(pem: impl AsRef<[u8]>) -> Result<String, String> {
        let read = certificates_pem(pem.as_ref()).map_err(|error| {
            assert_eq!(error.kind(), ConfigErrorKind::Tls);
            let error = error.to_string();
            error.strip_prefix("there is no certificate in the pem that can be used: ").unwrap().to_owned()
        })?;
        Ok(String::from_utf8(read.to_vec()).unwrap())
    }

    #[test]
    fn certificates_are_the_same_in_every_form() {
        let one = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let two = "-----BEGIN CERTIFICATE-----\nMIICAAA=\n-----END CERTIFICATE-----\n";
        let both = format!("{one}{two}");
        for form in forms(&both) {
            assert_eq!(roots(&form).as_deref(), Ok(&*both), "{form}");
        }
        assert_eq!(roots(format!("{one}{KEY}{two}")).as_deref(), Ok(&*both), "the key is left out");
        assert_eq!(roots(one.replace("CERTIFICATE", "X509 CERTIFICATE")).as_deref(), Ok(one));
    }

    #[test]
    fn what_is_there_in_place_of_a_certificate_is_said() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nczNjcmV0\n-----END {label}-----\n");
        let take = "take the certificate, which begins with -----BEGIN CERTIFICATE-----";
        for (pem, why) in [
            (KEY.into(), format!("it is a private key; {take}")),
            (block("ENCRYPTED PRIVATE KEY"), format!("it is a private key; {take}")),
            (block("PUBLIC KEY"), format!("it is a public key; {take}")),
            (
                block("CERTIFICATE REQUEST"),
                "it is a request for a certificate; take what was made of it, which begins with \
                                            -----BEGIN CERTIFICATE-----"
                    .into(),
            ),
            (
                block("TRUSTED CERTIFICATE"),
                "it is in openssl's own format; write it in another: openssl x509 -in a.pem -out \
                                            b.pem"
                    .into(),
            ),
            (
                block("PKCS7"),
                "it is pkcs#7; take the certificates out of it: openssl pkcs7 -in a.p7b -print_certs -out \
                              a.pem"
                    .into(),
            ),
            (String::new(), "it is empty".into()),
            ("ca.pem".into(), "it is the name of a file; read the file".into()),
            ("nothing".into(), "it begins with -----BEGIN CERTIFICATE-----".into()),
            (
                format!("{}-----BEGIN CERTIFICATE-----\nMII", block("CERTIFICATE")),
                "its last line is missing, which begins with \
                                                                                   -----END"
                    .into(),
            ),
            (
                block("CERTIFICATE").replace("cz", "!"),
                "what is between its first and its last line is not base64".into(),
            ),
        ] {
            assert_eq!(roots(&pem), Err(why), "{pem}");
        }
    }
}
