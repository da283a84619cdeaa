//! [`TrustOptions`]: which servers are taken for what they say they are, and how they are reached.

use std::{fs, path::PathBuf};

use clap::{Args, ValueEnum};
use tower_reauth::{
    Client,
    client::{ClientBuilder, Identity, Roots},
};

use crate::{message::chain, mistake::Mistake};

/// Whom to trust with tokens and secrets, and the way to them.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connections")]
pub(crate) struct TrustOptions {
    /// Which root certificates are trusted. By default system
    #[arg(long, value_enum, value_name = "WHICH")]
    pub(crate) roots: Option<TrustedRoots>,

    /// Root certificates that are trusted as well, as PEM: those of an authority of one's own
    #[arg(long, value_name = "FILE")]
    pub(crate) root_cert: Option<PathBuf>,

    /// The client certificate for servers that ask for one, with its issuers' after it, as PEM
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,

    /// The private key of --client-cert, as PEM; it may be the same file
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,

    /// Go through this proxy, without credentials, and not those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    pub(crate) proxy: Option<String>,

    /// Go through no proxy, whatever HTTPS_PROXY, HTTP_PROXY and ALL_PROXY say
    #[arg(long)]
    pub(crate) no_proxy: bool,

    /// Speak HTTP/2 alone, without TLS from the first byte
    #[arg(long)]
    pub(crate) http2_prior_knowledge: bool,
}

impl TrustOptions {
    /// Whether servers that ask for a certificate get one.
    pub(crate) fn shows_certificate(&self) -> bool {
        self.client_cert.is_some()
    }

    /// What is said here, and where nothing is, what `rest` says.
    pub(crate) fn or(self, rest: Self) -> Self {
        let is_proxied = self.proxy.is_some() || self.no_proxy;
        let (proxy, no_proxy) =
            if is_proxied { (self.proxy, self.no_proxy) } else { (rest.proxy, rest.no_proxy) };
        let is_known = self.client_cert.is_some();
        let (client_cert, client_key) =
            if is_known { (self.client_cert, self.client_key) } else { (rest.client_cert, rest.client_key) };
        let http2_prior_knowledge = self.http2_prior_knowledge || rest.http2_prior_knowledge;
        Self {
            roots: self.roots.or(rest.roots),
            root_cert: self.root_cert.or(rest.root_cert),
            client_cert,
            client_key,
            proxy,
            no_proxy,
            http2_prior_knowledge,
        }
    }

    pub(crate) fn client(&self) -> Result<ClientBuilder, Mistake> {
        let roots = self.roots.unwrap_or_default();
        let mut client = Client::builder().roots(roots.into());
        match &self.root_cert {
            Some(root) => {
                let given = client.root_pem(&read("--root-cert", root)?);
                client = given.map_err(|error| {
                    Mistake::new(format!("--root-cert: {}: {}", root.display(), chain(&error)))
                })?;
            }
            None if roots == TrustedRoots::Given => {
                return Err(Mistake::new("--roots given: say by --root-cert which"));
            }
            None => {}
        }
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            let identity =
                Identity::from_pem(&read("--client-cert", certificate)?, &read("--client-key", key)?);
            client = client.identity(identity.map_err(|error| {
                let (certificate, key) = (certificate.display(), key.display());
                Mistake::new(format!("--client-cert {certificate}, --client-key {key}: {}", chain(&error)))
            })?);
        }
        if let Some(url) = &self.proxy {
            if url.contains('@') {
                return Err(Mistake::new(
                    "--proxy: leave the name and the password out, which other users of this machine could see; a URL \
                     with them may be in the environment variable ALL_PROXY",
                ));
            }
            client = client.proxy(url)?;
        }
        if self.no_proxy {
            client = client.no_proxy();
        }
        if self.http2_prior_knowledge {
            client = client.http2_prior_knowledge();
        }
        Ok(client)
    }
}

fn read(option: &str, path: &PathBuf) -> Result<Vec<u8>, Mistake> {
    fs::read(path)
        .map_err(|error| Mistake::new(format!("{option}: {} can't be read: {error}", path.display())))
}

/// Which root certificates are trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrustedRoots {
    /// The operating system's, or those that SSL_CERT_FILE names
    #[default]
    System,
    /// Mozilla's, as they were when this was built
    Bundled,
    /// Those of --root-cert alone
    Given,
}

impl From<TrustedRoots> for Roots {
    fn from(roots: TrustedRoots) -> Self {
        match roots {
            TrustedRoots::System => Self::System,
            TrustedRoots::Bundled => Self::Bundled,
            TrustedRoots::Given => Self::Given,
        }
    }
}
