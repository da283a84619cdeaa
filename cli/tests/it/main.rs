//! The program `reauth`, run as a process against fakes on loopback sockets.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod call;
mod catalogue;
mod check;
mod clients;
mod config;
mod connections;
mod declared;
mod full;
mod gateway;
mod killed;
mod login;
mod manual;
mod proxy;
mod store;
mod subcommands;
mod support;
mod token;
mod vendors;
