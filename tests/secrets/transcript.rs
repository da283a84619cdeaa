//! [`Transcript`]: everything that was logged or printed, and the search for a secret in it.

use std::{
    error::Error,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

/// Everything that was logged or printed.
#[derive(Clone, Default)]
pub(crate) struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    /// Takes down from now on what any crate logs.
    pub(crate) fn begin() -> Self {
        let transcript = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(transcript.clone());
        subscriber.init();
        transcript
    }

    pub(crate) fn print(&self, what: &dyn std::fmt::Debug) {
        let mut text = self.0.lock().expect("no panic");
        text.extend_from_slice(format!("{what:?}\n{what:#?}\n").as_bytes());
    }

    pub(crate) fn print_error(&self, error: &(dyn Error + 'static)) {
        self.print(&error);
        let mut chain = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            writeln!(chain, "{error}").expect("a string takes everything");
            next = error.source();
        }
        self.0.lock().expect("no panic").extend_from_slice(chain.as_bytes());
    }

    /// Fails if a secret is in it, in whatever form.
    pub(crate) fn assert_free_of(&self, secrets: &[String], whose: &str) {
        let text = self.text();
        for secret in secrets {
            for (form, written) in forms(secret) {
                if let Some(at) = text.find(&written) {
                    let before: Vec<char> = text[..at].chars().rev().take(300).collect();
                    let before: String = before.into_iter().rev().collect();
                    panic!("{whose}: a secret, {form}, after: {before}");
                }
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

impl io::Write for Transcript {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Transcript {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The ways in which a secret may be written, and both of its halves.
fn forms(secret: &str) -> [(&'static str, String); 7] {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let half = secret.char_indices().nth(secret.chars().count() / 2).map_or(0, |(at, _)| at);
    [
        ("as it is", secret.to_owned()),
        ("by its beginning", secret[..half].to_owned()),
        ("by its end", secret[half..].to_owned()),
        ("escaped", secret.escape_debug().to_string()),
        ("in base64", BASE64_STANDARD_NO_PAD.encode(secret)),
        ("in base64url", BASE64_URL_SAFE_NO_PAD.encode(secret)),
        ("percent-encoded", percent),
    ]
}
