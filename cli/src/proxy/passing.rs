//! [`Upload`] and [`Download`]: bodies that pass, whose trailers are as the rules leave them.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tower_reauth::{BoxError, PeekBody};

use super::{
    course::Course,
    headers::{RequestRules, ResponseRules},
    line::Line,
};
use crate::{
    entire::Entire,
    idle::Idle,
    message::{chain, tell},
};

/// A client's body on its way to the vendor.
pub(crate) struct Upload {
    /// None is empty.
    flow: Option<Flow>,
    rules: RequestRules,
    idle: Idle,
}

struct Flow {
    body: Entire,
    course: Course,
}

/// The vendor's body on its way to the client.
pub(crate) struct Download {
    body: PeekBody<Entire>,
    rules: ResponseRules,
    line: Line,
    course: Option<Course>,
    broken: Option<BoxError>,
}

impl Upload {
    /// The body, and how it comes along, unless it is empty.
    pub(super) fn of(
        body: Incoming,
        version: Version,
        rules: RequestRules,
        idle: Idle,
    ) -> (Self, Option<Course>) {
        // Over HTTP/2 one whose length isn't known may be half of a conversation, in which it is the vendor's turn.
        let is_owed = version < Version::HTTP_2 || body.size_hint().exact().is_some();
        let flow = (!body.is_end_stream())
            .then(|| Flow { body: Entire::new(body, version), course: Course::new(is_owed) });
        let course = flow.as_ref().map(|flow| flow.course.clone());
        (Self { flow, rules, idle }, course)
    }

    pub(super) fn empty(rules: RequestRules, idle: Idle) -> Self {
        Self { flow: None, rules, idle }
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(Flow { body, course }) = &mut self.flow else { return Poll::Ready(None) };
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            course.is_waited_for();
            return Poll::Pending;
        };
        match &frame {
            Some(Err(error)) => course.breaks(&**error),
            Some(Ok(_)) if !body.is_end_stream() => course.flows(),
            _ => course.ends(),
        }
        self.idle.moved();
        Poll::Ready(
            frame.map(|frame| Ok(filtered(frame?, |trailers| self.rules.apply_to_trailers(trailers)))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.flow.as_ref().is_none_or(|flow| flow.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.flow.as_ref().map_or(SizeHint::with_exact(0), |flow| flow.body.size_hint())
    }
}

impl Download {
    /// The body of the answer to a request that is `line` in the log, and whose own body has this course, if it has one.
    pub(super) fn of(
        body: PeekBody<Entire>,
        rules: ResponseRules,
        line: Line,
        course: Option<Course>,
    ) -> Self {
        Self { body, rules, line, course, broken: None }
    }

    fn tell_breach(&self, error: &BoxError) {
        let line = &self.line;
        match self.course.as_ref().and_then(Course::broken) {
            Some(why) => tell(format_args!("{line}: the client's body broke off: {why}")),
            None => tell(format_args!("{line}: the vendor's answer broke off: {}", chain(&**error))),
        }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                Poll::Ready(Some(Ok(filtered(frame, |trailers| self.rules.apply_to_trailers(trailers)))))
            }
            Some(Err(error)) => {
                self.tell_breach(&error);
                // An error has hyper drop what it hasn't written yet, which may be all that has come. While it waits, it writes.
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The frame, with its trailers as `filter` leaves them.
fn filtered(mut frame: Frame<Bytes>, filter: impl FnOnce(&mut HeaderMap)) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        filter(trailers);
    }
    frame
}
