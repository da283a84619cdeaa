//! Pages for man(1).

use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use super::completions::print;
use crate::mistake::Mistake;

const AFTER: &str = "\
Examples:
  reauth man | man -l -
  mkdir -p ~/.local/share/man/man1
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
        .source(concat!("reauth ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(|error| Mistake::new(error.to_string()))?;
    Ok(print(laid_out(&String::from_utf8_lossy(&page)).as_bytes()))
}

/// With what comes after the options as it was written: lines that are indented stay as they are, so that an example is what is to be
/// typed, and those that are headings are some.
fn laid_out(page: &str) -> String {
    let Some((page, rest)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (mut page, mut is_verbatim) = (page.to_owned(), false);
    for line in rest.lines() {
        let is_indented = line.starts_with(' ');
        if is_indented != is_verbatim && !line.is_empty() {
            page += if is_indented { ".nf\n" } else { ".fi\n" };
            is_verbatim = is_indented;
        }
        match line.strip_suffix(':').filter(|words| !is_indented && words.split(' ').count() <= 2) {
            Some(words) => page += &format!(".SH \"{}\"\n", words.to_uppercase()),
            None => page += &format!("{line}\n"),
        }
    }
    page
}
