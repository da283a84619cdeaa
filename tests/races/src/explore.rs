//! Runs a scenario in many orders, and says how to run again the one that failed.

use std::{
    env, fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    str::FromStr,
};

use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler},
};
use tracing::{Event, Metadata, Subscriber, level_filters::LevelFilter, span, subscriber::Interest};

/// How many preemptions at the worst places PCT looks for.
const DEPTH: usize = 3;

/// Runs `scenario` in `orders` orders drawn at random, and in as many drawn by PCT.
///
/// The environment says otherwise: `RACES_ORDERS` how many, `RACES_SEED` which, `RACES_SCHEDULE` only this one, as it
/// was printed.
///
/// # Panics
///
/// When the scenario does, or when all its threads wait for each other.
pub fn explore(name: &str, orders: usize, scenario: fn()) {
    // Whatever the other tests set, this one has set the same.
    let _ = tracing::subscriber::set_global_default(Meddling);
    if let Ok(schedule) = env::var("RACES_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(schedule.trim()), scenario);
    }
    let (orders, seed) = (setting("RACES_ORDERS").unwrap_or(orders), setting("RACES_SEED").unwrap_or(0));
    let explored = catch_unwind(AssertUnwindSafe(|| {
        run(RandomScheduler::new_from_seed(seed, orders), scenario);
        run(PctScheduler::new_from_seed(seed, DEPTH, orders), scenario);
    }));
    if let Err(panic) = explored {
        eprintln!(
            "to see it again: RACES_SCHEDULE='<the schedule above>' \
             cargo test --manifest-path tests/races/Cargo.toml --test races -- --exact {name}"
        );
        resume_unwind(panic);
    }
}

fn run(scheduler: impl Scheduler + 'static, scenario: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.silence_warnings = true;
    config.ungraceful_shutdown_config.immediately_return_on_panic = true;
    Runner::new(scheduler, config).run(move || {
        tokio::world::reset();
        // The pauses are random, and a schedule has to come out the same each time.
        fastrand::seed(0);
        scenario();
        tokio::world::reset();
    });
}

fn setting<T: FromStr<Err: fmt::Debug>>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// A subscriber that looks at the cache whenever the cache tells it something, as foreign code may.
struct Meddling;

impl Subscriber for Meddling {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("races::")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, _: &Event<'_>) {
        tokio::world::meddle();
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
