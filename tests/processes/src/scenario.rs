//! [`Scenario`]: what is run, several of them at a time.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

use tokio::{runtime::Builder, task::LocalSet};

use crate::{
    BoxError,
    fleet::Grant,
    quiet,
    report::Report,
    stored::Kind,
    storm::{self, Faults},
};

/// Processes, and what happens to them. Each has a store, an authorization server and an API of its own.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    kind: Kind,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Quiet(Grant),
    Storm(Faults, Grant),
    Short,
    Start,
}

impl Scenario {
    /// All that there are, in the order of the table.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for kind in Kind::all() {
            for grant in [Grant::Both, Grant::Only] {
                all.push(Self { kind, what: What::Quiet(grant) });
                let storms = Faults::of(kind).into_iter().map(|faults| What::Storm(faults, grant));
                all.extend(storms.map(|what| Self { kind, what }));
            }
            all.extend([What::Short, What::Start].map(|what| Self { kind, what }));
        }
        for kind in Kind::watched() {
            let storms = [Grant::Both, Grant::Only].map(|grant| What::Storm(Faults::Struck, grant));
            all.extend(storms.map(|what| Self { kind, what }));
        }
        all
    }

    /// On a thread that has nothing else to do.
    fn run(self, length: Duration) -> Result<Report, BoxError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (mut report, name) = (Report::default(), self.to_string());
        let run = async {
            match self.what {
                What::Quiet(grant) => quiet::run(&mut report, &name, self.kind, grant).await,
                What::Storm(faults, grant) => {
                    storm::run(&mut report, &name, self.kind, grant, faults, length).await
                }
                What::Short => quiet::short(&mut report, &name, self.kind).await,
                What::Start => quiet::start(&mut report, &name, self.kind).await,
            }
        };
        LocalSet::new().block_on(&runtime, run)?;
        Ok(report)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Quiet(grant) => write!(f, "quiet {}, {grant}", self.kind),
            What::Storm(faults, grant) => write!(f, "{faults} {}, {grant}", self.kind),
            What::Short => write!(f, "short {}", self.kind),
            What::Start => write!(f, "start {}", self.kind),
        }
    }
}

/// Runs so many of them at a time. The report is in their order, whichever is over first. When one can't be run, those that are
/// under way come to their end, and no other begins.
pub fn run(scenarios: &[Scenario], length: Duration, at_once: usize) -> Result<Report, BoxError> {
    let next = AtomicUsize::new(0);
    let lane = || -> Result<Vec<(usize, Report)>, BoxError> {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Relaxed);
            let Some(scenario) = scenarios.get(at) else { return Ok(done) };
            let report = scenario.run(length).map_err(|error| {
                next.store(scenarios.len(), Relaxed);
                format!("{scenario}: {error}")
            })?;
            report.print();
            done.push((at, report));
        }
    };
    let lanes: Result<Vec<_>, _> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..at_once).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().map(|lane| lane.join().expect("it doesn't panic")).collect()
    });
    let mut done = lanes?.concat();
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, report)| report).collect())
}
