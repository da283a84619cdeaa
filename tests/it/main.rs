//! The crate's behaviour from outside, over sockets where these matter.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod client;
mod oauth2;
mod replay;
