//! The options by which both programs are told whom to call, and with what.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tower_reauth::{Client, client::ClientBuilder};

use super::{Mistake, TrustedRoots, secret::Secret};

/// The vendors that the library knows, and OAuth 2.0 for many others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// api.video: --key, and --sandbox for a key of the sandbox
    ApiVideo,
    /// Videsk: --key, and --exports for its export endpoints
    Videsk,
    /// VIDIZMO: --domain, --email, and --password or --client-secret
    Vidizmo,
    /// Vervoe: --key and --secret
    Vervoe,
    /// Any API with OAuth 2.0 client credentials: --base-url, --token-url, --client-id and --client-secret
    Oauth2,
}

/// Whom to call, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Vendor")]
pub(crate) struct VendorOptions {
    /// Whose API is called
    #[arg(long, value_enum, value_name = "NAME", required_unless_present = "config")]
    pub(super) vendor: Option<Kind>,

    /// Another vendor, as a TOML file declares it
    #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
    pub(super) config: Option<PathBuf>,

    /// Another origin than the vendor's own: https, or http to this machine
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,

    /// api.video's sandbox instead of production
    #[arg(long)]
    pub(super) sandbox: bool,

    /// Put Videsk's key where its export endpoints want it
    #[arg(long)]
    pub(super) exports: bool,

    /// The VIDIZMO portal's host name
    #[arg(long, value_name = "HOST")]
    pub(super) domain: Option<String>,

    /// The VIDIZMO user
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,

    /// API key of api.video, Videsk or Vervoe
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(super) key: Option<Secret>,

    /// The secret that goes with Vervoe's key
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(super) secret: Option<Secret>,

    /// The VIDIZMO user's password
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(super) password: Option<Secret>,

    /// Client secret of VIDIZMO or OAuth 2.0
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(super) client_secret: Option<Secret>,

    /// OAuth 2.0: the token endpoint
    #[arg(long, value_name = "URL")]
    pub(super) token_url: Option<String>,

    /// OAuth 2.0: the client's id
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,

    /// OAuth 2.0: what to ask for, words with one space between them
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Option<String>,
}

impl VendorOptions {
    /// The options that read standard input.
    pub(crate) fn that_read_stdin(&self) -> Vec<&'static str> {
        let secrets = [
            ("--key", &self.key),
            ("--secret", &self.secret),
            ("--password", &self.password),
            ("--client-secret", &self.client_secret),
        ];
        let reads = |(option, secret): (_, &Option<_>)| (*secret == Some(Secret::Stdin)).then_some(option);
        secrets.into_iter().filter_map(reads).collect()
    }

    /// An error if there is an option that nobody has taken: one of another vendor's.
    pub(super) fn refuse_rest(&self, taker: &str) -> Result<(), Mistake> {
        let rest = [
            ("--base-url", self.base_url.is_some()),
            ("--sandbox", self.sandbox),
            ("--exports", self.exports),
            ("--domain", self.domain.is_some()),
            ("--email", self.email.is_some()),
            ("--key", self.key.is_some()),
            ("--secret", self.secret.is_some()),
            ("--password", self.password.is_some()),
            ("--client-secret", self.client_secret.is_some()),
            ("--token-url", self.token_url.is_some()),
            ("--client-id", self.client_id.is_some()),
            ("--scope", self.scope.is_some()),
        ];
        match rest.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Mistake::new(format!("{option} means nothing to {taker}; leave it out")))
            }
            None => Ok(()),
        }
    }
}

/// Whom to trust with all that.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Connections")]
pub(crate) struct TrustOptions {
    /// Which root certificates are trusted
    #[arg(long, value_enum, value_name = "WHICH", default_value = "system")]
    roots: TrustedRoots,
}

impl TrustOptions {
    pub(crate) fn client(self) -> ClientBuilder {
        Client::builder().roots(self.roots.into())
    }
}

/// More than one option that wants standard input.
pub(crate) fn one_reader(options: &[&str]) -> Result<(), Mistake> {
    match options {
        [_, _, ..] => {
            let list = options.join(" and ");
            Err(Mistake::new(format!(
                "{list} can't both read standard input; use env: or file: for a secret"
            )))
        }
        _ => Ok(()),
    }
}
