//! A store of files, for programs on one machine.

mod cause;
mod directory;
mod disk;
#[cfg_attr(not(test), path = "no_failpoint.rs")]
mod failpoint;
mod file_store;
#[cfg_attr(not(target_os = "linux"), path = "no_file_system.rs")]
mod file_system;
mod lock;
#[cfg_attr(not(target_os = "linux"), path = "no_owner.rs")]
mod owner;
#[cfg_attr(not(unix), path = "no_rights.rs")]
mod rights;

pub use file_store::FileStore;

#[cfg(test)]
mod tests;
