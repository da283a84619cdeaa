//! The tables, in Markdown.

use std::{
    error::Error,
    fmt::{self, Write},
};

use crate::estimates::{Row, Run};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

pub(crate) const OURS: &str = "Auth, ";
/// The heading of the section that can be measured by itself.
pub(crate) const HOT_PATH: &str = "## Hot path\n";
const BARE: &str = "bare inner service";
const FLOOR: &str = "AddAuthorization";
const HOT: &str = "hot path, cache hot";
const COLD: &str = "hot path, cache cold";

pub(crate) struct Report<'a> {
    pub(crate) run: &'a Run,
    pub(crate) machine: &'a str,
}

impl Report<'_> {
    /// All tables.
    pub(crate) fn full(&self) -> Result<String> {
        let mut page = format!(
            "# Performance\n\n{}. Written by `benches/run`, which measures all of this in one run.\n\
             A section that was measured by itself says so.\n\n{ABOUT}\n",
            self.machine
        );
        write!(page, "\n## Beside others\n\n{PEERS}\n\n{}", self.threads("peers")?)?;
        write!(page, "\n{HOT_PATH}\n{}", self.hot_path()?)?;
        write!(page, "\n## Two threads\n\n{}", self.threads("threads")?)?;
        write!(page, "\n## Number of headers\n\n{}", self.grid("headers", "Auth")?)?;
        write!(page, "\n## Looking at answers\n\n{}", self.list("rules")?)?;
        write!(page, "\n{}", self.grid("bodies", "Auth")?)?;
        write!(page, "\n{}", self.times("rejection")?)?;
        write!(page, "\n{TOKEN_ANSWERS}\n\n{}", self.token_answers()?)?;
        write!(page, "\n## Ten thousand at once\n\n{CROWD}\n\n{}", self.times("crowd")?)?;
        write!(page, "\n## Over hyper\n\n{OVER_HYPER}\n\n{}", self.end_to_end()?)?;
        write!(page, "\n## Instructions\n\n{}", self.instructions()?)?;
        Ok(page)
    }

    /// What the crate's README shows.
    pub(crate) fn short(&self) -> Result<String> {
        let (group, mut table) = ("peers", String::new());
        let floor = |threads| self.run.ns(group, FLOOR, threads);
        let (floor_of_one, floor_of_two) = (floor("1")?, floor("2")?);
        for Row { who, ns: one, .. } in self.run.group(group).into_iter().filter(|row| row.what == "1") {
            let two = self.run.ns(group, who, "2")? / floor_of_two;
            writeln!(
                table,
                "| {} | {} | {:.2} | {two:.2} |",
                emphasized(who),
                Time(*one),
                one / floor_of_one
            )?;
        }
        let head = "| | time | ÷ AddAuthorization | the same, two threads |\n|---|---:|---:|---:|";
        let chart = "![Time of a request, by layer](benches/results/requests.svg)";
        Ok(format!("\n{head}\n{table}\n{}.\n\n{chart}\n\n", self.machine))
    }

    /// Without its heading.
    pub(crate) fn hot_path(&self) -> Result<String> {
        let mut table = String::from(
            "| | hot | ÷ AddAuthorization | – bare | cold | ÷ AddAuthorization | – bare |\n\
             |---|---:|---:|---:|---:|---:|---:|\n",
        );
        for Row { who, .. } in self.run.group(HOT) {
            write!(table, "| {} |", emphasized(who))?;
            for group in [HOT, COLD] {
                let ns = self.run.ns(group, who, "")?;
                let (floor, bare) = (self.run.ns(group, FLOOR, "")?, self.run.ns(group, BARE, "")?);
                write!(table, " {} | {:.2} | {:.0} ns |", Time(ns), ns / floor, ns - bare)?;
            }
            writeln!(table)?;
        }
        let read = self.list("hot path, body read")?;
        Ok(format!(
            "{HOT_AND_COLD}\n\n{table}\n\
             The client reads the body, so recording it costs something; cold:\n\n{read}"
        ))
    }

    /// The ratios of both kinds, for the crate's README.
    pub(crate) fn hot_and_cold(&self) -> Result<String> {
        let ratio = |group, who| {
            Ok::<_, Box<dyn Error>>(self.run.ns(group, who, "")? / self.run.ns(group, FLOOR, "")?)
        };
        let (replayable, replay_off) = ("Auth, replayable", "Auth, replay off");
        Ok(format!(
            "\nCold, as in the table, with requests made beforehand, a request takes {:.2} times what it takes with\n\
             `AddAuthorization` ({:.2} with replay off); hot, with making it part of the time, {:.2} times ({:.2}):\n\
             [what each shows](benches/results/README.md#hot-path).\n\n",
            ratio(COLD, replayable)?,
            ratio(COLD, replay_off)?,
            ratio(HOT, replayable)?,
            ratio(HOT, replay_off)?,
        ))
    }

    /// What is said of the hot path if it was measured by itself.
    pub(crate) fn of_its_own(&self) -> Result<String> {
        let passes = self.run.group(HOT).first().ok_or("the hot path wasn't measured")?.passes;
        Ok(format!("Measured in a run of its own, the fastest of {passes} passes:\n{}.\n", self.machine))
    }

    /// Rows with their ratios to those that do nothing, and next to nothing.
    fn list(&self, group: &str) -> Result<String> {
        let mut table = String::from("| | time | ÷ AddAuthorization | ÷ bare |\n|---|---:|---:|---:|\n");
        for Row { who, what, ns, .. } in self.run.group(group) {
            let (floor, bare) = (self.run.ns(group, FLOOR, what)?, self.run.ns(group, BARE, what)?);
            writeln!(table, "| {who} | {} | {:.2} | {:.2} |", Time(*ns), ns / floor, ns / bare)?;
        }
        Ok(table)
    }

    /// What there is nothing to compare with.
    fn times(&self, group: &str) -> Result<String> {
        let mut table = String::from("| | time |\n|---|---:|\n");
        for Row { who, what, ns, .. } in self.run.group(group) {
            let name = if what.is_empty() { who } else { what };
            writeln!(table, "| {name} | {} |", Time(*ns))?;
        }
        Ok(table)
    }

    /// Token endpoints' longest answers, beside what reading them takes by itself.
    fn token_answers(&self) -> Result<String> {
        let (group, value) = ("token answers", "serde_json::Value");
        let mut table = format!("| | `{value}` | `TokenEndpoint` | ÷ `{value}` |\n|---|---:|---:|---:|\n");
        for Row { what, ns, .. } in self.run.group(group).into_iter().filter(|row| row.who == "TokenEndpoint")
        {
            let alone = self.run.ns(group, value, what)?;
            writeln!(table, "| {what} | {} | {} | {:.2} |", Time(alone), Time(*ns), ns / alone)?;
        }
        Ok(table)
    }

    /// One row for each, with one and with two threads.
    fn threads(&self, group: &str) -> Result<String> {
        let mut table = String::from(
            "| | 1 thread | ÷ AddAuthorization | ÷ bare | 2 threads | ÷ AddAuthorization | ÷ its 1 thread |\n\
             |---|---:|---:|---:|---:|---:|---:|\n",
        );
        let (floor, bare) = (self.run.ns(group, FLOOR, "1")?, self.run.ns(group, BARE, "1")?);
        let floor_of_two = self.run.ns(group, FLOOR, "2")?;
        for Row { who, ns: one, .. } in self.run.group(group).into_iter().filter(|row| row.what == "1") {
            let two = self.run.ns(group, who, "2")?;
            writeln!(
                table,
                "| {} | {} | {:.2} | {:.2} | {} | {:.2} | {:.2} |",
                emphasized(who),
                Time(*one),
                one / floor,
                one / bare,
                Time(two),
                two / floor_of_two,
                two / one
            )?;
        }
        Ok(table)
    }

    /// One row for each thing that was measured, and a column for each that was measured with it.
    fn grid(&self, group: &str, ours: &str) -> Result<String> {
        let rows = self.run.group(group);
        let mut whats: Vec<&str> = rows.iter().map(|row| &*row.what).collect();
        whats.dedup();
        let mut table = format!(
            "| | bare | AddAuthorization | {ours} | ÷ AddAuthorization |\n|---|---:|---:|---:|---:|\n"
        );
        for what in whats {
            let ns = |who| self.run.ns(group, who, what);
            let (bare, floor, ours) = (ns(BARE)?, ns(FLOOR)?, ns(ours)?);
            writeln!(
                table,
                "| {what} | {} | {} | {} | {:.2} |",
                Time(bare),
                Time(floor),
                Time(ours),
                ours / floor
            )?;
        }
        Ok(table)
    }

    fn end_to_end(&self) -> Result<String> {
        let (group, cpu) = ("end to end", "end to end, CPU");
        let mut table = String::from(
            "| | | requests/s | ÷ no layer | client's CPU | ÷ no layer |\n|---|---|---:|---:|---:|---:|\n",
        );
        for Row { who, what, ns, .. } in self.run.group(group) {
            let without = self.run.ns(group, "no layer", what)?;
            write!(table, "| {what} | {who} | {:.0} | {:.3} | ", 1e9 / ns, without / ns)?;
            match (self.run.ns(cpu, who, what), self.run.ns(cpu, "no layer", what)) {
                (Ok(cpu), Ok(without)) => writeln!(table, "{} | {:.3} |", Time(cpu), cpu / without)?,
                // Only Linux tells the CPU time of a thread.
                _ => writeln!(table, "– | – |")?,
            }
        }
        Ok(table)
    }

    fn instructions(&self) -> Result<String> {
        let count = |row: &str| self.run.instructions(row);
        let Some(_) = count("inner") else { return Ok("valgrind was not to be had.\n".to_owned()) };
        let mut table = format!(
            "{INSTRUCTIONS}\n\n| | instructions | – bare | – AddAuthorization |\n|---|---:|---:|---:|\n"
        );
        let sections = [
            (
                "",
                &[
                    "inner",
                    "add-authorization",
                    "retry",
                    "replay-off",
                    "replayable",
                    "replayable-cloned",
                    "replayable-shared",
                ][..],
            ),
            ("", &["replayable:no-default-features", "replayable:tracing-and-metrics"]),
            (
                "reading-",
                &["reading-inner", "reading-add-authorization", "reading-replayable", "reading-recorded"],
            ),
            (
                "hyper:",
                &[
                    "hyper:inner",
                    "hyper:add-authorization",
                    "hyper:retry",
                    "hyper:replay-off",
                    "hyper:replayable",
                ],
            ),
        ];
        for (of, rows) in sections {
            for row in rows {
                // Compared with what was built in the same way.
                let features = row.strip_prefix(of).and_then(|row| row.find(':').map(|at| &row[at..]));
                let counted = |name: &str| count(name).ok_or_else(|| format!("{name} wasn't counted"));
                let baseline = |name| counted(&format!("{of}{name}{}", features.unwrap_or_default()));
                let (all, inner, floor) = (counted(row)?, baseline("inner")?, baseline("add-authorization")?);
                write!(table, "| {row} | {all:.0} | {:.0}", all - inner)?;
                if of == "hyper:" {
                    write!(table, " ({:+.1} %)", 100.0 * (all - inner) / inner)?;
                }
                writeln!(table, " | {:.0} |", all - floor)?;
            }
        }
        Ok(table)
    }
}

