//! `reauth proxy`: a local reverse proxy that puts a vendor's token on requests, so that any program can call the vendor
//! without knowing of tokens.
//!
//! A request comes in at [`front`], and [`site`] leads it on: through [`guard`], which says whether it may be made at all,
//! then [`headers`], which takes out what is not for the vendor, then [`forward`], which sends it.

mod args;
mod body;
mod course;
mod current;
mod forward;
mod front;
mod guard;
mod headers;
mod health;
mod keys;
mod line;
mod metrics;
mod no_answer;
mod passing;
mod problem;
mod serve;
mod setup;
mod signals;
mod site;
mod table;
mod target;
mod upgrade;

pub(crate) use self::{args::Args, serve::run};
