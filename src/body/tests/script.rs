//! A body that does what it is told, step by step, and what is seen of a body from outside.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::future::poll_fn;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use proptest::prelude::*;
use tokio::time::Sleep;

use crate::error::BoxError;

/// What a body gives, as it can be compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    Error,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Give(Piece),
    /// Not ready, and awake again at once.
    Pause,
    /// Not ready for so long.
    Wait(Duration),
}

/// What the body says of its length, always truly, but for the bytes that an error swallows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hint {
    Exact,
    Bounds,
    None,
}

#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) hint: Hint,
    /// Whether the body says when it is at its end.
    pub(super) tells_end: bool,
    /// The bytes that it announces and never gives: a body with an error may.
    pub(super) lost: u64,
}

impl Script {
    pub(super) fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let steps = pieces.into_iter().map(Step::Give).collect();
        Self { steps, hint: Hint::None, tells_end: false, lost: 0 }
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        let given = self.steps.iter().filter_map(|step| match step {
            Step::Give(piece) => Some(piece.clone()),
            Step::Pause | Step::Wait(_) => None,
        });
        given.collect()
    }

    /// Whether all of it comes within `time`.
    pub(super) fn is_in_time(&self, time: Duration) -> bool {
        let waits = self.steps.iter().filter_map(|step| match step {
            Step::Wait(time) => Some(*time),
            Step::Pause => Some(Duration::ZERO),
            Step::Give(_) => None,
        });
        // No waits add up to a time cap exactly, except that there is no waiting in no time.
        waits.reduce(|one, other| one + other).is_none_or(|waited| waited < time)
    }

    pub(super) fn breaks_off(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Give(Piece::Error)))
    }

    /// The body, with its data as `D`.
    pub(super) fn body<D>(&self, wrap: fn(Bytes) -> D) -> ScriptBody<D> {
        let Self { hint, tells_end, lost, .. } = *self;
        let steps = self.steps.iter().cloned().collect();
        ScriptBody { steps, hint, tells_end, lost, sleep: None, wrap, given: Arc::default() }
    }
}

pub(super) struct ScriptBody<D> {
    steps: VecDeque<Step>,
    hint: Hint,
    tells_end: bool,
    lost: u64,
    sleep: Option<Pin<Box<Sleep>>>,
    wrap: fn(Bytes) -> D,
    given: Arc<AtomicUsize>,
}

impl<D> ScriptBody<D> {
    /// Shows how far the body has been read, and whether it is gone.
    pub(super) fn gauge(&self) -> Gauge {
        Gauge(self.given.clone())
    }
}

pub(super) struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    /// How many pieces the body has given.
    pub(super) fn given(&self) -> usize {
        self.0.load(SeqCst)
    }

    pub(super) fn is_gone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<D: Buf> Body for ScriptBody<D> {
    type Data = D;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, BoxError>>> {
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(cx));
                self.sleep = None;
            }
            let step = self.steps.pop_front();
            if let Some(Step::Give(_)) = step {
                self.given.fetch_add(1, SeqCst);
            }
            match step {
                None => return Poll::Ready(None),
                Some(Step::Pause) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Wait(time)) => self.sleep = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Give(Piece::Data(data))) => {
                    return Poll::Ready(Some(Ok(Frame::data((self.wrap)(data)))));
                }
                Some(Step::Give(Piece::Trailers(fields))) => {
                    return Poll::Ready(Some(Ok(Frame::trailers(fields))));
                }
                Some(Step::Give(Piece::Error)) => {
                    assert!(self.steps.is_empty(), "a body that gave an error is to be discarded");
                    return Poll::Ready(Some(Err("reset".into())));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.tells_end && !self.steps.iter().any(|step| matches!(step, Step::Give(_)))
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.lost + self.steps.iter().map(Step::len).sum::<u64>();
        let mut hint = SizeHint::new();
        match self.hint {
            Hint::Exact => hint.set_exact(left),
            Hint::Bounds => {
                hint.set_lower(left / 2);
                hint.set_upper(left + 10);
            }
            Hint::None => {}
        }
        hint
    }
}

impl<D> fmt::Debug for ScriptBody<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.steps).finish()
    }
}

impl Step {
    fn len(&self) -> u64 {
        match self {
            Self::Give(piece) => piece.len(),
            Self::Pause | Self::Wait(_) => 0,
        }
    }
}

impl Piece {
    pub(super) fn data(data: impl Into<Bytes>) -> Self {
        Self::Data(data.into())
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Data(data) => data.len() as u64,
            Self::Trailers(_) | Self::Error => 0,
        }
    }
}

/// All bytes of these pieces.
pub(super) fn concat(pieces: &[Piece]) -> Vec<u8> {
    let data = pieces.iter().filter_map(|piece| match piece {
        Piece::Data(data) => Some(&**data),
        Piece::Trailers(_) | Piece::Error => None,
    });
    data.collect::<Vec<_>>().concat()
}

/// The next piece of any body.
pub(super) async fn next<R>(body: &mut R) -> Option<Piece>
where
    R: Body<Data = Bytes> + Unpin,
{
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(match frame {
        Ok(frame) => match frame.into_data() {
            Ok(data) => Piece::Data(data),
            Err(frame) => Piece::Trailers(frame.into_trailers().expect("data or trailers")),
        },
        Err(_) => Piece::Error,
    })
}

/// Any body of at most a dozen steps: data frames, empty ones among them, trailers and pauses in any order, and
/// perhaps an error at the end.
pub(super) fn script() -> impl Strategy<Value = Script> {
    let step = prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|data| Step::Give(Piece::data(data))),
        1 => Just(Step::Give(Piece::data(Bytes::new()))),
        1 => any::<u16>().prop_map(|sum| {
            let fields = [("x-sum".parse().expect("a name"), HeaderValue::from(sum))];
            Step::Give(Piece::Trailers(HeaderMap::from_iter(fields)))
        }),
        2 => Just(Step::Pause),
        2 => (1..4u64).prop_map(|tenths| Step::Wait(Duration::from_millis(100 * tenths))),
    ];
    let hint = prop_oneof![Just(Hint::Exact), Just(Hint::Bounds), Just(Hint::None)];
    let error = prop::option::weighted(0.25, 0..30u64);
    (prop::collection::vec(step, 0..12), hint, any::<bool>(), error).prop_map(
        |(mut steps, hint, tells_end, error)| {
            steps.extend(error.map(|_| Step::Give(Piece::Error)));
            Script { steps, hint, tells_end, lost: error.unwrap_or(0) }
        },
    )
}