pub(crate) fn emphasized(who: &str) -> String {
    if who.starts_with(OURS) { format!("**{who}**") } else { who.to_owned() }
}

/// Nanoseconds, with three digits.
pub(crate) struct Time(pub(crate) f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            ns if ns < 1e3 => (ns, "ns"),
            ns if ns < 1e6 => (ns / 1e3, "µs"),
            ns => (ns / 1e6, "ms"),
        };
        let digits = match value {
            value if value >= 100.0 => 0,
            value if value >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{value:.digits$} {unit}")
    }
}

const ABOUT: &str = "\
The work is a POST with 8 headers (3 static, 2 that share their memory, 3 made anew) and a `Full<Bytes>` of 200 bytes, to
an inner service that answers 200 at once. The token is cached and valid. Making requests is part of no time but the hot
ones. Each row is the fastest of its passes: thirty brief ones, three for crowds and over hyper (with `--quick`, one).
Times mean nothing on another machine, ratios do, a little. `AddAuthorization` is tower-http's: a header that never
changes, which is the floor of what can be had.";

const PEERS: &str = "\
What each doesn't do is in brackets. Those that only make a header or a token are given the code that puts it on a request,
and no service around it. `aws` and `azure_core` have requests of their own type, so their own cost more to drop. With two
threads, each has a clone.";

