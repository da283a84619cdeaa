//! The keys that sign them: which there are, how they may be written, and the certificates that belong to them.

use base64::prelude::BASE64_STANDARD;
use ring::hmac::{HMAC_SHA384, HMAC_SHA512};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::*;

#[tokio::test]
async fn every_algorithms_signature_can_be_verified() {
    let n = decode(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF\
         d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo\
         7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
         Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    let rsa = RsaPublicKeyComponents { n, e: vec![1, 0, 1] };
    for (key, name, algorithm) in [
        (JwtKey::rs256(RSA), "RS256", &RSA_PKCS1_2048_8192_SHA256),
        (JwtKey::rs384(RSA), "RS384", &RSA_PKCS1_2048_8192_SHA384),
        (JwtKey::rs512(RSA), "RS512", &RSA_PKCS1_2048_8192_SHA512),
        (JwtKey::ps256(RSA), "PS256", &RSA_PSS_2048_8192_SHA256),
    ] {
        let (stated, message, signature) = signed(key.unwrap()).await;
        assert_eq!(stated, name);
        rsa.verify(algorithm, &message, &signature).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    let p256 = [
        vec![4],
        decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    let (stated, message, signature) = signed(JwtKey::es256(EC).unwrap()).await;
    assert_eq!(stated, "ES256");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p256.concat()).verify(&message, &signature).unwrap();

    // RFC 6979 §A.2.6.
    let p384 = [
        vec![4],
        decode("7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT"),
        decode("gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg"),
    ];
    let (stated, message, signature) = signed(JwtKey::es384(EC_384).unwrap()).await;
    assert_eq!(stated, "ES384");
    UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, p384.concat()).verify(&message, &signature).unwrap();

    let ed25519 = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let (stated, message, signature) = signed(JwtKey::eddsa(ED).unwrap()).await;
    assert_eq!(stated, "EdDSA");
    UnparsedPublicKey::new(&ED25519, ed25519).verify(&message, &signature).unwrap();
}

#[tokio::test]
async fn a_shared_secret_signs_too() {
    let secret = "a secret of 64 bytes, which the server has as well as the client";
    assert_eq!(secret.len(), 64);
    for (key, name, algorithm) in [
        (JwtKey::hs256(&secret.as_bytes()[..32]), "HS256", HMAC_SHA256),
        (JwtKey::hs384(&secret.as_bytes()[..48]), "HS384", HMAC_SHA384),
        (JwtKey::hs512(secret.as_bytes()), "HS512", HMAC_SHA512),
    ] {
        let length = algorithm.digest_algorithm().output_len();
        let (stated, message, signature) = signed(key.unwrap()).await;
        assert_eq!((stated, signature.len()), (json!(name), length));
        hmac::verify(&hmac::Key::new(algorithm, &secret.as_bytes()[..length]), &message, &signature).unwrap();
    }
    let short = |length: usize| secret.as_bytes()[..length].to_vec();
    for (result, says) in [
        (JwtKey::hs256(&short(31)), "too short for HS256, which needs 32 bytes"),
        (JwtKey::hs384(&short(47)), "too short for HS384, which needs 48 bytes"),
        (JwtKey::hs512(&short(63)), "too short for HS512, which needs 64 bytes"),
        (JwtKey::hs256(RSA), "it is pem, whereas the secret of HS256 is one that the server has too"),
        (JwtKey::hs256(EC), "a private key has another algorithm"),
        (
            JwtKey::hs256(secret.as_bytes())
                .unwrap()
                .x5t(include_bytes!("../keys/rfc7515-a3-certificate.pem")),
            "a secret that is shared has no certificate",
        ),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Secret);
        assert!(error.to_string().contains(says) && !error.to_string().contains("a secret of 64"), "{error}");
    }
}

#[tokio::test]
async fn a_key_may_be_read_for_each_jwt() {
    let file = TempFile::new("jwt-read", EC);
    let jwt = || JwtAssertion::reading(JwtAlgorithm::Es256, SecretSource::file(file.path()), "my-client");
    let server = Server::healthy();
    let build = |jwt: JwtAssertion| {
        let client = ClientAuthentication::assertion("my-client", jwt);
        ClientCredentials::new(URL, client).build(server.transport())
    };
    let credential = build(jwt().header("kid", "k1")).unwrap();
    acquire(&credential).await.unwrap();
    let (header, _) = parts(server.only().field("client_assertion").unwrap());
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": "k1"}));
    file.write(RSA);
    let error = acquire(&credential).await.unwrap_err();
    assert_eq!((error.kind(), server.seen().len()), (AcquireErrorKind::NoSecret, 1));
    assert!(printed(&error).contains("no usable p-256 key"), "{}", printed(&error));
    // What is wrong from the beginning is refused then.
    for (jwt, kind, says) in [
        (jwt(), ConfigErrorKind::Secret, "no usable p-256 key"),
        (jwt().lifetime(Duration::ZERO), ConfigErrorKind::Declaration, "0 s"),
        (jwt().header("alg", "none"), ConfigErrorKind::Declaration, "header alg"),
    ] {
        let error = build(jwt).unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(says), "{error}");
    }
    file.remove();
    let error = build(jwt()).unwrap_err();
    assert!(error.to_string().contains(&format!("file:{}", file.path().display())), "{error}");
    file.write(EC);
    let closure = SecretSource::from_fn(|| async { Ok(std::str::from_utf8(EC)?.into()) });
    let jwt = JwtAssertion::reading(JwtAlgorithm::Es256, closure, "my-client");
    acquire(&build(jwt).unwrap()).await.unwrap();
}

