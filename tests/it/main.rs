//! The crate's behaviour from outside, over sockets where these matter.

#![allow(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod api_video;
mod auto_traits;
mod base_path;
mod client;
mod clients;
mod declared;
mod failures;
mod flights;
mod oauth2;
mod origins;
mod patterns;
mod placements;
#[cfg(unix)]
mod platform;
mod readiness;
mod replay;
mod restarts;
mod sharing;
mod stacks;
mod streaming;
mod support;
mod tenants;
mod vendors;
mod videsk;
mod vidizmo;
mod wire;
mod workload;
