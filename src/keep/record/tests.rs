//! Any body, sent, dropped or failing at any frame: what is played again is what was sent, or nothing is.

use std::{
    collections::VecDeque,
    convert::Infallible,
    marker::PhantomPinned,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use proptest::{collection::vec, option, prelude::*, sample::Index};

use super::*;

/// A body that does as it is told.
#[derive(Clone, Debug)]
struct Script {
    steps: VecDeque<Step>,
    /// Whether it says so when the end is reached, or only when it is asked for more.
    announces_end: bool,
    size: Size,
}

#[derive(Clone, Debug)]
enum Step {
    Data(Bytes),
    Trailers(u8),
    Pending,
    Fail,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Unknown,
    AtLeast,
    /// Known once no more than this is left.
    Late(u64),
    Exact,
}

impl Script {
    fn of<const N: usize>(data: [&'static str; N]) -> Self {
        let steps = data.into_iter().map(|data| Step::Data(Bytes::from_static(data.as_bytes()))).collect();
        Self { steps, announces_end: false, size: Size::Unknown }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers(value)) => {
                let mut value = HeaderValue::from(u16::from(value));
                value.set_sensitive(true);
                Some(Ok(Frame::trailers(HeaderMap::from_iter([("x-sum".parse().unwrap(), value)]))))
            }
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Fail) => Some(Err("broken")),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.announces_end && self.steps.iter().all(|step| matches!(step, Step::Pending))
    }

    fn size_hint(&self) -> SizeHint {
        let left =
            self.steps.iter().map(|step| if let Step::Data(data) = step { data.len() as u64 } else { 0 });
        let (left, mut hint) = (left.sum(), SizeHint::new());
        match self.size {
            Size::Late(most) if left <= most => hint.set_lower(left),
            Size::Unknown | Size::Late(_) => {}
            Size::AtLeast => hint.set_lower(left),
            Size::Exact => hint.set_exact(left),
        }
        hint
    }
}

/// What one sees of a body: its size and whether it has ended, and then what came, until it was `None` or the error.
type Seen = Vec<((u64, Option<u64>), bool, Option<Result<Came, &'static str>>)>;

#[derive(Clone, Debug, PartialEq)]
enum Came {
    Data(Bytes),
    Trailers(HeaderMap, bool),
}

/// Reads a body on, up to that many frames, through pending polls.
fn read<B>(body: &mut B, frames: usize) -> Seen
where
    B: Body<Data = Bytes, Error = &'static str> + Unpin,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut seen = Vec::new();
    while seen.len() < frames {
        let before = (body.size_hint().lower(), body.size_hint().upper());
        let has_ended = body.is_end_stream();
        let Poll::Ready(came) = Pin::new(&mut *body).poll_frame(&mut cx) else { continue };
        let came = came.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(data) => Came::Data(data),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap();
                    let sensitive = trailers.values().all(HeaderValue::is_sensitive);
                    Came::Trailers(trailers, sensitive)
                }
            })
        });
        let is_last = !matches!(came, Some(Ok(_)));
        seen.push((before, has_ended, came));
        if is_last {
            break;
        }
    }
    seen
}

const ALL: usize = usize::MAX;

fn keep<B: Body>(body: B, limit: usize) -> (ReplayBody<B>, Result<RecordedBody<B>, NotReplayed>) {
    RecordBodies::new(limit).keep(body)
}

fn again<B: Body>(kept: Result<RecordedBody<B>, NotReplayed>) -> Result<ReplayBody<B>, NotReplayed> {
    RecordBodies::default().again(kept?)
}

fn scripts() -> impl Strategy<Value = Script> {
    let data = vec((vec(any::<u8>(), 0..12), 0..3_usize), 0..7);
    let size = prop_oneof![
        Just(Size::Unknown),
        Just(Size::AtLeast),
        Just(Size::Exact),
        (0..60_u64).prop_map(Size::Late)
    ];
    let fails = prop_oneof![4 => Just(false), 1 => Just(true)];
    (data, option::of(any::<u8>()), fails, 0..2_usize, any::<bool>(), size).prop_map(
        |(data, trailers, fails, pending, announces_end, size)| {
            let pause = |times| std::iter::repeat_n(Step::Pending, times);
            let mut steps = VecDeque::new();
            for (data, times) in data {
                steps.extend(pause(times));
                steps.push_back(Step::Data(data.into()));
            }
            steps.extend(pause(pending));
            steps.extend(if fails { Some(Step::Fail) } else { trailers.map(Step::Trailers) });
            Script { steps, announces_end, size }
        },
    )
}

