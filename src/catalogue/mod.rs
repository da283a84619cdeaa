#![doc = include_str!("../../docs/catalogue.md")]

mod named;
mod nearest;

pub use named::names;

#[cfg(test)]
mod tests;
