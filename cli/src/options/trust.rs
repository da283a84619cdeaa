//! [`TrustOptions`]: which servers are taken for what they say they are.

use clap::{Args, ValueEnum};
use tower_reauth::{
    Client,
    client::{ClientBuilder, Roots},
};

/// Whom to trust with tokens and secrets.
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

/// Which root certificates are trusted.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TrustedRoots {
    /// The operating system's, or those that SSL_CERT_FILE names
    System,
    /// Mozilla's, as they were when this was built
    Bundled,
}

impl From<TrustedRoots> for Roots {
    fn from(roots: TrustedRoots) -> Self {
        match roots {
            TrustedRoots::System => Self::System,
            TrustedRoots::Bundled => Self::Bundled,
        }
    }
}
