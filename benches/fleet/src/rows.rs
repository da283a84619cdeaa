//! The rows of the tables, by processes that run.

use std::time::Duration;

use processes::{
    BoxError,
    fleet::{Fleet, Grant, Setup},
    place::Place,
    report::{longest_after_kills, most_in_a_lifetime},
    stored::{Kind, Stored},
    storm::{self, Faults, PROCESSES, TTL},
};
use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3600);

pub const CALM_HEAD: &str = "\
| | processes | token calls for each lifetime | most within 4 s | commands to the store for each lifetime |\n\
|---|---:|---:|---:|---:|\n";

pub const KILLED_HEAD: &str = "\
| | killed at the token endpoint | token calls for each lifetime | refused grants | logins lost | calls without a token | \
longest wait of the others |\n\
|---|---:|---:|---:|---:|---:|---:|\n";

/// What runs in calm: a name, how, in which store, and how many.
pub fn calm() -> Vec<(String, &'static str, Option<Kind>, usize)> {
    let mut rows = vec![("without a store".to_owned(), "child", None, PROCESSES)];
    for kind in Kind::all() {
        for processes in [1, 2, PROCESSES] {
            rows.push((format!("this crate, {kind}"), "child", Some(kind), processes));
        }
        rows.push((format!("the recipe, {kind}"), "recipe", Some(kind), PROCESSES));
    }
    rows
}

pub async fn run_calm(
    who: &str,
    manner: &'static str,
    kind: Option<Kind>,
    processes: usize,
    length: Duration,
) -> Result<String, BoxError> {
    let stored = match kind {
        Some(kind) => Some(Stored::new(kind).await?),
        None => None,
    };
    let place = stored.as_ref().map_or(Place::Nowhere, Stored::place);
    let setup = Setup { manner, place, grant: Grant::Both, ttl: TTL, early: 0.1 };
    let mut fleet = Fleet::new(setup).await?;
    let begun = Instant::now();
    for _ in 0..processes {
        fleet.start(HOUR)?;
    }
    sleep(length).await;
    let lifetimes = begun.elapsed().as_secs_f64() / TTL.as_secs_f64();
    fleet.end().await?;
    let books = fleet.ledger.books();
    let commands: u32 = books.commands.iter().sum();
    Ok(format!(
        "| {who} | {processes} | {:.1} | {} | {:.1} |\n",
        books.calls.len() as f64 / lifetimes,
        most_in_a_lifetime(&books),
        f64::from(commands) / lifetimes,
    ))
}

pub async fn run_killed(
    who: &str,
    manner: &'static str,
    kind: Kind,
    grant: Grant,
    length: Duration,
) -> Result<String, BoxError> {
    let mut stored = Stored::new(kind).await?;
    let setup = Setup { manner, place: stored.place(), grant, ttl: TTL, early: 0.0 };
    let mut fleet = Fleet::new(setup).await?;
    let took = storm::rage(&mut fleet, &mut stored, Faults::Killed, length).await?;
    fleet.end().await?;
    let books = fleet.ledger.books();
    let lifetimes = took.as_secs_f64() / TTL.as_secs_f64();
    let longest = longest_after_kills(&books, Grant::Both);
    Ok(format!(
        "| {who} | {} | {:.1} | {} | {} | {} | {} |\n",
        books.kills.iter().filter(|kill| kill.holder).count(),
        books.calls.len() as f64 / lifetimes,
        books.calls.iter().filter(|call| call.refused).count(),
        books.losses.len(),
        books.without.len(),
        longest.map_or_else(|| "-".to_owned(), |longest| format!("{:.1} s", longest.as_secs_f64())),
    ))
}
