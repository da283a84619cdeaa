//! [`Secret`]: where a secret is to be read. The command line never holds the secret itself.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};
use secrecy::SecretString;
use tower_reauth::oauth2::SecretSource;

use super::Mistake;

/// The longest secret, in bytes.
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
}

impl Secret {
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        Parser
    }

    /// The secret as it is now. `option` names it in errors.
    pub(crate) fn read(&self, option: &str) -> Result<SecretString, Mistake> {
        let (text, place) = match self {
            Self::Env(name) => (variable(name), format!("the environment variable {name}")),
            Self::File(path) => (file(path), format!("the file {}", path.display())),
            Self::Stdin => (line(io::stdin()), "standard input".to_owned()),
        };
        match text {
            Ok(text) if text.is_empty() => {
                Err(Mistake::new(format!("{option}: there is no secret in {place}; it is empty")))
            }
            Ok(text) => Ok(text.into()),
            Err(error) => Err(Mistake::new(format!("{option}: {place} can't be read: {error}"))),
        }
    }

    /// The same, read again at each acquisition where that can be done.
    pub(crate) fn source(&self, option: &str) -> Result<SecretSource, Mistake> {
        Ok(match self {
            Self::Env(name) => SecretSource::env(name.clone()),
            Self::File(path) => SecretSource::file(path),
            Self::Stdin => self.read(option)?.into(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
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

/// As clap's own, but its error doesn't show the value, which may be a secret given by mistake.
#[derive(Clone)]
struct Parser;

impl TypedValueParser for Parser {
    type Value = Secret;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Secret, clap::Error> {
        value.to_str().and_then(Secret::parse).ok_or_else(|| {
            let option = option.map(ToString::to_string).unwrap_or_default();
            clap::Error::raw(ErrorKind::ValueValidation, format!("{option}: {HOW}\n")).with_cmd(command)
        })
    }
}

fn variable(name: &str) -> io::Result<String> {
    // `VarError` would show what is not unicode.
    let value = env::var_os(name).ok_or_else(|| io::Error::other("it is not set"))?;
    value.into_string().map_err(|_| io::Error::other("it is not utf-8"))
}

fn file(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    text(bytes)
}

fn line(from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    BufReader::new(from.take(MAX_LEN + 1)).read_until(b'\n', &mut bytes)?;
    text(bytes)
}

/// The text without the one newline that editors and `echo` put at its end.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.len() as u64 > MAX_LEN {
        return Err(io::Error::other("it is longer than 64 KiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| io::Error::other("it is not utf-8"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
