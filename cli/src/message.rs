//! What is said to people: errors with their causes, and lines on standard error.

use std::{error::Error, fmt, io::Write};

/// An error, and what caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in their own words.
        if !line.ends_with(&cause_text) {
            line.push_str(": ");
            line.push_str(&cause_text);
        }
        next = cause.source();
    }
    line
}

/// Writes a line to standard error. Where nobody reads that any more, nothing is lost.
pub(crate) fn tell(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