/// What is to be expected of a replay after these frames have been read of a body.
fn expected(
    read: &Seen,
    next: &(u64, Option<u64>),
    limit: usize,
    is_held: bool,
    ended: bool,
) -> Option<NotReplayed> {
    let mut len = 0;
    let lower = read.iter().map(|(before, ..)| before.0).chain([next.0]).collect::<Vec<_>>();
    if lower[0] > limit as u64 {
        return Some(NotReplayed::BodyTooLong);
    }
    for (index, (_, _, came)) in read.iter().enumerate() {
        match came {
            Some(Ok(Came::Data(data))) => len += data.len(),
            Some(Ok(Came::Trailers(trailers, _))) => {
                len += trailers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
            }
            Some(Err(_)) => return Some(NotReplayed::Body),
            None => return None,
        }
        if len as u64 + lower[index + 1] > limit as u64 {
            return Some(NotReplayed::BodyTooLong);
        }
    }
    (is_held && !ended).then_some(NotReplayed::BodyUnfinished)
}

proptest! {
    #[test]
    fn what_is_sent_is_the_body_and_what_is_replayed_is_the_same_or_nothing(
        script in scripts(),
        limit in prop_oneof![0..100_usize, Just(ALL)],
        near in option::of(-2..=2_isize),
        stop in any::<Index>(),
        is_held in any::<bool>(),
    ) {
        let original = read(&mut script.clone(), ALL);
        let size: usize = original.iter().map(|(.., came)| match came {
            Some(Ok(Came::Data(data))) => data.len(),
            Some(Ok(Came::Trailers(trailers, _))) => 5 + trailers["x-sum"].len(),
            _ => 0,
        }).sum();
        let limit = near.map_or(limit, |near| size.saturating_add_signed(near));
        let stop = stop.index(original.len() + 1);

        let is_late = matches!(script.size, Size::Late(_));
        let (mut sent, kept) = keep(script, limit);
        let first = read(&mut sent, stop);
        prop_assert_eq!(&first, &original[..stop]);

        let hint = sent.size_hint();
        let ended = sent.is_end_stream();
        let why = expected(&first, &(hint.lower(), hint.upper()), limit, is_held, ended);
        let held = is_held.then_some(sent);
        match again(kept) {
            Ok(mut replay) => {
                prop_assert_eq!(None, why);
                let (mut replayed, mut original) = (read(&mut replay, ALL), original.clone());
                if is_late {
                    // Of a size that became known under way, a replay only knows what was known at first.
                    replayed[1..].iter_mut().chain(&mut original[1..]).for_each(|(hint, ..)| *hint = (0, None));
                }
                prop_assert_eq!(replayed, original);
            }
            Err(reason) => prop_assert_eq!(Some(reason), why),
        }
        // Whatever became of the replay, the first send can go on.
        if let Some(mut sent) = held && stop < original.len() && why == Some(NotReplayed::BodyUnfinished) {
            prop_assert_eq!(read(&mut sent, ALL), original[stop..].to_vec());
        }
    }
}

#[test]
fn a_body_that_announces_its_end_is_whole_before_anybody_asks_for_more() {
    let script = Script { announces_end: true, ..Script::of(["a", "b"]) };
    let (mut sent, kept) = keep(script, 2);
    assert_eq!(read(&mut sent, 2).len(), 2);
    assert!(sent.is_end_stream());
    assert_eq!(read(&mut again(kept).unwrap(), ALL).len(), 3);
    drop(sent);
}

#[test]
fn while_the_first_send_reads_on_there_is_no_replay_and_it_isnt_disturbed() {
    let (mut sent, kept) = keep(Script::of(["a", "b", "c"]), 64);
    read(&mut sent, 1);
    assert_eq!(again(kept).unwrap_err(), NotReplayed::BodyUnfinished);
    assert_eq!(read(&mut sent, ALL).len(), 3);
}

#[test]
fn what_the_first_send_left_unread_is_read_by_the_replay() {
    for read_before in 0..=3 {
        let script = Script::of(["a", "b", "c"]);
        let original = read(&mut script.clone(), ALL);
        let (mut sent, kept) = keep(script, 3);
        read(&mut sent, read_before);
        drop(sent);
        assert_eq!(read(&mut again(kept).unwrap(), ALL), original, "{read_before} frames were read before");
    }
}

#[test]
fn the_rest_of_a_long_body_is_not_held_to_the_limit() {
    let script = Script::of(["a", "0123456789"]);
    let original = read(&mut script.clone(), ALL);
    let (mut sent, kept) = keep(script, 2);
    read(&mut sent, 1);
    drop(sent);
    assert_eq!(read(&mut again(kept).unwrap(), ALL), original);
}

