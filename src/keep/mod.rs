//! What is kept of a request so that it can be sent again.

mod exempt;
mod head;
mod not_replayed;
mod record;
mod recording;
mod replay_body;
mod request;
mod strategy;
mod tape;

pub use exempt::Exempt;
pub(crate) use head::KeptHead;
pub use not_replayed::NotReplayed;
pub use record::{RecordBodies, RecordedBody};
pub use replay_body::ReplayBody;
pub(crate) use request::KeptRequest;
pub use strategy::{CloneBodies, Keep, NoReplay};
