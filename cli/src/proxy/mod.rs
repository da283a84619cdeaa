//! `reauth proxy`: a local reverse proxy that puts a vendor's token on requests, so that any program can call the vendor
//! without knowing of tokens.
//!
//! A request goes through [`guard`], which says whether it may be made at all, then [`headers`], which takes out what
//! is not for the vendor, then [`forward`], which sends it.

mod args;
mod forward;
mod guard;
mod headers;
mod health;
mod problem;
mod serve;
mod signals;

pub(crate) use self::{args::Args, serve::run};
