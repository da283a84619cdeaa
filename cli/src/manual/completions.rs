//! Completions for shells.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{
    Command,
    builder::{PossibleValue, PossibleValuesParser},
};
use clap_complete::{Shell, generate};
use tower_reauth::catalogue;

use crate::{message::tell, mistake::Mistake};

const AFTER: &str = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  reauth completions bash > ~/.local/share/bash-completion/completions/reauth
  mkdir -p ~/.zfunc    # and in ~/.zshrc, before compinit: fpath+=~/.zfunc
  reauth completions zsh > ~/.zfunc/_reauth
  mkdir -p ~/.config/fish/completions
  reauth completions fish > ~/.config/fish/completions/reauth.fish";

/// Prints completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints them for the whole of the program.
pub(crate) fn completions(args: &CompletionsArgs, whole: Command) -> Result<ExitCode, Mistake> {
    let mut script = Vec::new();
    generate(args.shell, &mut with_names(whole), "reauth", &mut script);
    Ok(print(&script))
}

/// With the names of the catalogue, which a help says in words.
fn with_names(whole: Command) -> Command {
    whole.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        command.mut_args(|arg| {
            let own = arg.get_possible_values();
            let names: Vec<PossibleValue> = match (&*name, arg.get_id().as_str()) {
                ("vendors", "name") | (_, "vendor") => {
                    let is_other = |name: &&str| !own.iter().any(|own| own.get_name() == *name);
                    let others = catalogue::names().filter(is_other).map(PossibleValue::new);
                    own.iter().cloned().chain(others).collect()
                }
                _ => return arg,
            };
            arg.value_parser(PossibleValuesParser::new(names))
        })
    })
}

/// Prints it, and says how the program is to end.
pub(super) fn print(bytes: &[u8]) -> ExitCode {
    match io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("reauth: the output can't be written: {error}"));
            ExitCode::FAILURE
        }
    }
}
