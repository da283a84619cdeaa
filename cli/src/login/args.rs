//! The command lines of `reauth login`, `logout` and `status`.

use std::{path::PathBuf, time::Duration};

use crate::options::{TrustOptions, Way, seconds};

const LOGIN: &str = "\
Examples:
  reauth login work                 in a browser on this machine
  reauth login work --no-browser    prints the address to be opened
  reauth login work --by device     on another device, by a code that is entered there

  [credentials.work]
  vendor = \"oauth2\"
  base-url = \"https://api.example.com\"
  client-id = \"my-app\"
  scope = \"openid offline_access\"
  login = { issuer = \"https://login.example.com\" }

The answer of a browser comes to 127.0.0.1 at a free port, or at login.port, and below it to /callback, which the server
has to allow as a redirect URI. Only an answer to this login is taken, and only one, within five minutes.

Exit status:
  0  somebody is logged in
  1  something on this machine: the store doesn't work, or there is nowhere to listen
  2  wrong usage, or a configuration that can't work
  3  nobody is logged in: the server or the person said no, or the server doesn't work
  7  nobody has logged in in time";

const LOGOUT: &str = "\
Examples:
  reauth logout work
  reauth logout work --file other.toml

The tokens are gone from the store first, for all programs that share it, and then the server is told (RFC 7009), if it can
be: by its metadata, or login.revocation-url.

Exit status:
  0  nobody is logged in any more
  1  the store couldn't be told
  2  wrong usage, or a configuration that can't work
  3  the tokens are gone from the store, but the server couldn't be told, and may take them until they expire";

const STATUS: &str = "\
Examples:
  reauth status                                      of all credentials
  reauth status work || reauth login work            logs in if nobody has
  reauth status --json | jq -r '.name, .state'

What is said of a credential, and with --json in `state`:
  logged-in    there is a refresh token, or a token that has not expired
  in-doubt     the refresh token may have been sent, and nobody has heard what came of it; the next use tells
  dead         the server has refused the refresh token; log in again
  logged-out   nobody has logged in
  token        there is a token, and nobody has to log in for it
  none         there is no token yet, and nobody has to log in for it
  no-store     nothing is remembered of it
  unknown      its configuration or its store doesn't work; `why` says more

With --json there are also `expires_in`, the seconds until its token expires, and `renewable`, whether that can be renewed without
anybody who logs in. Each is null where it isn't known.

No server is asked, so that a login that was ended elsewhere is seen at its next use.

Exit status:
  0  nobody has to log in
  1  something couldn't be told
  2  wrong usage, or a configuration that can't work
  3  a login is dead, or nobody has logged in";

/// Has somebody log in, and remembers their tokens.
#[derive(Debug, clap::Args)]
#[command(after_help = LOGIN)]
pub(crate) struct LoginArgs {
    /// The credential of the configuration file, which has a login
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The configuration file; see `reauth call --help`
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Print the address and open no browser
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// How to log in. By default as the configuration says
    #[arg(long, value_enum, value_name = "WAY")]
    pub(crate) by: Option<Way>,

    /// How long to wait for it, in seconds, at most 300
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = at_most_five_minutes)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) trust: TrustOptions,
}

/// Forgets somebody's tokens, and has the server revoke them.
#[derive(Debug, clap::Args)]
#[command(after_help = LOGOUT)]
pub(crate) struct LogoutArgs {
    /// The credential of the configuration file
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The configuration file; see `reauth call --help`
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) trust: TrustOptions,
}

/// Says who is logged in, by what the store has.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub(crate) struct StatusArgs {
    /// A credential of the configuration file. By default all of them
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// The configuration file; see `reauth call --help`
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Print JSON, one object for each credential
    #[arg(long)]
    pub(crate) json: bool,
}

fn at_most_five_minutes(text: &str) -> Result<Duration, String> {
    let limit = seconds(text)?;
    if limit > Duration::from_secs(300) { Err("at most 300".to_owned()) } else { Ok(limit) }
}
