//! What the bench programs share: the same work, the same trivial clients, the same credential.
//!
//! Each row of a bench builds its requests within what is measured: [`Work::request`] costs the same everywhere, so it
//! belongs to the bare inner service as well, and differences between rows are the layers' own.

#![allow(dead_code, unused_imports, reason = "each program uses its part")]

mod clients;
mod credential;
mod peers;
mod work;

pub use self::{
    clients::{Answering, Inner, Reading},
    credential::{Counted, TOKEN, layer, signatures},
    peers::{OnUnauthorized, floor, retry},
    work::{Sweep, Work, call},
};
