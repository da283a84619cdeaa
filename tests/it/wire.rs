//! What real token endpoints answer, over sockets and byte for byte, in the three ways in which a vendor is declared: as
//! a `TokenEndpoint`, in a file, and with the builders of OAuth 2.0. One file for each kind of oddity. `sent` has
//! what is sent to them.

mod bodies;
mod charsets;
mod elsewhere;
mod files;
mod forms;
mod jwts;
mod later;
mod lifetimes;
mod members;
mod odd;
mod pauses;
mod recovery;
mod refusals;
mod schemes;
mod sent;
mod types;
mod values;
mod ways;
mod world;
