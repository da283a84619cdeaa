//! Without faults: what a fleet costs, and what a program does that is soon over.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    BoxError,
    fleet::{Fleet, Grant, Setup},
    report::{Report, Run},
    stored::{Kind, Stored},
    storm::{PROCESSES, TTL},
};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// How long the fleet runs: about two lifetimes.
const LENGTH: Duration = Duration::from_secs(11);

/// Twenty processes over a few lifetimes.
pub async fn run(report: &mut Report, name: &str, kind: Kind, grant: Grant) -> Result<(), BoxError> {
    let stored = Stored::new(kind).await?;
    let mut fleet = fleet(&stored, grant, TTL, 0.1).await?;
    let begun = Instant::now();
    for _ in 0..PROCESSES {
        fleet.start(HOUR)?;
    }
    sleep(LENGTH).await;
    let took = begun.elapsed();
    fleet.end().await?;
    report.quiet(&Run { name, grant, took }, &fleet.ledger.books());
    Ok(())
}

/// Fifty programs of a second each, all at once, when the token is to be renewed early.
pub async fn short(report: &mut Report, name: &str, kind: Kind) -> Result<(), BoxError> {
    const LIVES: Duration = Duration::from_secs(16);
    let stored = Stored::new(kind).await?;
    // Within the second half of its lifetime, or the last quarter, as each process draws.
    let mut fleet = fleet(&stored, Grant::Only, LIVES, 0.5).await?;
    let begun = Instant::now();
    fleet.start(SECOND)?;
    fleet.wait().await?;
    let before = fleet.ledger.books().calls.len();
    sleep((LIVES.mul_f64(0.76)).saturating_sub(begun.elapsed())).await;
    for _ in 0..50 {
        fleet.start(SECOND)?;
    }
    fleet.wait().await?;
    report.short(name, before, begun.elapsed() < LIVES, &fleet.ledger.books());
    Ok(())
}

/// A program that finds a token in the store.
pub async fn start(report: &mut Report, name: &str, kind: Kind) -> Result<(), BoxError> {
    let stored = Stored::new(kind).await?;
    let mut fleet = fleet(&stored, Grant::Only, Duration::from_secs(60), 0.1).await?;
    fleet.start(SECOND)?;
    fleet.wait().await?;
    fleet.start(SECOND)?;
    fleet.wait().await?;
    report.start(name, &fleet.ledger.books());
    Ok(())
}

async fn fleet(stored: &Stored, grant: Grant, ttl: Duration, early: f64) -> Result<Fleet, BoxError> {
    Fleet::new(Setup { manner: "child", place: stored.place(), grant, ttl, early }).await
}
