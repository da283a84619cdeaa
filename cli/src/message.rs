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
    of_options(&line)
}

/// What the library says, as whoever writes no Rust knows it.
fn of_options(line: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        ("Origin::parse_allowing_plaintext_tokens", "--allow-plaintext-secrets"),
        (" allow_plaintext_secrets", " --allow-plaintext-secrets"),
        (" http2_prior_knowledge", " --http2-prior-knowledge"),
        ("Roots::Bundled", "--roots bundled"),
        ("`RedisStore::cluster`", "cluster:redis://HOST,redis://HOST,..."),
        ("ClientBuilder::identity", "--client-cert and --client-key"),
        ("trim what was read from a file, or give the file as a SecretSource", "leave that out"),
    ];
    WORDS.iter().fold(line.to_owned(), |line, (theirs, ours)| line.replace(theirs, ours))
}

/// Writes a line to standard error. Where nobody reads that any more, nothing is lost.
pub(crate) fn tell(line: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
