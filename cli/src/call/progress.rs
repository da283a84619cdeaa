//! [`Progress`]: how far a long upload or download is, for people who watch a terminal, and for nobody else.

use std::{
    io::{self, IsTerminal},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

/// What is over sooner than that needs no bar.
const SOON: Duration = Duration::from_secs(1);

const KNOWN: &str = "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const UNKNOWN: &str = "{prefix} {bytes} {bytes_per_sec}";

/// How far it is. Clones are about the same call.
#[derive(Clone)]
pub(crate) struct Progress(Option<Arc<Mutex<Bar>>>);

struct Bar {
    bar: ProgressBar,
    began: Instant,
    is_shown: bool,
}

impl Progress {
    /// One that is shown if standard error is a terminal.
    pub(crate) fn new() -> Self {
        let bar = || Bar { bar: ProgressBar::hidden(), began: Instant::now(), is_shown: false };
        Self(io::stderr().is_terminal().then(|| Arc::new(Mutex::new(bar()))))
    }

    /// An upload begins, of so many bytes if that is known.
    pub(crate) fn upload(&self, total: Option<u64>) {
        self.begin("sent", total);
    }

    /// A download begins, of so many bytes if that is known. What is printed on a terminal is seen there itself.
    pub(crate) fn download(&self, total: Option<u64>) {
        self.end();
        if !io::stdout().is_terminal() {
            self.begin("received", total);
        }
    }

    /// So many bytes more have been moved.
    pub(crate) fn moved(&self, bytes: usize) {
        let Some(mut state) = self.lock() else { return };
        if !state.is_shown && state.began.elapsed() >= SOON {
            state.is_shown = true;
            state.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        state.bar.inc(bytes as u64);
    }

    /// It is over, and leaves nothing on the terminal.
    pub(crate) fn end(&self) {
        if let Some(state) = self.lock() {
            state.bar.finish_and_clear();
        }
    }

    fn begin(&self, what: &'static str, total: Option<u64>) {
        let Some(mut state) = self.lock() else { return };
        let template = if total.is_some() { KNOWN } else { UNKNOWN };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        *state = Bar { bar: bar.with_style(style).with_prefix(what), began: Instant::now(), is_shown: false };
    }

    fn lock(&self) -> Option<MutexGuard<'_, Bar>> {
        Some(self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
