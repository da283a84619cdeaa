//! `reauth check`: reads a declaration, says what it does, and what it would do with answers that were recorded.

mod answer;
mod args;
mod file;
mod line;
mod play;
mod recording;
mod run;
mod words;

pub(crate) use self::{args::Args, run::run};
