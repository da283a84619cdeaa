//! [`Pulse`]: what goes on on a connection, and until when it may be so.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::limits::Limits;

/// What every connection of HTTP/2 begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long a connection that is asked to close may take to do so.
const CLOSING: Duration = Duration::from_secs(5);

/// What one connection does now. Whoever reads and writes says so; nobody needs a timer for that.
pub(super) struct Pulse {
    state: Mutex<State>,
}

struct State {
    doing: Doing,
    since: Instant,
    /// Since when the client takes in nothing of what is ready for it.
    stalled: Option<Instant>,
    protocol: Protocol,
    head: Duration,
    idle: Duration,
    stall: Duration,
    /// It is to be asked to close at once, whatever it does.
    is_last: bool,
    /// When it has to be closed, once it was asked to.
    close_by: Option<Instant>,
    /// Whether the last request had a body, of which not all may have come.
    has_body: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Doing {
    /// Nothing.
    Idle,
    /// A head has begun to come.
    Head,
    /// So many requests are being answered.
    Busy(u32),
}

#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    /// So much of the preface of HTTP/2 has come.
    Open(usize),
    Http1,
    Http2,
}

/// Why a connection has to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Over {
    /// There is no request, or is to be none.
    Idle,
    /// The client is too slow, or doesn't close what it was asked to close.
    Dead,
}

/// A request that is being answered, for as long as this is held.
pub(super) struct Busy(Arc<Pulse>);

impl Pulse {
    pub(super) fn new(limits: &Limits) -> Self {
        let state = State {
            doing: Doing::Idle,
            since: Instant::now(),
            stalled: None,
            protocol: Protocol::Open(0),
            head: limits.head_timeout,
            idle: limits.idle_timeout,
            stall: limits.stall_timeout,
            is_last: false,
            close_by: None,
            has_body: false,
        };
        Self { state: Mutex::new(state) }
    }

    /// The client has sent something.
    pub(super) fn sends(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.state();
        state.protocol = state.protocol.after(bytes);
        // Of HTTP/2, what isn't a request keeps nothing alive, and there is no end to a head that begins: pings look alike.
        if state.doing == Doing::Idle && state.protocol != Protocol::Http2 {
            (state.doing, state.since) = (Doing::Head, Instant::now());
        }
    }

    /// The client takes in what is ready for it.
    pub(super) fn takes(&self) {
        self.state().stalled = None;
    }

    /// The client takes in nothing.
    pub(super) fn stalls(&self) {
        self.state().stalled.get_or_insert_with(Instant::now);
    }

    /// A request has come, whose body may be on its way.
    pub(super) fn begin(self: &Arc<Self>, has_body: bool) -> Busy {
        let mut state = self.state();
        state.has_body = has_body;
        state.doing = match state.doing {
            Doing::Busy(requests) => Doing::Busy(requests + 1),
            _ => Doing::Busy(1),
        };
        drop(state);
        Busy(Arc::clone(self))
    }

    /// From now on there is less time until the next request.
    pub(super) fn linger(&self, at_most: Duration) {
        let mut state = self.state();
        state.idle = state.idle.min(at_most);
        state.close_by = state.close_by.map(|at| at.min(Instant::now() + at_most));
        if state.doing == Doing::Idle {
            state.since = Instant::now();
        }
    }

    /// No other request is wanted.
    pub(super) fn is_last(&self) {
        self.state().is_last = true;
    }

    /// The connection was asked to close.
    pub(super) fn closes(&self) {
        self.state().close_by.get_or_insert_with(|| Instant::now() + CLOSING);
    }

    /// Nothing more is written. Whether the client may be sending still, as it does whose body nobody wanted: if nobody read that, it would be
    /// told of a connection that is reset, and not of the answer (RFC 9112 §9.6).
    pub(super) fn is_sent_to(&self) -> bool {
        let mut state = self.state();
        let is_so = state.has_body && state.protocol != Protocol::Http2 && state.since.elapsed() < CLOSING;
        if is_so {
            let wait = CLOSING.min(state.idle);
            state.close_by.get_or_insert_with(|| Instant::now() + wait);
        }
        is_so
    }

    /// Whether it speaks HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.state().protocol == Protocol::Http2
    }

    /// When the connection is over if nothing changes until then, and why.
    pub(super) fn over_at(&self) -> Option<(Instant, Over)> {
        let state = self.state();
        if state.is_last && state.close_by.is_none() {
            return Some((state.since, Over::Idle));
        }
        let at = |since: Instant, limit: Duration, why| since.checked_add(limit).map(|at| (at, why));
        let request = match state.doing {
            Doing::Idle if state.close_by.is_none() => at(state.since, state.idle, Over::Idle),
            Doing::Head => at(state.since, state.head, Over::Dead),
            Doing::Idle | Doing::Busy(_) => None,
        };
        let stalled = state.stalled.and_then(|since| at(since, state.stall, Over::Dead));
        // Whoever is being answered may take as long as it takes.
        let is_busy = matches!(state.doing, Doing::Busy(_));
        let closing = state.close_by.filter(|_| !is_busy).map(|at| (at, Over::Dead));
        [request, stalled, closing].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Protocol {
    fn after(self, bytes: &[u8]) -> Self {
        let Self::Open(known) = self else { return self };
        let rest = &PREFACE[known..];
        let common = rest.len().min(bytes.len());
        match rest[..common] == bytes[..common] {
            false => Self::Http1,
            true if common == rest.len() => Self::Http2,
            true => Self::Open(known + common),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        match state.doing {
            Doing::Busy(requests @ 2..) => state.doing = Doing::Busy(requests - 1),
            _ => (state.doing, state.since) = (Doing::Idle, Instant::now()),
        }
    }
}