#[tokio::test]
async fn another_key_than_the_one_that_was_refused_is_tried_at_once() {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    let pem = |algorithm| KeyPair::generate_for(algorithm).unwrap().serialize_pem();
    let text = |pem: &[u8]| std::str::from_utf8(pem).unwrap().to_owned();
    for (algorithm, key, other) in [
        (JwtAlgorithm::Es256, text(EC), pem(&PKCS_ECDSA_P256_SHA256)),
        (JwtAlgorithm::Es384, text(EC_384), pem(&PKCS_ECDSA_P384_SHA384)),
        (JwtAlgorithm::EdDsa, text(ED), pem(&PKCS_ED25519)),
        (
            JwtAlgorithm::Hs256,
            "one secret of 32 or more bytes...".into(),
            "two secret of 32 or more bytes...".into(),
        ),
    ] {
        let file = TempFile::new(&format!("jwt-refused-{algorithm}"), &key);
        let jwt = || JwtAssertion::reading(algorithm, SecretSource::file(file.path()), "my-client");
        let client = ClientAuthentication::assertion("my-client", jwt());
        let server = Server::answering([(401, json!({"error": "invalid_client"}))]);
        let as_client = ClientCredentials::new(URL, client).build(server.transport()).unwrap();
        let server = Server::answering([(400, json!({"error": "invalid_grant"}))]);
        let as_grant = JwtBearer::new(URL, ClientAuthentication::unidentified(), jwt());
        let as_grant = as_grant.build(server.transport()).unwrap();
        let server = Server::answering([(401, json!({}))]);
        let request = TokenRequest::post("/token").bearer(jwt());
        let endpoint = TokenEndpoint::new("Acme", "https://api.example.com", request);
        let as_bearer = endpoint.build(server.transport()).unwrap();
        let anew = || [as_client.has_new_secret(), as_grant.has_new_secret(), as_bearer.has_new_secret()];
        assert_eq!(anew(), [false; 3], "nothing was refused");
        acquire(&as_client).await.unwrap_err();
        acquire(&as_grant).await.unwrap_err();
        Credential::acquire(&as_bearer, Acquire::new(Reason::Cold, None)).await.unwrap_err();
        for (content, is_new) in [(&key, false), (&other, true), (&key, false), (&"no key".to_owned(), false)]
        {
            file.write(content);
            assert_eq!(anew(), [is_new; 3], "{algorithm}");
        }
    }
}

/// The algorithm that a JWT of `key` states, what is signed, and the signature.
async fn signed(key: JwtKey) -> (Value, Vec<u8>, Vec<u8>) {
    let jwts = client_assertions(key, 1).await;
    let (message, signature) = jwts[0].rsplit_once('.').unwrap();
    (parts(message).0["alg"].clone(), message.as_bytes().to_vec(), decode(signature))
}

#[tokio::test]
async fn certificates_are_named_by_the_thumbprints_that_openssl_computes() {
    for (key, certificate, sha1, sha256) in [
        (
            JwtKey::rs256(RSA).unwrap(),
            &include_bytes!("../keys/rfc7515-a2-certificate.pem")[..],
            "ypKZx0DK-vOBPvqiPyDi7Gnzr0s",
            "qQPnjgHK5p3xByItMleR-va4ilnMhWEsb4wKw0ZF50Y",
        ),
        (
            JwtKey::es256(EC).unwrap(),
            include_bytes!("../keys/rfc7515-a3-certificate.pem"),
            "U3x3RwhP33ueQUz9K-VGKaOEzQE",
            "95kiTeEZuT85H29oq77DlGhZHWTHmqQNd4mHatQ0FWk",
        ),
        (
            JwtKey::eddsa(ED).unwrap(),
            include_bytes!("../keys/rfc8037-a-certificate.pem"),
            "iTduRI4los7jQTo8GqgScdW1WYs",
            "blsySYRSY_oTaq2lD3oPfb026IBmtNQ08uI7iG5xO1k",
        ),
    ] {
        let der = CertificateDer::from_pem_slice(certificate).unwrap();
        let lines = std::str::from_utf8(certificate).unwrap();
        let as_a_variable_keeps_it = lines.replace('\n', "\\n");
        let with_another_behind_it =
            [certificate, include_bytes!("../keys/rfc7515-a2-certificate.pem")].concat();
        for form in [certificate, &der, as_a_variable_keeps_it.as_bytes(), &with_another_behind_it] {
            let key = key.clone().x5t(form).unwrap().x5t_s256(form).unwrap();
            let (header, _) = granted(JwtAssertion::new(key, "robot")).await;
            let expected = json!({"alg": header["alg"], "typ": "JWT", "x5t": sha1, "x5t#S256": sha256});
            assert_eq!(header, expected);
        }
    }
}

