//! What the bench programs share: the same work, the same trivial clients, the same credential.
//!
//! Making a request costs more than sending it through a layer. It is part of no time but the hot ones: see `timing.rs`.

#![allow(dead_code, unused_imports, reason = "each program uses its part")]

mod clients;
mod credential;
mod peers;
mod work;

pub(crate) use self::{
    clients::{Answering, Inner, Reading},
    credential::{Counted, HOUR, Stale, TOKEN, layer, signatures, warmed},
    peers::{OnUnauthorized, floor, retry},
    work::{Sweep, Work, call},
};
