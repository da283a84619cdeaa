//! Makes tables and a chart of what criterion and callgrind have measured. Every figure is read from their files.
//!
//! ```text
//! report <criterion's directory> <instructions.tsv> <machine> <out> [<readme>]
//! report hot-path <criterion's directory> <machine> <out> <readme>
//! report tenants <criterion's directory> <tenants.tsv> <machine> <out>
//! ```
//!
//! The first writes `README.md` and `requests.svg` to `out`, prints the tables, and puts what is short between the marks
//! of `readme`. The second needs nothing but what was measured of the hot path, and replaces what is said of that. The
//! third writes `tenants.md`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

mod chart;
mod estimates;
mod tables;
mod tenants;

use std::{env, error::Error, fs, path::Path};

use crate::{
    estimates::Run,
    tables::{HOT_PATH, Report},
};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The marks in the crate's README.
const BEGIN: &str = "<!-- Written by benches/run. -->\n";
const BEGIN_HOT_PATH: &str = "<!-- Written by benches/run: hot and cold. -->\n";
const END: &str = "<!-- Up to here. -->\n";

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["hot-path", criterion, machine, out, readme] => hot_path(criterion, machine, out, readme),
        ["tenants", criterion, counted, machine, out] => {
            let page = tenants::page(&Run::read(Path::new(criterion), None)?, Path::new(counted), machine)?;
            println!("{page}");
            fs::create_dir_all(out)?;
            fs::write(Path::new(out).join("tenants.md"), page)?;
            Ok(())
        }
        [criterion, instructions, machine, out] => all(criterion, instructions, machine, out, None),
        [criterion, instructions, machine, out, readme] => {
            all(criterion, instructions, machine, out, Some(readme))
        }
        _ => Err("usage: report <criterion> <instructions.tsv> <machine> <out> [<readme>], \
                  or report hot-path <criterion> <machine> <out> <readme>, \
                  or report tenants <criterion> <tenants.tsv> <machine> <out>"
            .into()),
    }
}

fn all(criterion: &str, instructions: &str, machine: &str, out: &str, readme: Option<&str>) -> Result<()> {
    let run = Run::read(Path::new(criterion), Some(Path::new(instructions)))?;
    let report = Report { run: &run, machine };
    let (full, short, hot_and_cold) = (report.full()?, report.short()?, report.hot_and_cold()?);
    println!("{full}");
    fs::create_dir_all(out)?;
    fs::write(Path::new(out).join("README.md"), full)?;
    chart::draw(&run, &Path::new(out).join("requests.svg"))?;
    if let Some(readme) = readme {
        let text = replaced(&fs::read_to_string(readme)?, BEGIN, END, &short)?;
        fs::write(readme, replaced(&text, BEGIN_HOT_PATH, END, &hot_and_cold)?)?;
    }
    Ok(())
}

/// Both say where and when this was measured, as the rest may have been measured elsewhere.
fn hot_path(criterion: &str, machine: &str, out: &str, readme: &str) -> Result<()> {
    let run = Run::read(Path::new(criterion), None)?;
    let report = Report { run: &run, machine };
    let section = format!("\n{}\n{}", report.of_its_own()?, report.hot_path()?);
    println!("{section}");
    let page = Path::new(out).join("README.md");
    fs::write(&page, replaced(&fs::read_to_string(&page)?, HOT_PATH, "\n## ", &section)?)?;
    let hot_and_cold = format!("{}{}\n", report.hot_and_cold()?, report.of_its_own()?);
    fs::write(readme, replaced(&fs::read_to_string(readme)?, BEGIN_HOT_PATH, END, &hot_and_cold)?)?;
    Ok(())
}

/// `text` with something else between these two marks.
fn replaced(text: &str, begin: &str, end: &str, between: &str) -> Result<String> {
    let (before, rest) = text.split_once(begin).ok_or_else(|| format!("there is no {begin:?}"))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| format!("there is no {end:?} after {begin:?}"))?;
    Ok(format!("{before}{begin}{between}{end}{after}"))
}
