//! A simulation of the whole layer in virtual time: random servers, callers and policies, everything from one seed,
//! and the invariants checked at each event.
//!
//! - `SIMULATION_SEED=7 cargo test --test simulation` runs one seed and tells its story.
//! - `SIMULATION_SEEDS=100000 cargo test --test simulation` runs more of them.
//!
//! Time and tasks are Tokio's, on one paused thread; chance is `fastrand`'s. So a seed always tells the same story.
//! The invariants are in [`checks`], each with its name in words; what they know is in [`model`].

mod callers;
mod checks;
mod credential;
mod endpoint;
mod event;
mod fleet;
mod model;
mod plan;
mod run;
mod server;
mod tenants;
mod trace;
mod view;
mod world;

use std::{
    env, fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use event::Event;
use run::{Outcome, run};
use trace::Trace;

/// How many seeds run if nobody says otherwise.
const SEEDS: u64 = 2000;

/// And with two hundred tenants each.
const SEEDS_OF_TENANTS: u64 = 80;

/// How much of a failing seed's story is told.
const LINES: usize = 80;

#[test]
fn every_seed_keeps_the_invariants() {
    explore(SEEDS, &Event::ALL, |seed| {
        let Outcome { violation, trace, seen } = run(seed);
        Told { violation, trace, seen: Event::ALL.map(|event| seen.has(event)).to_vec() }
    });
}

#[test]
fn every_fleet_keeps_the_invariants() {
    explore(SEEDS, fleet::Event::ALL, |seed| {
        let fleet::Outcome { violation, trace, seen } = fleet::run(seed);
        Told { violation, trace, seen: fleet::Event::ALL.iter().map(|event| seen.has(*event)).collect() }
    });
}

#[test]
fn all_tenants_keep_the_invariants() {
    explore(SEEDS_OF_TENANTS, tenants::Event::ALL, |seed| {
        let tenants::Outcome { violation, trace, seen } = tenants::run(seed);
        let seen = tenants::Event::ALL.iter().map(|event| seen.contains(event)).collect();
        Told { violation, trace, seen }
    });
}

#[test]
fn a_seed_always_tells_the_same_story() {
    in_parallel(40, |seed| {
        let (first, second) = (run(seed), run(seed));
        assert!(first.trace == second.trace, "seed {seed}");
        let (first, second) = (fleet::run(seed), fleet::run(seed));
        assert!(first.trace == second.trace, "seed {seed} of a fleet");
        if seed < 4 {
            let (first, second) = (tenants::run(seed), tenants::run(seed));
            assert!(first.trace == second.trace, "seed {seed} of tenants");
        }
        Continue::Yes
    });
}

/// What became of a seed, and which events came up in it.
struct Told {
    violation: Option<String>,
    trace: Trace,
    seen: Vec<bool>,
}

/// Runs so many seeds, or what the environment says. Each of `events` must come up in one of a hundred.
fn explore<E: fmt::Debug + Sync>(seeds: u64, events: &[E], run: impl Fn(u64) -> Told + Sync) {
    if let Some(seed) = number("SIMULATION_SEED") {
        let told = run(seed);
        eprintln!("seed {seed}\n{}", told.trace.tail(usize::MAX));
        assert_eq!(told.violation, None, "seed {seed}");
        return;
    }
    let seeds = number("SIMULATION_SEEDS").unwrap_or(seeds);
    let counts = Mutex::new(vec![0u64; events.len()]);
    let failed: Mutex<Option<(u64, Told)>> = Mutex::new(None);
    in_parallel(seeds, |seed| {
        let told = run(seed);
        if told.violation.is_some() {
            let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
            if failed.as_ref().is_none_or(|(other, _)| seed < *other) {
                *failed = Some((seed, told));
            }
            return Continue::No;
        }
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter_mut().zip(told.seen).for_each(|(count, seen)| *count += u64::from(seen));
        Continue::Yes
    });
    if let Some((seed, told)) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let violation = told.violation.unwrap_or_default();
        panic!(
            "seed {seed} of {seeds} violates {violation}\n{}again: SIMULATION_SEED={seed} cargo test --test simulation",
            told.trace.tail(LINES),
        );
    }
    let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (count, event) in counts.iter().zip(events) {
        eprintln!("{:>6.1} %  {event:?}", *count as f64 * 100.0 / seeds as f64);
    }
    let rare: Vec<_> = counts.iter().zip(events).filter(|(count, _)| **count * 100 < seeds).collect();
    assert!(rare.is_empty(), "in less than 1 % of {seeds} seeds: {rare:?}");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Continue {
    Yes,
    No,
}

/// Calls `each` with every seed, on all cores, until one says no.
fn in_parallel(seeds: u64, each: impl Fn(u64) -> Continue + Sync) {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if each(seed) == Continue::No {
                        stop.store(true, Relaxed);
                    }
                }
            });
        }
    });
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}