#[test]
fn an_empty_body_is_replayed_and_costs_nothing() {
    let (sent, kept) = keep(Empty::<Bytes>::new(), 0);
    assert!(matches!(kept, Ok(RecordedBody { kept: Kept::Empty(_) })));
    let replay = again(kept).unwrap();
    for body in [sent, replay] {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
}

#[test]
fn many_frames_are_too_long_even_if_they_are_empty() {
    for (frames, fits) in [(1024, true), (1025, false)] {
        let mut script = Script::of([]);
        script.steps = (0..frames).map(|_| Step::Data(Bytes::new())).collect();
        let (mut sent, kept) = keep(script, 0);
        assert_eq!(read(&mut sent, ALL).len(), frames + 1);
        assert_eq!(again(kept).is_ok(), fits, "{frames}");
    }
}

#[test]
fn trailers_count() {
    let mut script = Script::of(["abc"]);
    script.steps.push_back(Step::Trailers(7));
    for (limit, fits) in [(3 + "x-sum7".len(), true), (2 + "x-sum7".len(), false)] {
        let (mut sent, kept) = keep(script.clone(), limit);
        read(&mut sent, ALL);
        assert_eq!(again(kept).is_ok(), fits);
    }
}

#[tokio::test]
async fn data_is_shared_and_not_copied() {
    let data = Bytes::from(vec![7; 4096]);
    let (sent, kept) = keep(Full::new(data.clone()), 4096);
    let sent = sent.collect().await.unwrap().to_bytes();
    let replayed = again(kept).unwrap().collect().await.unwrap().to_bytes();
    assert_eq!((sent.as_ptr(), replayed.as_ptr()), (data.as_ptr(), data.as_ptr()));
}

#[tokio::test]
async fn other_data_than_bytes_will_do() {
    let body = Full::new(Buf::chain(&b"ab"[..], &b"cd"[..]));
    let (sent, kept) = keep(body, 4);
    assert_eq!(sent.size_hint().exact(), Some(4));
    assert_eq!(sent.collect().await.unwrap().to_bytes(), "abcd");
    let replay = again(kept).unwrap();
    assert_eq!(replay.size_hint().exact(), Some(4));
    assert_eq!(replay.collect().await.unwrap().to_bytes(), "abcd");
}

/// Data that tells how often it is held.
fn watched(len: usize) -> (Arc<Vec<u8>>, Step) {
    struct Owner(Arc<Vec<u8>>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let data = Arc::new(vec![0; len]);
    (data.clone(), Step::Data(Bytes::from_owner(Owner(data))))
}

#[test]
fn memory_is_freed_as_soon_as_there_can_be_no_replay() {
    let script = |step: Step, then: Step| Script { steps: [step, then].into(), ..Script::of([]) };
    let held = |data: &Arc<Vec<u8>>| Arc::strong_count(data) > 1;

    let (data, step) = watched(4);
    let (mut sent, kept) = keep(script(step, Step::Data("56".into())), 5);
    read(&mut sent, 1);
    assert!(held(&data));
    read(&mut sent, 1);
    assert!(!held(&data), "past the limit");
    drop(kept);

    let (data, step) = watched(4);
    let (mut sent, kept) = keep(script(step, Step::Fail), 5);
    read(&mut sent, ALL);
    assert!(!held(&data), "broken off");
    drop(kept);

    let (data, step) = watched(4);
    let (mut sent, kept) = keep(script(step, Step::Pending), 5);
    read(&mut sent, 1);
    drop(kept);
    assert!(!held(&data), "answered while it is still being sent");

    let (data, step) = watched(4);
    let (mut sent, kept) = keep(Script { size: Size::Exact, ..script(Step::Data("1".into()), step) }, 4);
    read(&mut sent, ALL);
    assert!(!held(&data), "too long by its own word");
    assert_eq!(kept.unwrap_err(), NotReplayed::BodyTooLong);

    let (data, step) = watched(4);
    let late = Script { size: Size::Late(2), ..script(step, Step::Data("56".into())) };
    let (mut sent, kept) = keep(late, 5);
    read(&mut sent, 1);
    assert!(!held(&data), "too long by what it says on the way");
    drop(kept);

    let (data, step) = watched(4);
    let (sent, kept) = keep(script(step, Step::Pending), 5);
    drop(sent);
    assert!(held(&data), "left unread, for a replay");
    drop(kept);
    assert!(!held(&data), "nobody wants the rest");

    let (data, step) = watched(4);
    let (mut sent, kept) = keep(script(step, Step::Pending), 5);
    read(&mut sent, ALL);
    let mut replay = again(kept).unwrap();
    read(&mut replay, 1);
    assert!(!held(&data), "a frame that was replayed is gone");
}

#[test]
fn a_body_that_passes_is_not_recorded() {
    let (data, step) = watched(4);
    let script = Script { steps: [step].into(), ..Script::of([]) };
    let mut sent = RecordBodies::default().pass(script);
    read(&mut sent, ALL);
    assert_eq!(Arc::strong_count(&data), 1);
}

#[test]
fn a_body_that_panicked_is_not_replayed() {
    struct Panicking;
    impl Body for Panicking {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("as a test of panics")
        }
    }
    let (mut sent, kept) = keep(Panicking, 64);
    let mut cx = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut sent).poll_frame(&mut cx).is_ready()));
    assert!(polled.is_err());
    drop(sent);
    assert_eq!(again(kept).unwrap_err(), NotReplayed::Body);
}

#[test]
fn what_is_sent_is_send_if_the_body_is_and_always_unpin() {
    struct OnlySend(#[expect(dead_code, reason = "for its type")] std::cell::Cell<u8>, PhantomPinned);
    fn check<T: Send + Unpin>() {}
    fn check_kept<T: Send + Sync>() {}
    check::<ReplayBody<OnlySend>>();
    check_kept::<RecordedBody<OnlySend>>();
}
