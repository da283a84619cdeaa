//! Secrets in the file: by the name of a variable or of a file, or by a command. None is in the file itself.

use std::time::Duration;

use super::item::Item;
use crate::{
    command::SecretCommand,
    mistake::Mistake,
    options::{Input, Secret},
};

const HOW: &str = "write \"env:NAME\" for an environment variable, \"file:PATH\" for a file, or { command = [\"PROGRAM\", \"ARGUMENT\", ...] }";

/// How long a command may take, if the file doesn't say it.
const USUAL: Duration = Duration::from_secs(8);

/// The longest that it may say.
const LONGEST: Duration = Duration::from_secs(300);

/// A secret by reference.
pub(crate) fn secret(item: &Item<'_>) -> Result<Secret, Mistake> {
    if item.is_section() {
        return command(item);
    }
    reference(item, item.text()?).ok_or_else(|| item.wrong(HOW))?
}

/// A key to seal tokens with, which is read before anything is asked for.
pub(super) fn sealing_key(item: &Item<'_>) -> Result<Secret, Mistake> {
    let wrong = || item.wrong("write \"env:NAME\" for an environment variable, or \"file:PATH\" for a file");
    if item.is_section() {
        return Err(wrong());
    }
    reference(item, item.text()?).ok_or_else(wrong)?
}

/// What a declaration or an entry of the catalogue leaves open.
pub(super) fn input(name: &str, item: &Item<'_>) -> Result<Input, Mistake> {
    if item.is_section() {
        return Ok(Input::secret(name, command(item)?));
    }
    let text = item.text()?;
    match text.strip_prefix("text:") {
        Some(text) if !text.is_empty() => Ok(Input::text(name, text)),
        _ => match reference(item, text) {
            Some(secret) => Ok(Input::secret(name, secret?)),
            None => Err(item.wrong(&format!("{HOW} for a secret, and \"text:VALUE\" for anything else"))),
        },
    }
}

fn reference(item: &Item<'_>, text: &str) -> Option<Result<Secret, Mistake>> {
    match Secret::parse(text)? {
        // There is one for each run, and a file is for many.
        Secret::Stdin => None,
        Secret::File(_) => {
            let path = text.strip_prefix("file:")?;
            Some(item.resolve(path).map(Secret::File))
        }
        secret => Some(Ok(secret)),
    }
}

fn command(item: &Item<'_>) -> Result<Secret, Mistake> {
    let mut section = item.section()?;
    let Some(words) = section.take("command") else { return Err(section.wrong(HOW)) };
    let limit = section.take("timeout");
    section.finish()?;
    let list = words.list()?;
    let args: Result<Vec<_>, _> = list.iter().map(|item| item.text().map(str::to_owned)).collect();
    let mut args = args?.into_iter();
    let program = args.next().ok_or_else(|| words.wrong("it is empty; the first is the program"))?;
    let limit = match limit {
        Some(item) => {
            let limit = item.seconds()?;
            if limit > LONGEST {
                return Err(item.wrong("at most 300 seconds"));
            }
            limit
        }
        None => USUAL,
    };
    // As with a shell, what has no slash is looked for in PATH.
    let program = if program.contains('/') { words.resolve(&program)? } else { program.into() };
    Ok(Secret::Command(SecretCommand::new(program, args.collect(), limit, item.place())))
}
