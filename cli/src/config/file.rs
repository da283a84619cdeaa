//! [`File`]: where the configuration is, and what is in it as a whole.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    credential::Configured,
    item::{Section, Source},
    nearest::hint,
    path,
};
use crate::mistake::Mistake;

/// The variable that names the file.
const VARIABLE: &str = "REAUTH_CONFIG";

/// The configuration, as it was read.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// Reads the file that the command line names, or the environment, or that is where it usually is.
    pub(crate) fn open(given: Option<&Path>) -> Result<Self, Mistake> {
        let named = env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = given.map(Path::to_owned).or(named).or_else(path::usual).ok_or_else(|| {
            Mistake::new(format!("HOME isn't set; say where the configuration is, by --file or {VARIABLE}"))
        })?;
        let bytes = fs::read(&path).map_err(|error| {
            let example = match error.kind() {
                ErrorKind::NotFound => "; `reauth --help` has an example of one",
                _ => "",
            };
            let path = path.display();
            Mistake::new(format!("{path} can't be read: {error}; see --file, and {VARIABLE}{example}"))
        })?;
        refuse_public(&path)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let path = path.display();
            Mistake::new(format!("{path}, line {line}: it isn't utf-8, as TOML has to be; save it as that"))
        })?;
        Ok(Self { path, text })
    }

    /// The credential of this name. All of them are looked at, and the secrets of none.
    pub(crate) fn credential(&self, name: &str) -> Result<Configured, Mistake> {
        let mut all = self.credentials()?;
        match all.iter().position(|(known, _)| known == name) {
            Some(at) => Ok(all.swap_remove(at).1),
            None => {
                let path = self.path.display();
                let names: Vec<&str> = all.iter().map(|(name, _)| &**name).collect();
                Err(Mistake::new(match names.is_empty() {
                    true => format!("{path} has no credential; write a table [credentials.{name}]"),
                    false => {
                        let hint = hint(name, &names);
                        format!("{path} has no credential {name:?}{hint}It has: {}", names.join(", "))
                    }
                }))
            }
        }
    }

    /// All credentials with their names, in the order of the alphabet.
    pub(crate) fn credentials(&self) -> Result<Vec<(String, Configured)>, Mistake> {
        self.read(|mut root| {
            let credentials = root.take("credentials").map(|item| item.section()).transpose()?;
            let store = root.take("store");
            root.take("proxy");
            root.finish()?;
            let entries = credentials.map(|section| section.entries()).unwrap_or_default();
            let read = |(name, item): &(&str, _)| {
                Ok(((*name).to_owned(), Configured::read(name, item, store.as_ref())?))
            };
            entries.iter().map(read).collect()
        })
    }

    /// Has `read` walk through the whole. What belongs to a subcommand is read by that, and by no other.
    pub(crate) fn read<T>(&self, read: impl FnOnce(Section<'_>) -> Result<T, Mistake>) -> Result<T, Mistake> {
        let source = Source { path: &self.path, text: &self.text };
        let table = DeTable::parse(&self.text).map_err(|error| {
            // Without the line itself, in which somebody may have put a secret.
            source.wrong(&error.span().unwrap_or_default(), error.message())
        })?;
        let root = DeValue::Table(table.into_inner());
        read(Section::root(source, &root)?)
    }
}

/// An error if anybody may write there: it has commands, which are run.
#[cfg(unix)]
fn refuse_public(path: &Path) -> Result<(), Mistake> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path).map(|about| about.permissions().mode()).unwrap_or_default();
    match mode & 0o002 {
        0 => Ok(()),
        _ => Err(Mistake::new(format!(
            "{} may be written by every user of this machine, and it says which commands are run; chmod o-w it",
            path.display()
        ))),
    }
}

#[cfg(not(unix))]
fn refuse_public(_: &Path) -> Result<(), Mistake> {
    Ok(())
}
