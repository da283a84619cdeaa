//! What clients connect to: sockets, connections and their limits. Knows nothing of vendors and tokens.
//!
//! [`accept`] takes connections off a [`listener`], and [`connection`] drives each of them, for as long as its
//! [`pulse`] says that something goes on.

mod accept;
mod address;
mod answer;
mod connection;
mod descriptors;
mod ending;
mod held;
mod limits;
mod link;
mod listener;
mod metered;
mod places;
mod pulse;
#[cfg(unix)]
mod socket_file;
mod streams;

pub(crate) use self::{
    accept::accept,
    address::Address,
    answer::{Answers, Arrival},
    descriptors::make_room,
    ending::{Ended, Ending},
    limits::Limits,
    listener::Listener,
    places::Places,
};
