//! What twenty processes of an operating system do that share one token, while they are killed and stopped and their store
//! fails. `tests/processes/run` installs what it needs, and runs it.
//!
//! ```text
//! processes [--seconds <n>] [--only <words>]     every scenario, or those whose name begins so: a table, and an exit code
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
    fleet::Grant,
    quiet,
    report::Report,
    sharing::Sharing,
    stored::Kind,
    storm::{self, Faults},
};

fn main() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let Some(child) = Child::parse(&arguments) {
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
    match tokio::task::LocalSet::new().block_on(&runtime, all(Duration::from_secs(seconds), &only)) {
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
async fn all(length: Duration, only: &str) -> Result<Vec<String>, BoxError> {
    let mut report = Report::default();
    for kind in Kind::all() {
        for grant in [Grant::Both, Grant::Only] {
            let name = format!("{kind}, {grant}");
            if format!("quiet {name}").starts_with(only) {
                quiet::run(&mut report, &format!("quiet {name}"), kind, grant).await?;
            }
            for faults in Faults::of(kind) {
                let name = format!("{faults} {name}");
                if name.starts_with(only) {
                    storm::run(&mut report, &name, kind, grant, faults, length).await?;
                }
            }
        }
        if format!("short {kind}").starts_with(only) {
            quiet::short(&mut report, &format!("short {kind}"), kind).await?;
        }
        if format!("start {kind}").starts_with(only) {
            quiet::start(&mut report, &format!("start {kind}"), kind).await?;
        }
    }
    for kind in Kind::watched() {
        for grant in [Grant::Both, Grant::Only] {
            let name = format!("struck {kind}, {grant}");
            if name.starts_with(only) {
                storm::run(&mut report, &name, kind, grant, Faults::Struck, length).await?;
            }
        }
    }
    Ok(report.finish())
}
