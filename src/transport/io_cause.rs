//! What I/O errors say of their cause, in the standard library's words: those of the system, or of whoever made the error,
//! may be anybody's.

use std::{
    error::Error as StdError,
    io::{self, ErrorKind},
    iter,
};

/// What the first I/O error in the chain of `error` says by its kind.
pub(super) fn io_cause(error: &(dyn StdError + 'static)) -> Option<String> {
    let chain = iter::successors(Some(error), |&error| error.source());
    let kind = chain.filter_map(|error| error.downcast_ref()).map(io::Error::kind).next()?;
    is_telling(kind).then(|| kind.to_string())
}

/// Whether somebody who is told nothing else knows what to look at.
pub(super) fn is_telling(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::AddrNotAvailable
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotConnected
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
    )
}
