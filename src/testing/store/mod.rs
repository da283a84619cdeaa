//! Stores for tests: one in memory, with faults, and what checks any other.

mod check;
mod checks;
mod conformance;
mod fault;
mod memory;

pub use conformance::{Conformance, store_conformance};
pub use fault::{StoreCall, StoreFault};
pub use memory::MemoryStore;
