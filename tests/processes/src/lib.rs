//! Processes of an operating system that share a token, and what they talk to. `main.rs` says what is done with them, and
//! `benches/fleet` measures with the same.

#![allow(clippy::print_stdout, reason = "it is for a program")]

use std::error::Error;

pub mod child;
pub mod counted;
pub mod fleet;
pub mod ledger;
pub mod place;
pub mod provider;
pub mod quiet;
pub mod redis;
pub mod redis_server;
pub mod report;
pub mod scenario;
pub mod sentinels;
pub mod server;
pub mod sharing;
pub mod stored;
pub mod storm;

pub type BoxError = Box<dyn Error + Send + Sync>;
