//! A certificate authority, the certificates that it has issued, and some that it hasn't.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tower_reauth::client::{self, Client, Roots};

/// Who is who in TLS.
pub(crate) struct Certificates {
    ca: CertifiedIssuer<'static, KeyPair>,
    server: Identity,
    /// Of the authority, for `client.example.com`.
    pub(crate) client: Identity,
    /// Of the authority, for somebody else.
    pub(crate) other: Identity,
    /// Of nobody but themselves. The server knows the first one.
    pub(crate) self_signed: Identity,
    pub(crate) unknown: Identity,
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    fn issued(name: &str, issuer: Option<&CertifiedIssuer<'static, KeyPair>>) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        // With the authority's name, OpenSSL would take it for self-signed.
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        Self { certificate, key }
    }

    /// As tokens that are bound to it have it (RFC 8705 §3.1).
    pub(crate) fn thumbprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, self.certificate.der()))
    }
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self {
            server: Identity::issued("127.0.0.1", Some(&ca)),
            client: Identity::issued("client.example.com", Some(&ca)),
            other: Identity::issued("other.example.com", Some(&ca)),
            self_signed: Identity::issued("self.example.com", None),
            unknown: Identity::issued("self.example.com", None),
            ca,
        }
    }

    /// What the server has to know.
    pub(crate) fn for_server(&self) -> Value {
        json!({
            "ca": self.ca.pem(),
            "cert": self.server.certificate.pem(),
            "key": self.server.key.serialize_pem(),
            "self_signed": self.self_signed.certificate.pem(),
        })
    }

    /// A client that trusts the authority, and shows a certificate if it has one.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> Client {
        let builder = Client::builder().roots(Roots::Given).root_der(self.ca.der()).unwrap();
        match identity {
            Some(Identity { certificate, key }) => {
                let (certificate, key) = (certificate.pem(), key.serialize_pem());
                let identity = client::Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
                builder.identity(identity)
            }
            None => builder,
        }
        .build()
        .unwrap()
    }
}
