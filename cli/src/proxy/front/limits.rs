//! [`Limits`]: how much clients may take of the proxy.

use std::time::Duration;

use clap::{Args, value_parser};

use crate::options::seconds;

/// Bounds on everything that clients could make grow.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// How many connections may be open; more of them wait until one ends
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,

    /// How long a client may take to send the head of a request, from its first byte on, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) head_timeout: Duration,

    /// How long a connection may be without a request, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "75", value_parser = seconds)]
    pub(crate) idle_timeout: Duration,

    /// How long a client may take in nothing of what is ready for it, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) stall_timeout: Duration,

    /// How long the head of a request may be, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65536, value_parser = value_parser!(u32).range(8192..=16_777_216))]
    pub(crate) max_head: u32,

    /// How many fields the head of a request may have; over HTTP/2 its bytes alone are counted
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = value_parser!(u16).range(10..=10_000))]
    pub(crate) max_fields: u16,

    /// How many connections may be upgraded, to WebSocket for instance
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_upgrades: u32,

    /// How long nothing may move on an upgraded connection, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub(crate) upgrade_timeout: Duration,

    /// How many requests may be under way at once on a connection of HTTP/2
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) max_streams: u32,
}
