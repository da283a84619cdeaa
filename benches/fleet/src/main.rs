//! What fleets of real processes cost: with a store, without one, and with what people write today.
//!
//! ```text
//! fleet <seconds> <machine> <out>      measures, and writes a page
//! fleet child | recipe <number> ...    one of the processes, as the program starts it
//! ```

#![allow(clippy::print_stdout, reason = "it is a program")]

mod recipe;
mod rows;
mod timing;

use std::{env, fmt::Write, fs, process::ExitCode, time::Duration};

use processes::{BoxError, child::Child, fleet::Grant, sharing::Sharing, stored::Kind};
use recipe::Recipe;
use tokio::{runtime::Builder, task::LocalSet};

fn main() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let arguments: Vec<_> = env::args().skip(1).collect();
    let result = match Child::parse(&arguments) {
        Some(child) if child.manner == "recipe" => runtime.block_on(child.run::<Recipe>()),
        Some(child) => runtime.block_on(child.run::<Sharing>()),
        None => LocalSet::new().block_on(&runtime, measure(&arguments)),
    };
    // A thread may still be reading the standard input.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &[String]) -> Result<(), BoxError> {
    let [seconds, machine, out] = arguments else {
        return Err("usage: fleet <seconds> <machine> <out>".into());
    };
    let length = Duration::from_secs(seconds.parse()?);
    let mut page = format!("# Fleets\n\n{machine}. Written by `benches/fleet/run`.\n\n{ABOUT}\n");
    write!(page, "\n## What a lifetime costs\n\n{CALM}\n\n{}", rows::CALM_HEAD)?;
    let calm = length.min(Duration::from_secs(20));
    for (who, manner, place, processes) in rows::calm() {
        page += &shown(rows::run_calm(&who, manner, place, processes, calm).await?);
    }
    write!(page, "\n## While one of twenty is killed every 200 ms\n\n{KILLED}\n\n{}", rows::KILLED_HEAD)?;
    for grant in [Grant::Both, Grant::Only] {
        for kind in Kind::all() {
            for (who, manner) in [("this crate", "child"), ("the recipe", "recipe")] {
                let who = format!("{who}, {kind}, {grant}");
                page += &shown(rows::run_killed(&who, manner, kind, grant, length).await?);
            }
        }
    }
    write!(page, "\n## What a store takes\n\n{TIMES}\n\n{}", shown(timing::table().await?))?;
    fs::write(out, page)?;
    Ok(())
}

fn shown(rows: String) -> String {
    print!("{rows}");
    rows
}

const ABOUT: &str = "\
Each process is one of the operating system's, and calls an API ten times a second. Access tokens live 5 s, and the token
endpoint is oidc-provider, which rotates refresh tokens, and revokes a login when one of them comes twice. Requests to it and
its answers are on their way for 20 to 200 ms each.

*The recipe* is what is written today, as well as it can be in a page of code. In Redis: a token in memory, then `GET`; where
there is none, a lock by `SET NX PX 10000` with a value of one's own, `GET` again, a refresh, the new refresh token and then
the new token by `SET`, and the lock deleted if it still is one's own. In files: the same with the kernel's lock on a lock
file, and a file that is written beside and renamed. What it lacks is a note that a refresh token is about to be sent.";

const CALM: &str = "\
Nobody is killed. A lifetime is 5 s, and tokens are renewed in the last tenth of it.";

const KILLED: &str = "\
SIGKILL, another one is started each time, and one kill of three is of a process at the token endpoint. One is stopped for 6
to 8 s every 3 s. Nobody renews early, so that the others wait for who was killed. With *two grants* there is a password beside
the refresh token; with *one grant* somebody has to log in again when a login is lost.";

const TIMES: &str = "\
In one process, the median of 50 starts and of 200 renewals. A start is all from opening the store to the first token; without
a stored one, oidc-provider is asked, on the same machine and without delay. A renewal is of a credential that answers at once,
so what it takes is the store's part.";
