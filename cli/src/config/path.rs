//! Paths in the file, which are relative to it, or to somebody's home.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Where the file is, if nobody says it: by the XDG base directory specification, which has relative paths ignored.
pub(super) fn usual() -> Option<PathBuf> {
    let configured = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(configured.or_else(|| Some(home()?.join(".config")))?.join("reauth").join("config.toml"))
}

/// Where logins are, if nobody says it.
pub(super) fn usual_tokens() -> Option<PathBuf> {
    let configured = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(configured.or_else(|| Some(home()?.join(".local/state")))?.join("reauth").join("tokens"))
}

/// A path as it is written in the file `within`.
pub(super) fn resolve(within: &Path, path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => Some(home()?.join(rest)),
        None => Some(within.parent().unwrap_or(Path::new("")).join(path)),
    }
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
}
