//! Connections that become something else, such as WebSocket (RFC 9110 §7.8, RFC 6455). Knows nothing of vendors and tokens.
//!
//! [`Upgrades`] says which may be, and how many; a [`tunnel`] carries the bytes of one.

mod close;
mod tunnel;
mod upgrades;

pub(crate) use self::upgrades::{Asked, Upgrades};
