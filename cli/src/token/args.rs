//! The command line of `reauth token`.

use std::time::Duration;

use clap::{ValueEnum, builder::Resettable};

use crate::options::{WhomOptions, seconds};

const AFTER: &str = "\
Examples:
  curl -H \"Authorization: Bearer $(reauth token videos)\" https://api.example.com/videos
  reauth token videos --json | jq -r .expires_at

Credential helpers:
  git      git config --global credential.https://git.example.com.helper '!reauth token work --for git'
           Git adds get, store or erase, and writes what it wants to know on standard input.
  docker   A script `docker-credential-work` in PATH, with `exec reauth token work --for docker \"$@\"`, and in
           ~/.docker/config.json: \"credHelpers\": { \"registry.example.com\": \"work\" }
  kubectl  In the kubeconfig, as the user's exec: command: reauth, args: [token, work, --for, kubectl],
           apiVersion: client.authentication.k8s.io/v1, provideClusterInfo: true, interactiveMode: Never

  A helper answers get alone, over https, and for the credential's own host: that of the vendor's base URL, and below
  its path if it has one; Git says the path with credential.useHttpPath. To anything else it prints nothing, and to
  Docker what that takes for nothing. What other operations bring is neither kept nor forgotten. What has a line break
  or a NUL where none may be is refused.

A token is taken from the store if one is configured, and acquired otherwise. Nothing here logs in: where nobody has, it says so.

Exit status:
  0    a token was printed, or there is nothing that a helper may say
  1    what a helper was asked makes no sense, or the output can't be written; for Docker, and with kubectl, also that
       there is nothing it may say
  2    wrong usage, or a configuration that can't work
  3    there is no token: the vendor refused the credentials, its token endpoint doesn't work, or a secret can't be had";

/// Prints a valid token, and nothing else.
#[derive(Debug, clap::Args)]
// The name is a word here, which `--file` goes with as it does with `--as`.
#[command(after_help = AFTER, mut_arg("file", |file| file.requires(Resettable::Reset)))]
pub(crate) struct Args {
    /// The credential of the configuration file, as --as has it; and what git and Docker add to their helper's command
    #[arg(value_name = "NAME", num_args = 0..=2)]
    words: Vec<String>,

    /// Print JSON: the token, when it expires, in how many seconds, and the header and the scheme that it goes with
    #[arg(long, conflicts_with = "helper")]
    pub(crate) json: bool,

    /// Answer as a credential helper
    #[arg(long = "for", value_enum, value_name = "PROGRAM")]
    pub(crate) helper: Option<Helper>,

    /// The user's name that goes with the token, for git and Docker
    #[arg(long, value_name = "NAME", value_parser = username, requires = "helper", default_value = "oauth2")]
    pub(crate) username: String,

    /// How long the token has to be valid at least, in seconds, if such a token can be had
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) min_ttl: Duration,

    #[command(flatten)]
    pub(crate) whom: WhomOptions,
}

/// Whose credential helper it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Helper {
    /// git-credential's protocol
    Git,
    /// That of docker-credential-helpers
    Docker,
    /// An ExecCredential of Kubernetes
    Kubectl,
}

/// What the words of a command line are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// The name of a credential.
    pub(crate) name: Option<String>,
    /// What git or Docker wants.
    pub(crate) operation: Option<String>,
}

impl Args {
    /// The words, of which the last is the operation, if there has to be one.
    pub(crate) fn words(&self) -> Result<Words, String> {
        let mut words = self.words.clone();
        let operation = match self.helper {
            Some(Helper::Git | Helper::Docker) => Some(
                words.pop().ok_or("what is to be done is missing: git and Docker add get, store or erase")?,
            ),
            _ => None,
        };
        let name = words.pop();
        match (words.pop(), &name, &self.whom.vendor.name) {
            (None, Some(_), Some(_)) => Err("the name is given twice; leave --as out".to_owned()),
            (None, ..) => Ok(Words { name, operation }),
            _ => Err("there is one word too many".to_owned()),
        }
    }
}

fn username(text: &str) -> Result<String, String> {
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err("write a name without line breaks and other control characters".to_owned()),
        false => Ok(text.to_owned()),
    }
}
