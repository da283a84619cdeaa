//! Two hundred tenants behind one layer, in virtual time: some hang, some are down for a while, some are dead, some can't be
//! built; they are forgotten for want of room and removed while others wait for them. Everything from one seed, as in the rest
//! of the simulation.

mod event;
mod login;
mod run;
mod world;

pub(crate) use event::Event;
pub(crate) use run::{Outcome, run};
