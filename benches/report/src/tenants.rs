//! The page about tenants.

use std::{collections::HashMap, error::Error, fmt::Write, fs, path::Path};

use crate::{
    estimates::{Row, Run},
    tables::{Time, emphasized},
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const GROUP: &str = "tenants";
const SINGLE: &str = "Auth, one credential";

/// The page, with what `benches/tenants.rs` has counted.
pub(crate) fn page(run: &Run, counted: &Path, machine: &str) -> Result<String> {
    let passes = run.group(GROUP).first().ok_or("the tenants weren't measured")?.passes;
    let mut page = format!(
        "# Tenants\n\n{machine}, the fastest of {passes} passes. Written by `benches/run --tenants`.\n\n{ABOUT}\n\n{}",
        lookup(run)?
    );
    write!(page, "\n{MILLION}\n\n{}", times(run, GROUP, |row| row.what.starts_with("1000000,"))?)?;
    write!(page, "\n{EVICTION}\n\n{}", times(run, "tenants, room for a tenth", |_| true)?)?;
    write!(page, "\n{COLD}\n\n{}", times(run, "crowd of tenants", |_| true)?)?;
    write!(page, "\n{COUNTED}\n\n| | |\n|---|---:|\n")?;
    let text = fs::read_to_string(counted)?;
    let counts: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    for (what, count) in counts {
        writeln!(page, "| {what} | {count} |")?;
    }
    Ok(page)
}

/// One thread and two, one tenant and a thousand.
fn lookup(run: &Run) -> Result<String> {
    let mut table = String::from(
        "| tenants | | 1 thread | – one credential | 2 threads | ÷ its 1 thread |\n|---|---|---:|---:|---:|---:|\n",
    );
    for count in ["1", "1000"] {
        let (one, two) = (format!("{count}, 1"), format!("{count}, 2"));
        let single = run.ns(GROUP, SINGLE, &one)?;
        for Row { who, ns, .. } in run.group(GROUP).into_iter().filter(|row| row.what == one) {
            let of_two = run.ns(GROUP, who, &two)?;
            writeln!(
                table,
                "| {count} | {} | {} | {:+.0} ns | {} | {:.2} |",
                emphasized(who),
                Time(*ns),
                ns - single,
                Time(of_two),
                of_two / ns
            )?;
        }
    }
    Ok(table)
}

fn times(run: &Run, group: &str, fits: impl Fn(&Row) -> bool) -> Result<String> {
    let mut table = String::from("| | | time |\n|---|---|---:|\n");
    for row in run.group(group).into_iter().filter(|row| fits(row)) {
        writeln!(table, "| {} | {} | {} |", emphasized(&row.who), row.what, Time(row.ns))?;
    }
    Ok(table)
}

const ABOUT: &str = "\
The request is that of the other page, with an id in its extensions, sent for one tenant or for any of a thousand. By hand
is what people write: a map with a service for each tenant, which grows for ever. The floor is a cache that has nothing but
each tenant's header, and never gets a token.";

const MILLION: &str = "Any of a million, which no cache of a processor holds:";

const EVICTION: &str = "\
Any of a hundred thousand, with room for a tenth of them. Who isn't there is built, and gets its token without waiting for
anybody. Making the request is part of the time.";

const COLD: &str = "\
Ten thousand tenants without a token at once, whose endpoint takes 10 ms, 64 at a time, which takes 1.57 s at least. Token
calls are counted, and who is there at a time: the bench fails if that isn't one for each, and no more than 64.";

const COUNTED: &str = "\
Counted. The bench fails if made-up ids, ten for each request of a thousand real tenants and a million in all, drive out
more than one of a hundred of those requests' tenants, with room for two thousand.";
