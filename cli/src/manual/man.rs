//! Pages for man(1).

use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use super::completions::print;
use crate::mistake::Mistake;

const AFTER: &str = "\
Examples:
  reauth man | man -l -
  reauth man call > ~/.local/share/man/man1/reauth-call.1";

/// Prints a page of the manual, for man(1).
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct ManArgs {
    /// Of which subcommand. By default of the program
    #[arg(value_name = "SUBCOMMAND")]
    subcommand: Option<String>,
}

/// Prints the page.
pub(crate) fn man(args: &ManArgs, mut whole: Command) -> Result<ExitCode, Mistake> {
    // Until then a subcommand doesn't know that `reauth` comes before its name.
    whole.build();
    let command = match &args.subcommand {
        None => whole,
        Some(name) => whole.find_subcommand(name).cloned().ok_or_else(|| {
            let known: Vec<_> = whole.get_subcommands().map(Command::get_name).collect();
            Mistake::new(format!("there is no such subcommand. There are: {}", known.join(", ")))
        })?,
    };
    // The page is called after the file that it is in.
    let name = command.get_bin_name().unwrap_or("reauth").replace(' ', "-");
    let mut page = Vec::new();
    Man::new(command)
        .title(name.to_uppercase())
        .render(&mut page)
        .map_err(|error| Mistake::new(error.to_string()))?;
    Ok(print(&page))
}
