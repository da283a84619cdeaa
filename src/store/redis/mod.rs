//! A store in Redis or Valkey.

mod address;
mod advice;
mod calls;
mod cause;
mod cluster;
mod hash_slot;
mod line;
#[cfg_attr(not(feature = "tracing"), path = "no_logs.rs")]
mod logs;
mod redis_store;
mod reply;
mod script;
mod sentinels;
mod servers;
mod tls;

pub use redis_store::RedisStore;

#[cfg(test)]
mod tests;
