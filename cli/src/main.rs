//! `reauth`: calls vendors' APIs with tokens that it gets and renews by itself. Each subcommand is a program of its own.
//!
//! ```text
//! reauth call --vendor api-video --sandbox --key env:API_VIDEO_KEY GET /videos
//! reauth proxy --vendor api-video --sandbox --key env:API_VIDEO_KEY
//! reauth check vendor.toml --token token.txt --api expired.txt
//! ```

mod call;
mod check;
mod client;
mod command;
mod config;
mod entire;
mod idle;
mod logged_in;
mod login;
mod manual;
mod message;
mod mistake;
mod number;
mod options;
mod proxy;
mod registration;
mod settle;
mod token;
mod vendor;
mod vendors;

use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser, Subcommand};

const AFTER: &str = "\
Examples:
  One call, with a key in the environment:
    reauth call --vendor api-video --sandbox --key env:API_VIDEO_KEY GET /videos

  A credential by name, in ~/.config/reauth/config.toml:
    [credentials.videos]
    vendor = \"api-video\"
    key = { command = [\"pass\", \"show\", \"api-video\"] }

    reauth call --as videos GET /videos
    curl -H \"Authorization: Bearer $(reauth token videos)\" https://ws.api.video/videos

  A proxy for a program that knows nothing of tokens:
    reauth proxy --as videos &
    curl http://127.0.0.1:8080/videos

  Somebody logs in once, and calls for as long as that lasts:
    reauth login work
    reauth call --as work GET /me

Each subcommand's --help is its manual.";

/// Calls vendors' APIs with tokens that it gets and renews by itself.
#[derive(Debug, Parser)]
#[command(name = "reauth", version, max_term_width = 110, after_help = AFTER)]
struct CommandLine {
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Subcommand)]
enum Program {
    Call(call::Args),
    Check(check::Args),
    Proxy(proxy::Args),
    Token(token::Args),
    Login(login::LoginArgs),
    Logout(login::LogoutArgs),
    Status(login::StatusArgs),
    Vendors(vendors::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

fn main() -> ExitCode {
    let (name, ended) = match CommandLine::parse().program {
        Program::Call(args) => ("call", call::run(&args)),
        Program::Check(args) => ("check", check::run(&args)),
        Program::Proxy(args) => ("proxy", proxy::run(args)),
        Program::Token(args) => ("token", token::run(&args)),
        Program::Login(args) => ("login", login::login(&args)),
        Program::Logout(args) => ("logout", login::logout(&args)),
        Program::Status(args) => ("status", login::status(&args)),
        Program::Vendors(args) => ("vendors", vendors::run(&args)),
        Program::Completions(args) => ("completions", manual::completions(&args, CommandLine::command())),
        Program::Man(args) => ("man", manual::man(&args, CommandLine::command())),
    };
    ended.unwrap_or_else(|mistake| mistake.exit(subcommand(name)))
}

/// What clap knows of a subcommand, so that a mistake is shown with its usage.
fn subcommand(name: &str) -> Command {
    let mut whole = CommandLine::command();
    // Until then a subcommand doesn't know that `reauth` comes before its name.
    whole.build();
    whole.find_subcommand(name).cloned().unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use super::CommandLine;

    /// The lines of its help's examples that run this program, as the words that it would get.
    fn examples(command: &Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        let (examples, _) = examples.split_once("\n\n").map_or((examples, ""), |parts| match parts.0 {
            // Those that are told apart by headings go on to the end.
            first if first.lines().next().is_some_and(|line| line.ends_with(':')) => (examples, ""),
            _ => parts,
        });
        let lines = examples.replace("\\\n", " ");
        let commands = lines.lines().filter_map(|line| {
            let inner =
                line.split_once("$(reauth ").map(|(_, inner)| inner.split(')').next().unwrap_or(inner));
            inner.or_else(|| line.trim_start().strip_prefix("reauth "))
        });
        commands.map(words).collect()
    }

    /// The words of a command line, up to where the shell has something else to do, or there is a remark.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (vec!["reauth".to_owned()], None::<String>, None);
        for letter in line.chars() {
            match (quote, letter) {
                (Some(open), letter) if letter == open => quote = None,
                (None, '\'' | '"') => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (None, '|' | '&' | '>' | '#') => break,
                (None, ' ') => match word.take() {
                    Some(word) => words.push(word),
                    None => break,
                },
                (_, letter) => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        words
    }

    #[test]
    fn each_help_has_examples_and_each_of_them_is_a_command_line() {
        let whole = CommandLine::command();
        let names = whole.get_subcommands().map(Command::get_name);
        assert_eq!(names.count(), 10);
        for command in whole.get_subcommands().chain([&whole]) {
            let examples = examples(command);
            assert!(!examples.is_empty(), "{}", command.get_name());
            for words in examples {
                assert!(command.get_name() == "reauth" || words[1] == command.get_name(), "{words:?}");
                if let Err(error) = CommandLine::try_parse_from(&words) {
                    panic!("{words:?}: {error}");
                }
            }
        }
    }
}
