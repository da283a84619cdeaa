//! `reauth token`: prints a valid token, for scripts, and as a credential helper of git, Docker and kubectl.

mod args;
mod docker;
mod git;
mod helper;
mod input;
mod issued;
mod kubectl;
mod own;
mod run;
mod timestamp;

pub(crate) use self::{args::Args, run::run};