#[test]
fn what_is_no_certificate_of_the_key_is_refused() {
    let certificate = include_bytes!("../keys/rfc7515-a3-certificate.pem");
    let der = CertificateDer::from_pem_slice(certificate).unwrap();
    let longer = [&der[..], b"\n"].concat();
    let torn = b"-----BEGIN CERTIFICATE-----\ns3cret!!\n-----END CERTIFICATE-----\n";
    let no_der = b"-----BEGIN CERTIFICATE-----\nczNjcmV0\n-----END CERTIFICATE-----\n";
    for (wrong, why) in [
        (EC, "no certificate in the pem that can be used: it is a private key; take the certificate"),
        (b"", "no certificate in the pem"),
        (torn, "no certificate in the pem"),
        (no_der, "torn"),
        (&der[..der.len() - 1], "no certificate in the pem"),
        (&longer, "no certificate in the pem"),
        (include_bytes!("../keys/rfc7515-a2-certificate.pem"), "another key"),
        (include_bytes!("../keys/rfc8037-a-certificate.pem"), "another key"),
    ] {
        let key = JwtKey::es256(EC).unwrap();
        for error in [key.clone().x5t(wrong).unwrap_err(), key.x5t_s256(wrong).unwrap_err()] {
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            let text = format!("{error} {error:?}");
            assert!(text.contains(why) && !text.contains("s3cret"), "{text}");
        }
    }
}

#[test]
fn a_key_may_be_written_as_variables_keep_it() {
    let lines = |pem: &[u8]| String::from_utf8(pem.to_vec()).unwrap();
    for pem in [lines(RSA), lines(EC), lines(ED)] {
        for pem in [
            pem.replace('\n', "\\n"),
            pem.trim().replace('\n', " "),
            format!("\u{feff}\"{}\"\r\n", pem.replace('\n', "\r\n")),
            BASE64_STANDARD.encode(&pem),
        ] {
            let made = [JwtKey::rs256, JwtKey::es256, JwtKey::eddsa].map(|make| make(pem.as_bytes()).is_ok());
            assert_eq!(made.iter().filter(|made| **made).count(), 1, "{pem}");
        }
    }
}

#[test]
fn a_key_that_is_none_says_what_it_is_and_what_to_do() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nczNjcmV0\n-----END {label}-----\n");
    for (pem, words) in [
        (block("ENCRYPTED PRIVATE KEY"), "openssl pkey -in key.pem -out plain.pem"),
        (block("PUBLIC KEY"), "it is a public key"),
        (block("CERTIFICATE"), "it is a certificate"),
    ] {
        for make in [JwtKey::rs256, JwtKey::es256, JwtKey::eddsa] {
            let error = make(pem.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Secret);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let sec1 = String::from_utf8(include_bytes!("../keys/rfc7515-a3-sec1.pem").to_vec()).unwrap();
    let error = JwtKey::es256(sec1.replace('\n', "\\n").as_bytes()).unwrap_err().to_string();
    assert!(error.contains("openssl pkcs8 -topk8 -nocrypt converts it"), "{error}");
}

#[test]
fn what_is_no_key_of_the_kind_is_refused_and_not_shown() {
    let sec1 = include_bytes!("../keys/rfc7515-a3-sec1.pem");
    let torn = b"-----BEGIN PRIVATE KEY-----\ns3cret!!\n-----END PRIVATE KEY-----\n";
    for result in [
        JwtKey::rs256(EC),
        JwtKey::rs256(b""),
        JwtKey::rs256(torn),
        JwtKey::es256(RSA),
        JwtKey::es256(ED),
        JwtKey::es256(EC_384),
        JwtKey::es384(EC),
        JwtKey::es384(RSA),
        JwtKey::rs384(EC),
        JwtKey::rs512(ED),
        JwtKey::ps256(EC),
        JwtKey::es256(sec1),
        JwtKey::eddsa(EC),
        JwtKey::eddsa(b"s3cret"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Secret);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    let shown = format!("{:?}", JwtKey::es256(EC).unwrap().key_id("k1"));
    assert_eq!(shown, r#"JwtKey { algorithm: "ES256", key_id: Some("k1"), .. }"#);
}
