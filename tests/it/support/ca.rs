//! A certificate authority of the test's own.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion, crypto,
        pki_types::CertificateDer,
        server::{WantsServerCert, WebPkiClientVerifier},
    },
};
use tower_reauth::{Client, client::Roots};

pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new() -> Self {
        // By name, a stranger would be taken for this one, whose signature is then a wrong one.
        static NAMED: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::default();
        let name = format!("authority {}", NAMED.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn der(&self) -> &[u8] {
        self.0.der()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A client that trusts nobody else.
    pub(crate) fn client(&self) -> Client {
        Client::builder().roots(Roots::Given).root_der(self.der()).unwrap().build().unwrap()
    }

    pub(crate) fn acceptor(&self, name: &str, offered: &[&str]) -> TlsAcceptor {
        self.acceptor_in(name, offered, 1975..4096)
    }

    /// With a certificate that is valid in these years.
    pub(crate) fn acceptor_in(&self, name: &str, offered: &[&str], years: Range<i32>) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        self.certified(config, name, offered, years)
    }

    /// Of a server that wants a client certificate from this authority.
    pub(crate) fn strict_acceptor(
        &self,
        name: &str,
        offered: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.der())).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier);
        self.certified(config, name, offered, 1975..4096)
    }

    /// A client's certificate that is valid in these years, and its key, both as PEM.
    pub(crate) fn client_certificate(&self, years: Range<i32>) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (self.certify("client.test", &key, years).pem(), key.serialize_pem())
    }

    /// A certificate for whoever has `key`, as PEM.
    pub(crate) fn certificate_for(&self, name: &str, key: &KeyPair) -> String {
        self.certify(name, key, 1975..4096).pem()
    }

    fn certified(
        &self,
        config: ConfigBuilder<ServerConfig, WantsServerCert>,
        name: &str,
        offered: &[&str],
        years: Range<i32>,
    ) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = self.certify(name, &key, years);
        let mut config = config.with_single_cert(vec![certificate.into()], key.into()).unwrap();
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    fn certify(&self, name: &str, key: &KeyPair, years: Range<i32>) -> Certificate {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        params.signed_by(key, &self.0).unwrap()
    }
}

fn provider() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}
