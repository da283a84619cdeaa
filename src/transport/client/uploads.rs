//! [`Uploads`]: runs what hyper runs beside requests, and gives up the body that a server of HTTP/2 doesn't take in.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::timer::Timer;
use crate::time::after;

thread_local! {
    /// What is known of the task that is polled just now on this thread. Between hyper's tasks and what they poll there is no other way.
    static SEEN: Cell<Seen> = const { Cell::new(Seen::NOTHING) };
}

#[derive(Clone, Copy)]
struct Seen {
    is_connection: bool,
    /// Whether a body has given something when it was asked last, if one was.
    has_given: Option<bool>,
}

impl Seen {
    const NOTHING: Self = Self { is_connection: false, has_given: None };
}

/// Said by a connection, each time it is read or written.
pub(super) fn note_connection() {
    SEEN.set(Seen { is_connection: true, ..SEEN.get() });
}

fn note(has_given: bool) {
    SEEN.set(Seen { has_given: Some(has_given), ..SEEN.get() });
}

/// Runs tasks. One that has taken something of a body, and doesn't ask for more until the limit, waits for a server that takes nothing in:
/// it is dropped, and the stream reset once its answer is over as well.
///
/// hyper gives up only what nobody waits for before the answer. A server that has answered and neither reads the rest nor resets the stream
/// would keep it for ever, and when it had as many as it allows for, no other request would get through.
#[derive(Clone)]
pub(super) struct Uploads {
    limit: Duration,
}

impl Uploads {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit }
    }
}

impl<F: Future<Output: Send> + Send + Unpin + 'static> Executor<F> for Uploads {
    fn execute(&self, task: F) {
        // The connection has begun with the body before it hands it over.
        let seen = SEEN.get();
        SEEN.set(Seen { has_given: None, ..seen });
        let waits = (seen.has_given == Some(true)).then(Instant::now);
        tokio::spawn(Watched {
            task,
            is_connection: false,
            waits,
            timer: Timer::default(),
            limit: self.limit,
        });
    }
}

/// A task, and since when its server takes nothing in.
struct Watched<F> {
    task: F,
    is_connection: bool,
    waits: Option<Instant>,
    timer: Timer,
    limit: Duration,
}

impl<F: Future + Unpin> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.get_mut();
        SEEN.set(Seen::NOTHING);
        let polled = Pin::new(&mut me.task).poll(cx);
        // What is polled next on this thread may be no such task.
        let seen = SEEN.replace(Seen::NOTHING);
        if polled.is_ready() {
            return Poll::Ready(());
        }
        me.is_connection |= seen.is_connection;
        match seen.has_given {
            None => {}
            Some(has_given) => me.waits = has_given.then(Instant::now),
        }
        // A connection is more than one of its bodies.
        match me.waits.filter(|_| !me.is_connection) {
            Some(since) => me.timer.poll_until(after(since, me.limit), cx),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    /// A request's body, which says what it gives, where [`Uploads`] runs what asks it.
    pub(super) struct Upload<B> {
        #[pin]
        body: B,
        is_watched: bool,
    }

    impl<B> PinnedDrop for Upload<B> {
        fn drop(this: Pin<&mut Self>) {
            if this.is_watched {
                note(false);
            }
        }
    }
}

impl<B> Upload<B> {
    pub(super) fn of(body: B, is_watched: bool) -> Self {
        Self { body, is_watched }
    }
}

impl<B: Body> Body for Upload<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = this.body.poll_frame(cx);
        if *this.is_watched {
            note(frame.is_ready());
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
