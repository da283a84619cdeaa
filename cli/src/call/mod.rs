//! `reauth call`: one call of a vendor's API from the command line, a small curl that sees to the token by itself.

mod args;
mod body;
mod data;
mod ending;
mod output;
mod progress;
mod report;
mod run;
mod whole;

pub(crate) use self::{args::Args, run::run};
