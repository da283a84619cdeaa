//! Twenty processes, of which one is killed every 200 ms and another one started, and one stopped now and then for longer
//! than a claim lasts.

use std::{fmt, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    BoxError,
    fleet::{Fleet, Grant, Setup},
    report::{Report, Run},
    stored::{Kind, Stored},
};

pub const PROCESSES: usize = 20;

/// How long an access token lives.
pub const TTL: Duration = Duration::from_secs(5);

const HOUR: Duration = Duration::from_secs(3600);

/// Between two kills.
const BETWEEN: Duration = Duration::from_millis(200);

/// One kill of so many is of a process that is at the token endpoint, if there is one.
const AIMED: u32 = 3;

/// Between two stops.
const BETWEEN_STOPS: Duration = Duration::from_secs(3);

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// To the processes.
    Killed,
    /// To the store as well.
    Struck,
}

impl Faults {
    /// Those that there are for a kind of store.
    pub fn of(kind: Kind) -> Vec<Self> {
        match kind {
            Kind::Files => vec![Self::Killed],
            Kind::Redis => vec![Self::Killed, Self::Struck],
            Kind::Sentinels => vec![Self::Struck],
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Killed => "killed",
            Self::Struck => "struck",
        })
    }
}

/// Runs for so long.
pub async fn run(
    report: &mut Report,
    name: &str,
    kind: Kind,
    grant: Grant,
    faults: Faults,
    length: Duration,
) -> Result<(), BoxError> {
    let mut stored = Stored::new(kind).await?;
    // Nobody renews early, so that all of them wait for who was killed.
    let mut fleet =
        Fleet::new(Setup { manner: "child", place: stored.place(), grant, ttl: TTL, early: 0.0 }).await?;
    let took = rage(&mut fleet, &mut stored, faults, length).await?;
    fleet.end().await?;
    report.storm(&Run { name, grant, took }, &fleet.ledger.books());
    Ok(())
}

/// Twenty processes, and what happens to them for so long. Returns how long it was.
pub async fn rage(
    fleet: &mut Fleet,
    stored: &mut Stored,
    faults: Faults,
    length: Duration,
) -> Result<Duration, BoxError> {
    let begun = Instant::now();
    for _ in 0..PROCESSES {
        fleet.start(HOUR)?;
    }
    let mut tick = interval(BETWEEN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut next_stop, mut next_blow) = (begun + BETWEEN_STOPS, begun + stored.between_blows(Grant::Both));
    while begun.elapsed() < length {
        tick.tick().await;
        fleet.go_on()?;
        fleet.kill_one(fastrand::u32(..AIMED) == 0).await?;
        fleet.start(HOUR)?;
        if next_stop <= Instant::now() {
            next_stop += BETWEEN_STOPS;
            fleet.stop_one(Duration::from_millis(fastrand::u64(6000..8000)))?;
        }
        if faults == Faults::Struck && next_blow <= Instant::now() {
            next_blow += stored.between_blows(fleet.grant());
            let blow = stored.strike().await?;
            fleet.ledger.books().blows.extend(blow);
        }
    }
    Ok(begun.elapsed())
}
