//! Makes tables and a chart of what criterion and callgrind have measured. Every figure is read from their files.
//!
//! ```text
//! report <criterion's directory> <instructions.tsv> <machine> <out> [<readme>]
//! ```
//!
//! Writes `README.md` and `requests.svg` to `out`, prints the tables, and puts the shortest of them between the marks
//! of `readme`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

mod chart;
mod estimates;
mod tables;

use std::{env, error::Error, fs, path::Path};

use crate::{estimates::Run, tables::Report};

const BEGIN: &str = "<!-- Written by benches/run. -->\n";
const END: &str = "<!-- Up to here. -->\n";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (criterion, instructions, machine, out, readme) = match &arguments[..] {
        [criterion, instructions, machine, out] => (criterion, instructions, machine, out, None),
        [criterion, instructions, machine, out, readme] => {
            (criterion, instructions, machine, out, Some(readme))
        }
        _ => return Err("usage: report <criterion> <instructions.tsv> <machine> <out> [<readme>]".into()),
    };
    let run = Run::read(Path::new(criterion), Path::new(instructions))?;
    let report = Report { run: &run, machine };
    let (full, short) = (report.full()?, report.short()?);
    println!("{full}");
    fs::create_dir_all(out)?;
    fs::write(Path::new(out).join("README.md"), full)?;
    chart::draw(&run, &Path::new(out).join("requests.svg"))?;
    if let Some(readme) = readme {
        let text = fs::read_to_string(readme)?;
        let (before, rest) = text.split_once(BEGIN).ok_or("the readme has no mark to begin at")?;
        let (_, after) = rest.split_once(END).ok_or("the readme has no mark to end at")?;
        fs::write(readme, format!("{before}{BEGIN}{short}{END}{after}"))?;
    }
    Ok(())
}
