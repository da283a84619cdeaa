//! The fakes keep their contracts.
