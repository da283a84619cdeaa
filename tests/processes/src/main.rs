//! What twenty processes of an operating system do that share one token, while they are killed and stopped and their store
//! fails. `tests/processes/run` installs what it needs, and runs it.
//!
//! ```text
//! processes [--seconds <n>] [--only <words>] [--at-once <n>]
//!                                                every scenario, or those whose name begins so: a table, and an exit code
//! processes child <number> <server> ...          one of the processes, as the program starts it
//! ```
//!
//! This process is their API as well, and the way to the token endpoint, so that it sees which of them has sent what.

#![allow(clippy::print_stdout, reason = "it is a program")]

use std::{env, process::ExitCode, time::Duration};

use tokio::runtime::Builder;

use processes::{
    BoxError,
    child::Child,
    scenario::{self, Scenario},
    sharing::Sharing,
};

/// How many scenarios run at a time. Each keeps a fifth of a core busy; all have to be idle most of the time, as some count by
/// the clock.
const AT_ONCE: usize = 4;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let Some(child) = Child::parse(&arguments) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let result = runtime.block_on(child.run::<Sharing>());
        // A thread may still be reading the standard input.
        runtime.shutdown_background();
        return match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("a process has failed: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let seconds = option("--seconds").and_then(|text| text.parse().ok()).unwrap_or(300);
    let only = option("--only").unwrap_or_default();
    let at_once = option("--at-once").and_then(|text| text.parse().ok()).unwrap_or(AT_ONCE);
    match all(Duration::from_secs(seconds), &only, at_once.max(1)) {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            wrong.iter().for_each(|wrong| println!("WRONG: {wrong}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("it could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Every scenario whose name begins so. Returns what is not as it should be.
fn all(length: Duration, only: &str, at_once: usize) -> Result<Vec<String>, BoxError> {
    let mut scenarios = Scenario::all();
    scenarios.retain(|scenario| scenario.to_string().starts_with(only));
    Ok(scenario::run(&scenarios, length, at_once)?.finish())
}
