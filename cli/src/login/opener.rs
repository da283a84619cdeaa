//! Opens a browser.

use std::{
    env,
    process::{Command, Stdio},
};

/// Has a browser show `url`: the one that BROWSER names, or the system's. Returns whether it was begun.
pub(super) fn open(url: &str) -> bool {
    let mut command = match env::var_os("BROWSER").filter(|browser| !browser.is_empty()) {
        Some(browser) => Command::new(browser),
        None => usual(),
    };
    let begun = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    // It goes on by itself, also when we have ended.
    begun.is_ok()
}

#[cfg(target_os = "macos")]
fn usual() -> Command {
    Command::new("/usr/bin/open")
}

#[cfg(windows)]
fn usual() -> Command {
    // Not by a shell, to which & means something.
    let mut command = Command::new("rundll32.exe");
    command.arg("url.dll,FileProtocolHandler");
    command
}

#[cfg(not(any(target_os = "macos", windows)))]
fn usual() -> Command {
    Command::new("xdg-open")
}
