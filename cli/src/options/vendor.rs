//! [`VendorOptions`]: whom to call, and as whom. What comes of them is for `crate::vendor` to say.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use http::{Uri, uri::Scheme};

use super::{
    client_auth::{ClientAuth, ClientAuthOptions},
    input::Input,
    login::LoginOptions,
    secret::Secret,
    trust::TrustOptions,
    vendor_name::{Kind, VendorName},
};
use crate::{command::SecretCommand, mistake::Mistake};

/// Whom to call, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Vendor")]
pub(crate) struct VendorOptions {
    /// A credential of the configuration file, which has all that the options here would say, and more: a secret may be what
    /// a command prints
    #[arg(long = "as", value_name = "NAME", conflicts_with_all = ["vendor", "config"])]
    pub(crate) name: Option<String>,

    /// The configuration file. By default the one that REAUTH_CONFIG names, or reauth/config.toml where XDG_CONFIG_HOME is,
    /// which is usually ~/.config
    #[arg(long, value_name = "FILE", requires = "name")]
    pub(crate) file: Option<PathBuf>,

    #[arg(long, value_parser = VendorName::parser(), help = VendorName::help(), value_name = "NAME")]
    pub(crate) vendor: Option<Kind>,

    /// Another vendor, as a TOML file declares it
    #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
    pub(crate) config: Option<PathBuf>,

    /// Fill in what an entry of the catalogue or a file leaves open, once for each input: env:VARIABLE, file:PATH or - for a
    /// secret, and text:VALUE for anything else
    #[arg(long, value_name = "NAME=VALUE", value_parser = Input::parser())]
    pub(crate) set: Vec<Input>,

    /// Another origin than the vendor's own: https, or http to this machine. It may have a path, such as a gateway's
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Let secrets and tokens travel in plain text over http, where everybody on the way can read them
    #[arg(long)]
    pub(crate) allow_plaintext_secrets: bool,

    /// api.video's sandbox instead of production
    #[arg(long)]
    pub(crate) sandbox: bool,

    /// Put Videsk's key where its export endpoints want it
    #[arg(long)]
    pub(crate) exports: bool,

    /// The VIDIZMO portal's host name
    #[arg(long, value_name = "HOST")]
    pub(crate) domain: Option<String>,

    /// The VIDIZMO user
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,

    /// API key of api.video, Videsk or Vervoe
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) key: Option<Secret>,

    /// The secret that goes with Vervoe's key
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) secret: Option<Secret>,

    /// The VIDIZMO user's password
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) password: Option<Secret>,

    /// Client secret of VIDIZMO or OAuth 2.0
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) client_secret: Option<Secret>,

    /// OAuth 2.0: the token endpoint
    #[arg(long, value_name = "URL")]
    pub(crate) token_url: Option<String>,

    /// OAuth 2.0: the client's id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,

    /// OAuth 2.0: what to ask for, words with one space between them
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Option<String>,

    #[command(flatten)]
    pub(crate) client: ClientAuthOptions,

    /// How somebody logs in. The command line has no login.
    #[arg(skip)]
    pub(crate) login: Option<LoginOptions>,
}

impl VendorOptions {
    /// The secrets, each with its option. Those of `--set` are none of them.
    fn secrets(&self) -> [(&'static str, &Option<Secret>); 5] {
        [
            ("--key", &self.key),
            ("--secret", &self.secret),
            ("--password", &self.password),
            ("--client-secret", &self.client_secret),
            ("--jwt-key", &self.client.jwt_key),
        ]
    }

    /// Whether nothing says whom to call.
    pub(crate) fn is_nobody(&self) -> bool {
        self.name.is_none() && self.vendor.is_none() && self.config.is_none()
    }

    /// The commands that print secrets.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &SecretCommand> {
        let secrets = self.secrets().into_iter().filter_map(|(_, secret)| secret.as_ref());
        secrets.chain(self.set.iter().filter_map(Input::as_secret)).filter_map(Secret::command)
    }

    /// How long the slowest command may take that prints a secret; zero if there is none.
    pub(crate) fn longest_command(&self) -> Duration {
        self.commands().map(SecretCommand::limit).max().unwrap_or_default()
    }

    /// The options that read standard input.
    pub(crate) fn that_read_stdin(&self) -> Vec<&'static str> {
        let reads = |(option, secret): (_, &Option<_>)| (*secret == Some(Secret::Stdin)).then_some(option);
        let inputs = self.set.iter().filter(|input| input.reads_stdin()).map(|_| "--set");
        self.secrets().into_iter().filter_map(reads).chain(inputs).collect()
    }

    /// An error if the certificate by which a client is to be known wouldn't be shown.
    pub(crate) fn check(&self, trust: &TrustOptions) -> Result<(), Mistake> {
        if (self.vendor, self.client.client_auth) != (Some(Kind::Oauth2), Some(ClientAuth::Tls)) {
            return Ok(());
        }
        if !trust.shows_certificate() {
            return Err(Mistake::new("--client-auth tls needs --client-cert and --client-key"));
        }
        match self.token_url.as_deref().unwrap_or_default().parse::<Uri>() {
            Ok(url) if url.scheme() == Some(&Scheme::HTTP) => Err(Mistake::new(
                "--client-auth tls: --token-url is http, over which no certificate is shown; use https",
            )),
            _ => Ok(()),
        }
    }

    /// An error if there is an option that nobody has taken: one of another vendor's.
    pub(crate) fn refuse_rest(&self, taker: &str) -> Result<(), Mistake> {
        let rest = [
            ("--set", !self.set.is_empty()),
            ("--base-url", self.base_url.is_some()),
            ("--allow-plaintext-secrets", self.allow_plaintext_secrets),
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
            ("--client-auth", self.client.client_auth.is_some()),
            ("--jwt-key", self.client.jwt_key.is_some()),
            ("--jwt-algorithm", self.client.jwt_algorithm.is_some()),
            ("--jwt-key-id", self.client.jwt_key_id.is_some()),
            ("--jwt-audience", self.client.jwt_audience.is_some()),
        ];
        match rest.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Mistake::new(format!("{option} means nothing to {taker}; leave it out")))
            }
            None => Ok(()),
        }
    }
}
