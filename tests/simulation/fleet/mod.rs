//! Processes that share a token, on one store, in virtual time: killed at any await point, standing still, started again,
//! with another configuration than the others. Everything from one seed, as in the rest of the simulation.
//!
//! A process is a layer of its own, with its own credential. What it asks of others goes through
//! [`passes`](world::Fleet::passes): there it may be killed, or stand still, and then nothing of it is seen any more. What
//! it has sent by then arrives all the same.

mod account;
mod authority;
mod checks;
mod event;
mod plan;
mod process;
mod run;
mod store;
mod world;

pub(crate) use event::Event;
pub(crate) use run::{Outcome, run};
