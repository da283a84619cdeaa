//! `reauth vendors`: which vendors the catalogue declares, and what is known of one.

mod args;
mod entry;
mod run;

pub(crate) use self::{args::Args, run::run};
