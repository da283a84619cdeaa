//! [`Protocols`]: speaks HTTP/1.1 or HTTP/2 with one client, until either of them has enough.

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use http::{HeaderValue, Request, Version, header::CONNECTION};
use hyper::{
    body::{Body, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    answer::{Answers, Arrival},
    ending::Ended,
    held::Held,
    limits::Limits,
    link::Link,
    metered::Metered,
    pulse::{Over, Pulse},
    streams::Streams,
};

/// How many streams a client may have reset before anybody looked at them.
const RESETS: usize = 20;

/// How many streams of one connection may be reset since the client did something wrong.
const ERRORS: usize = 100;

/// How much of an answer waits for one stream to take it in, in bytes.
const SEND_BUFFER: usize = 64 * 1024;

/// What hyper has without being told.
const USUAL_FIELDS: u16 = 100;

/// Both protocols, within limits.
pub(super) struct Protocols {
    builder: Builder<Streams>,
    limits: Limits,
    arrival: Arrival,
}

impl Protocols {
    pub(super) fn new(limits: Limits, arrival: Arrival) -> Self {
        // Asked that often whether it is still there, and with that long to say so, a client that has gone is noticed in time.
        let ping = limits.stall_timeout / 3;
        let mut builder = Builder::new(Streams::new(limits.stall_timeout));
        let mut http1 = builder.http1();
        // It buffers a whole head, so that bounds heads as well. How long they take is for the pulse to say.
        http1.max_buf_size(limits.max_head as usize).header_read_timeout(None);
        if limits.max_fields != USUAL_FIELDS {
            // Where it is said, hyper takes memory for it with each request.
            http1.max_headers(limits.max_fields.into());
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.max_streams)
            .max_header_list_size(limits.max_head)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(ERRORS)
            .max_send_buf_size(SEND_BUFFER)
            .keep_alive_interval(ping)
            .keep_alive_timeout(ping);
        Self { builder, limits, arrival }
    }

    /// Serves one client, until the connection is over.
    pub(super) async fn speak<A: Answers>(&self, link: Link, mut ended: Ended, answers: Arc<A>) {
        let pulse = Arc::new(Pulse::new(&self.limits));
        let (arrival, ending) = (self.arrival, ended.clone());
        let service = service_fn(|request: Request<Incoming>| {
            let busy = pulse.begin(!request.body().is_end_stream());
            let (answers, ending) = (Arc::clone(&answers), ending.clone());
            if ending.has_begun() && request.version() == Version::HTTP_2 {
                // It has come after all: nobody knew by then what it speaks.
                pulse.is_last();
            }
            // In memory of its own, which idle connections don't have.
            Box::pin(async move {
                let version = request.version();
                let mut response = answers.answer(request, arrival).await;
                if ending.has_begun() && version < Version::HTTP_2 {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| match version {
                    Version::HTTP_2 => Held::in_pieces(body, busy, SEND_BUFFER),
                    _ => Held::whole(body, busy),
                }))
            })
        });
        let io = TokioIo::new(Metered::new(link, Arc::clone(&pulse)));
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(io, service));
        let mut timer = pin!(sleep_until(Instant::now()));
        let mut lingers = false;
        loop {
            tokio::select! {
                biased;
                // What a client does wrong is told to the client.
                _ = connection.as_mut() => return,
                () = ended.begins(), if !lingers => {
                    lingers = true;
                    // A client of HTTP/2 is told which of its requests are still taken. One of HTTP/1.1 isn't, unless it is
                    // with an answer: until then it may send another one at any time.
                    match pulse.is_http2() {
                        true => pulse.is_last(),
                        false => pulse.linger(ended.linger()),
                    }
                }
                over = over(&pulse, timer.as_mut()) => match over {
                    Over::Idle => {
                        connection.as_mut().graceful_shutdown();
                        pulse.closes();
                    }
                    Over::Dead => return,
                },
            }
        }
    }
}

/// Waits until the connection is over. To be polled after the connection, each time, as that may have brought the end nearer.
async fn over(pulse: &Pulse, mut timer: Pin<&mut Sleep>) -> Over {
    poll_fn(|cx| {
        loop {
            let Some((at, why)) = pulse.over_at() else { return Poll::Pending };
            if at <= Instant::now() {
                return Poll::Ready(why);
            }
            // The end is put off with each request; the timer is set anew only when it has come to where the end was.
            if timer.deadline() > at || timer.is_elapsed() {
                timer.as_mut().reset(at);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}
