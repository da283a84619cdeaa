//! [`Streams`]: runs each stream of HTTP/2, for as long as its client takes something in.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

/// What an answer's body gave when it was asked last.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Gave {
    /// It wasn't asked.
    Unasked,
    /// It has to wait for the vendor.
    Nothing,
    /// What is for the client to take in.
    Something,
}

thread_local! {
    /// What the body of the stream gave that is polled just now on this thread. Between hyper's stream and its body there is
    /// no other way.
    static GAVE: Cell<Gave> = const { Cell::new(Gave::Unasked) };
}

/// Said by a body, each time it is asked.
pub(super) fn note(gave: Gave) {
    GAVE.set(gave);
}

/// Runs streams. One whose body has given something, and isn't asked for more until the limit, waits for a client that takes
/// nothing in: it is dropped, which resets it (RFC 9113 §5.4.2) and ends the vendor's answer. The client's other streams go on.
#[derive(Clone)]
pub(super) struct Streams {
    stall: Duration,
}

impl Streams {
    pub(super) fn new(stall: Duration) -> Self {
        Self { stall }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        tokio::spawn(Watched { stream, waits: None, timer: None, stall: self.stall });
    }
}

pin_project! {
    /// A stream, and since when it waits for its client.
    struct Watched<F> {
        #[pin]
        stream: F,
        waits: Option<Instant>,
        // Made when it waits for the first time, which most never do, and set anew only when it has run off.
        timer: Option<Pin<Box<Sleep>>>,
        stall: Duration,
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        GAVE.set(Gave::Unasked);
        if me.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match GAVE.get() {
            Gave::Unasked => {}
            Gave::Nothing => *me.waits = None,
            Gave::Something => *me.waits = Some(Instant::now()),
        }
        loop {
            // A limit beyond all time is none.
            let Some(end) = me.waits.and_then(|since| since.checked_add(*me.stall)) else {
                return Poll::Pending;
            };
            let timer = me.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
            if timer.is_elapsed() {
                if end <= Instant::now() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(end);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
