//! What was measured: criterion's estimates, and the instructions that callgrind has counted.

use std::{
    collections::HashMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Deserialize;

/// Everything that one run has measured.
pub(crate) struct Run {
    /// In the order in which they were first measured; of those that were measured several times, the fastest.
    rows: Vec<Row>,
    instructions: HashMap<String, f64>,
}

/// One row of a bench.
pub(crate) struct Row {
    pub(crate) group: String,
    pub(crate) who: String,
    /// What was measured, in groups that measure several things.
    pub(crate) what: String,
    pub(crate) ns: f64,
    /// How often it was measured.
    pub(crate) passes: usize,
}

impl Row {
    fn is_of(&self, other: &Self) -> bool {
        (&self.group, &self.who, &self.what) == (&other.group, &other.who, &other.what)
    }
}

impl Run {
    /// Reads all of it. There needn't be any instructions: valgrind isn't to be had everywhere.
    pub(crate) fn read(criterion: &Path, instructions: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let mut found = Vec::new();
        find(criterion, &mut found)?;
        found.sort_by_key(|(at, _)| *at);
        let mut rows: Vec<Row> = Vec::new();
        for (_, path) in &found {
            let row = row(path)?;
            match rows.iter_mut().find(|known| known.is_of(&row)) {
                // Whatever else a machine does makes things slower, and never faster.
                Some(known) => {
                    known.ns = known.ns.min(row.ns);
                    known.passes += 1;
                }
                None => rows.push(row),
            }
        }
        let text = instructions.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let mut counts = HashMap::new();
        for line in text.lines() {
            let mut fields = line.split('\t');
            let (Some(name), Some(count)) = (fields.next(), fields.next()) else { continue };
            counts.insert(name.to_owned(), count.parse()?);
        }
        Ok(Self { rows, instructions: counts })
    }

    pub(crate) fn group(&self, group: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.group == group).collect()
    }

    /// How long it took who is called so, or whose name begins so, in nanoseconds.
    pub(crate) fn ns(&self, group: &str, who: &str, what: &str) -> Result<f64, Box<dyn Error>> {
        let found = |fits: &dyn Fn(&str) -> bool| {
            self.rows.iter().find(|row| row.group == group && row.what == what && fits(&row.who))
        };
        let row = found(&|name| name == who).or_else(|| found(&|name| name.starts_with(who)));
        Ok(row.ok_or_else(|| format!("{group} has no row {who}, {what}"))?.ns)
    }

    pub(crate) fn instructions(&self, row: &str) -> Option<f64> {
        self.instructions.get(row).copied()
    }
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Of criterion's estimates, the one that what else the machine does has the least to do with.
fn row(directory: &Path) -> Result<Row, Box<dyn Error>> {
    let benchmark: Benchmark = serde_json::from_slice(&fs::read(directory.join("benchmark.json"))?)?;
    let estimates: Estimates = serde_json::from_slice(&fs::read(directory.join("estimates.json"))?)?;
    let ns = estimates.median.point_estimate;
    let (who, what) = match (benchmark.function_id, benchmark.value_str) {
        (Some(who), what) => (who, what.unwrap_or_default()),
        (None, who) => (who.unwrap_or_default(), String::new()),
    };
    Ok(Row { group: benchmark.group_id, who, what, ns, passes: 1 })
}

/// The directories of the newest estimates, with the time at which they were made.
fn find(directory: &Path, found: &mut Vec<(SystemTime, PathBuf)>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.ends_with("new") {
            found.push((fs::metadata(path.join("estimates.json"))?.modified()?, path));
        } else if path.is_dir() {
            find(&path, found)?;
        }
    }
    Ok(())
}