const HOT_AND_COLD: &str = "\
Hot, each request is made, sent and dropped before the next one is made. All of it stays in the first-level cache, and
making it is part of the time. Cold, as nearly everywhere on this page, 64 requests are made beforehand, which is more
than that cache holds. Each comes from the second-level cache when it is sent, and making it is part of no time.

A ratio can be compared with others of its kind only: making a request is most of what the hot ones divide by, and is no
part of the cold ones. What a row takes more than the bare inner service (– bare) is its own in both. Hot counts for
programs: how much longer it takes them to make a request and send it. Cold counts for whoever compares layers, or
changes one: no difference is hidden by what is the same for all.";

const TOKEN_ANSWERS: &str =
    "A token endpoint's answer of 1 MiB, written, sent and read, beside its bytes as a value alone:";
const CROWD: &str = "\
On one thread. Token calls are counted: one for each cold start, one refresh for each storm, and the bench fails otherwise.
A cold start is timed from when the token is there. In a storm the token endpoint takes 10 ms, and each request is sent
twice. By hand, all wait for one channel, and a request is cloned before it is sent: what can't be done with less, and
without a cache, failures, deadlines, or anything else.";

const OVER_HYPER: &str = "\
hyper-util's client on loopback, one thread; the server is another process. CPU is the client's, for each request.
Both differ by a fifth and more from run to run, whatever is measured: the counts of instructions below are what tells.";

const INSTRUCTIONS: &str = "\
Of one request, counted by callgrind: those of 11,000 less those of 1,000, by 10,000. Making the request is part of them.
`reading-` is with an inner service that reads the body. `hyper:` is the client of a real connection, HTTP/1.1.";
