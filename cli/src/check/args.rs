//! The command line of `reauth check`.

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Read},
    path::PathBuf,
};

use clap::ArgGroup;

use crate::{mistake::Mistake, options::one_reader};

/// What is read of one file.
const MAX_LEN: u64 = 4 * 1024 * 1024;

const AFTER: &str = "\
Examples:
  reauth check vendor.toml
  reauth check vendor.toml --token token.txt --api expired.txt
  reauth check --vendor zoom --api expired.txt

Nothing is sent, no variable and no file is read for a secret, and no input has to be filled.

Answers are files as `curl -i` writes them: a status line, headers, an empty line and the body. What is in them is judged by
the code that does it in earnest, and never shown, but for the vendor's own words. Of one that a rule fits, the rule is said.

  curl -si -d grant_type=client_credentials -u \"$ID:$SECRET\" https://login.example.com/token >token.txt
  curl -si -H 'Authorization: Bearer expired' https://api.example.com/things >expired.txt
  reauth check vendor.toml --token token.txt --api expired.txt

A recording is a TOML file with several answers and what each of them is: [token.answer] and [refresh.answer] bring a token,
[refused] is what the token endpoint says to a wrong secret, [[expired]] what the API says to an expired token, [[passed]]
what it says where no new token helps, and [throttled] has `at = \"token\"` or `at = \"api\"` and its own `answer`. Each has a
`status`, and maybe `headers` and a `body`, in which {token}, {refresh_token} and {lifetime} stand for what is made up. A body
without a Content-Type is JSON. `[lifetime]` has its `seconds`, and how it is `written`: seconds, milliseconds, epoch, rfc3339
or jwt.

Exit status:
  0    the file is a declaration, and the answers mean something to it
  1    an answer means nothing to it, or something else than its recording says
  2    wrong usage, the file is no declaration, or an answer can't be read";

/// Says what a file that declares a vendor does, and what it would do with recorded answers
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, group = ArgGroup::new("declared").required(true).args(["file", "vendor"]))]
pub(crate) struct Args {
    /// The file: TOML, or JSON if its name ends like that; - for TOML on standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<Source>,

    /// An entry of the catalogue in its place
    #[arg(long, value_name = "NAME")]
    pub(crate) vendor: Option<String>,

    /// An answer of the token endpoint to the request for the first token
    #[arg(long, value_name = "ANSWER")]
    pub(crate) token: Vec<Source>,

    /// An answer to the request that renews one
    #[arg(long, value_name = "ANSWER")]
    pub(crate) refresh: Vec<Source>,

    /// An answer of the API
    #[arg(long, value_name = "ANSWER")]
    pub(crate) api: Vec<Source>,

    /// An answer of the API to a HEAD
    #[arg(long, value_name = "ANSWER")]
    pub(crate) head: Vec<Source>,

    /// Several answers, and what they are
    #[arg(long, value_name = "TOML")]
    pub(crate) recording: Vec<Source>,
}

impl Args {
    /// An error if standard input is wanted twice.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        let options = [
            ("--token", &self.token),
            ("--refresh", &self.refresh),
            ("--api", &self.api),
            ("--head", &self.head),
            ("--recording", &self.recording),
        ];
        let answers = options.iter().flat_map(|(name, sources)| sources.iter().map(|source| (*name, source)));
        let all = self.file.iter().map(|source| ("FILE", source)).chain(answers);
        let readers: Vec<&str> =
            all.filter(|(_, source)| **source == Source::Stdin).map(|(name, _)| name).collect();
        one_reader(&readers)
    }
}

/// Where something is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Stdin,
    Path(PathBuf),
}

impl Source {
    pub(crate) fn read(&self) -> Result<Vec<u8>, Mistake> {
        let wrong = |error: io::Error| Mistake::new(format!("{self} can't be read: {error}"));
        let mut bytes = Vec::new();
        let mut from: Box<dyn Read> = match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::Path(path) => Box::new(fs::File::open(path).map_err(wrong)?),
        };
        from.by_ref().take(MAX_LEN + 1).read_to_end(&mut bytes).map_err(wrong)?;
        match bytes.len() as u64 > MAX_LEN {
            true => Err(Mistake::new(format!("{self} can't be read: it is longer than 4 MiB"))),
            false => Ok(bytes),
        }
    }

    pub(crate) fn text(&self) -> Result<String, Mistake> {
        String::from_utf8(self.read()?)
            .map_err(|_| Mistake::new(format!("{self} can't be read: it is not utf-8")))
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self, Self::Path(path) if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")))
    }
}

impl From<OsString> for Source {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::Stdin } else { Self::Path(text.into()) }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}
