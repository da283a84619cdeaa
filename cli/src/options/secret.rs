//! [`Secret`]: where a secret is to be read. The command line never holds the secret itself.

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use clap::builder::TypedValueParser;
use tower_reauth::SecretSource;

use super::quiet::Quiet;
use crate::{command::SecretCommand, mistake::Mistake};

/// The longest line that is taken for a secret, in bytes.
const MAX_LEN: u64 = 64 * 1024;

const HOW: &str = "write env:NAME for an environment variable, file:PATH for a file, or - for a line of standard \
     input; not the secret itself, which the list of processes would show to everybody on this machine, and the \
     shell's history would keep";

/// A secret by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secret {
    Env(String),
    File(PathBuf),
    Stdin,
    /// What another program prints. The command line has none of these, but the configuration file may.
    Command(SecretCommand),
}

impl Secret {
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        Quiet(|text| Self::parse(text).ok_or_else(|| HOW.to_owned()))
    }

    /// What a vendor is given: a file to be read at each acquisition, since it may be changed meanwhile, or the
    /// secret as it is now. So is one that can be read only once, such as the `<(pass show key)` of a shell. `option` names it in errors.
    pub(crate) fn source(&self, option: &str) -> Result<SecretSource, Mistake> {
        let (secret, place) = match self {
            Self::File(path) if is_stream(path) => (whole(path), format!("{}", path.display())),
            Self::File(path) => return Ok(SecretSource::file(path)),
            Self::Command(command) => return Ok(command.source()),
            Self::Env(name) => (variable(name), format!("the environment variable {name}")),
            Self::Stdin => (line(io::stdin()), "standard input".to_owned()),
        };
        // As one in a file, it ends before the line does.
        match secret.map(|secret| secret.trim_end_matches(['\r', '\n']).to_owned()) {
            Ok(secret) if secret.is_empty() => {
                Err(Mistake::new(format!("{option}: {place} has no secret; it is empty")))
            }
            Ok(secret) => Ok(secret.into()),
            Err(error) => Err(Mistake::new(format!("{option}: {place} can't be read: {error}"))),
        }
    }

    /// The secret as it is now, for the program's own use. A command is not asked.
    pub(crate) fn read(&self, option: &str) -> Result<String, Mistake> {
        let (secret, place) = match self {
            Self::File(path) => (fs::read_to_string(path), path.display().to_string()),
            Self::Env(name) => (variable(name), format!("the environment variable {name}")),
            Self::Stdin => (line(io::stdin()), "standard input".to_owned()),
            Self::Command(_) => {
                return Err(Mistake::new(format!("{option}: write env: or file:, and no command")));
            }
        };
        match secret.map(|secret| secret.trim_end_matches(['\r', '\n']).to_owned()) {
            Ok(secret) if secret.is_empty() => {
                Err(Mistake::new(format!("{option}: {place} has no secret; it is empty")))
            }
            Ok(secret) => Ok(secret),
            Err(error) => Err(Mistake::new(format!("{option}: {place} can't be read: {error}"))),
        }
    }

    /// What prints it, if something does.
    pub(crate) fn command(&self) -> Option<&SecretCommand> {
        match self {
            Self::Command(command) => Some(command),
            _ => None,
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => {
                Some(Self::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path.into())),
            None if text == "-" => Some(Self::Stdin),
            _ => None,
        }
    }
}

fn variable(name: &str) -> io::Result<String> {
    // `VarError` would show what is not unicode.
    let value = env::var_os(name).ok_or_else(|| io::Error::other("it is not set"))?;
    value.into_string().map_err(|_| io::Error::other("it is not utf-8"))
}

/// Whether what is there is gone once it was read.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

fn whole(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_LEN + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MAX_LEN {
        true => Err(io::Error::other("it is longer than 64 KiB")),
        false => Ok(text),
    }
}

/// One line, without its end.
fn line(from: impl Read) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(from.take(MAX_LEN + 1)).read_line(&mut line)?;
    if line.len() as u64 > MAX_LEN {
        return Err(io::Error::other("it is longer than 64 KiB"));
    }
    if line.ends_with('\n') {
        line.pop();
        if line.ends_with('\r') {
            line.pop();
        }
    }
    Ok(line)
}
