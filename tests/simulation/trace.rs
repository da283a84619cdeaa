//! The story of one run, line by line, in virtual time.

use std::{fmt, time::Duration};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    lines: Vec<(Duration, String)>,
    closed: bool,
}

impl Trace {
    pub(crate) fn add(&mut self, at: Duration, line: String) {
        if !self.closed {
            self.lines.push((at, line));
        }
    }

    /// Nothing more is added.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// The last `count` lines.
    pub(crate) fn tail(&self, count: usize) -> Tail<'_> {
        Tail { skipped: self.lines.len().saturating_sub(count), lines: &self.lines }
    }
}

pub(crate) struct Tail<'a> {
    skipped: usize,
    lines: &'a [(Duration, String)],
}

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.skipped > 0 {
            writeln!(f, "  ... {} lines before", self.skipped)?;
        }
        for (at, line) in &self.lines[self.skipped..] {
            writeln!(f, "{:>10.3} s  {line}", at.as_secs_f64())?;
        }
        Ok(())
    }
}
