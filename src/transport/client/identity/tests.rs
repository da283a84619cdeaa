#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

use std::error::Error as _;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// A certificate that is valid in these years, and its key.
fn made(years: std::ops::Range<i32>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["client.test".to_owned()]).unwrap();
    params.not_before = date_time_ymd(years.start, 1, 1);
    params.not_after = date_time_ymd(years.end, 1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn refused(chain: &str, key: &str) -> String {
    refused_as(ConfigErrorKind::Tls, chain, key)
}

fn refused_as(kind: ConfigErrorKind, chain: &str, key: &str) -> String {
    let error = Identity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

#[test]
fn both_may_be_in_one_text_in_any_order() {
    let (certificate, key) = made(2000..4000);
    for text in [
        format!("{certificate}{key}"),
        format!("{key}\n# a comment\n{certificate}").replace('\n', "\r\n"),
        format!("{certificate}{key}").replace('\n', "\\n"),
    ] {
        let identity = Identity::from_pem(text.as_bytes(), text.as_bytes()).unwrap();
        assert_eq!(format!("{identity:?}"), "Identity { certificates: 1, .. }");
    }
    let (issuer, _) = made(2000..4000);
    let identity = Identity::from_pem(format!("{certificate}{issuer}").as_bytes(), key.as_bytes()).unwrap();
    assert_eq!(format!("{identity:?}"), "Identity { certificates: 2, .. }");
}

#[test]
fn what_is_missing_is_said() {
    let (certificate, key) = made(2000..4000);
    for text in ["", "no pem at all", &key] {
        assert!(refused(text, &key).starts_with("there is no certificate in the pem"), "{text}");
    }
    for text in ["", "no pem at all", &certificate] {
        let words = refused_as(ConfigErrorKind::Secret, &certificate, text);
        assert!(words.starts_with("there is no private key in the pem"), "{words}");
    }
    let broken = certificate.replace("-----END CERTIFICATE-----", "");
    assert!(refused(&broken, &key).contains("its last line is missing"));
    let garbled = "-----BEGIN PRIVATE KEY-----\n!!s3cret!!\n-----END PRIVATE KEY-----\n";
    let words = refused_as(ConfigErrorKind::Secret, &certificate, garbled);
    assert!(words.ends_with("not base64") && !words.contains("s3cret"), "{words}");
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(refused(empty, &key), "the client certificate is malformed");
}

#[test]
fn a_key_that_belongs_to_another_certificate_is_refused() {
    let ((certificate, key), (other, other_key)) = (made(2000..4000), made(2000..4000));
    assert!(refused(&certificate, &other_key).starts_with("the private key does not belong"));
    // The client's own comes first.
    assert!(refused(&format!("{other}{certificate}"), &key).starts_with("the private key does not belong"));
}

#[test]
fn an_encrypted_key_is_said_to_be() {
    let (certificate, key) = made(2000..4000);
    let pkcs8 = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
                 -----END RSA PRIVATE KEY-----\n";
    for encrypted in [pkcs8, older] {
        let text = refused_as(ConfigErrorKind::Secret, &certificate, &format!("{certificate}{encrypted}"));
        assert!(text.ends_with("openssl pkey -in key.pem -out plain.pem"), "{text}");
        // The first key counts.
        Identity::from_pem(certificate.as_bytes(), format!("{key}{encrypted}").as_bytes()).unwrap();
    }
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let (certificate, _) = made(2000..4000);
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let error = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("it must be RSA of 2048 bits or more"), "{error}");
    assert!(error.source().is_some());
}

#[test]
fn a_certificate_that_has_expired_is_refused_and_one_for_later_is_not() {
    let (certificate, key) = made(2000..2020);
    assert!(refused(&certificate, &key).starts_with("the client certificate has expired"));
    let (certificate, key) = made(3000..4000);
    Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
}
