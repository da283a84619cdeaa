//! Any body, at any cap: what comes out is what went in.

mod layer;
mod script;

use std::{collections::VecDeque, task::Poll, time::Duration};

use bytes::{Buf, Bytes, buf::Chain};
use futures_util::{FutureExt, future::poll_fn};
use http_body::Body;
use proptest::prelude::*;
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

use self::script::{Hint, Piece, Script, Step, concat, next, script};
use super::*;
use crate::{body::Unread, error::BoxError};

const MAX_FRAMES: usize = 1024;
/// The clock's grain.
const TICK: Duration = Duration::from_millis(1);

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn whatever_is_looked_at_comes_out_as_it_went_in(script in script(), cap in cap(), time in time_cap()) {
        let limits = limits(&script, cap, time);
        paused().block_on(async {
            assert_passes_through(&script, limits, |data| data).await;
            assert_passes_through(&script, limits, split).await;
            assert_passes_through(&script, limits, VecDeque::from_iter).await;
        });
    }

    #[test]
    fn whatever_is_not_looked_at_comes_out_as_it_went_in(script in script()) {
        paused().block_on(async {
            let lies = script.lost > 0;
            assert_gives(PeekBody::plain(script.body(|data| data)), &script.pieces(), lies).await;
            assert_gives(PeekBody::plain(script.body(split)), &script.pieces(), lies).await;
            assert_gives(PeekBody::plain(script.body(VecDeque::from_iter)), &script.pieces(), lies).await;
        });
    }

    #[test]
    fn a_caller_may_leave_at_any_point(script in script(), cap in cap(), polls in 0..20usize, reads in 0..12usize) {
        let limits = limits(&script, cap, Duration::from_millis(250));
        paused().block_on(async {
            let body = script.body(|data| data);
            let gauge = body.gauge();
            let mut peek = Peek::new(body, limits);
            // A look that is given up on the way loses nothing either.
            for _ in 0..polls {
                if poll_fn(|cx| Poll::Ready(peek.poll(cx))).await.is_ready() {
                    break;
                }
            }
            let mut body = peek.into_body();
            let pieces = script.pieces();
            for piece in pieces.iter().take(reads) {
                assert_eq!(next(&mut body).await.as_ref(), Some(piece));
            }
            assert!(gauge.given() >= reads.min(pieces.len()));
            drop(body);
            assert!(gauge.is_gone());
        });
    }
}

#[test]
fn a_body_of_as_many_frames_as_are_allowed_is_whole() {
    let of = |frames| Script::of((0..frames).map(|_| Piece::data("x")));
    let limits = PeekLimits { bytes: 2 * MAX_FRAMES, ..PeekLimits::default() };
    paused().block_on(async {
        for (frames, unread) in [(MAX_FRAMES, None), (MAX_FRAMES + 1, Some(Unread::TooLong))] {
            let script = of(frames);
            let mut peek = Peek::new(script.body(|data| data), limits);
            assert_eq!(look(&mut peek).await, unread, "{frames} frames");
            assert_gives(peek.into_body(), &script.pieces(), false).await;
        }
    });
}

#[test]
fn frames_without_data_do_not_keep_a_look_going() {
    for empty in [Piece::data(""), Piece::Trailers(http::HeaderMap::new())] {
        let script = Script::of(vec![empty; 2 * MAX_FRAMES]);
        let body = script.body(|data| data);
        let gauge = body.gauge();
        let mut peek = Peek::new(body, PeekLimits::default());
        assert_eq!(poll_fn(|cx| peek.poll(cx)).now_or_never(), Some(Some(Unread::TooLong)));
        assert_eq!(gauge.given(), MAX_FRAMES + 1);
    }
}

#[test]
fn a_body_that_announces_too_much_is_not_even_begun() {
    let mut script = Script::of([Piece::data("a bit")]);
    (script.hint, script.lost) = (Hint::Exact, 1 << 40);
    let body = script.body(|data| data);
    let gauge = body.gauge();
    let mut peek = Peek::new(body, PeekLimits::default());
    assert_eq!(poll_fn(|cx| peek.poll(cx)).now_or_never(), Some(Some(Unread::TooLong)));
    assert_eq!(gauge.given(), 0);
    assert_eq!(peek.into_body().size_hint().exact(), Some((1 << 40) + 5));
}

#[test]
fn without_a_clock_there_is_no_waiting() {
    let mut script = Script::of([Piece::data("at once"), Piece::data(" and later")]);
    script.steps.insert(1, Step::Pause);
    let limits = PeekLimits { bytes: 100, time: Duration::MAX };
    let pass = async || {
        let mut peek = Peek::new(script.body(|data| data), limits);
        assert_eq!(look(&mut peek).await, Some(Unread::TooSlow));
        assert_eq!(&*peek.data(), b"at once");
        let mut body = peek.into_body();
        assert_eq!(next(&mut body).await, Some(Piece::data("at once")));
        body
    };
    let mut body = pass().now_or_never().expect("no waiting");
    assert_eq!(next(&mut body).now_or_never(), Some(Some(Piece::data(" and later"))));
    // A runtime whose clock stands still is no better.
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let rest = pass().await;
        assert_gives(rest, &script.pieces()[1..], false).await;
    });
}

#[test]
fn no_length_is_announced_before_trailers_that_were_read() {
    let script = Script::of([Piece::data("a body"), Piece::Trailers(http::HeaderMap::new())]);
    let mut peek = Peek::new(script.body(|data| data), PeekLimits::default());
    assert_eq!(poll_fn(|cx| peek.poll(cx)).now_or_never(), Some(None));
    let mut body = peek.into_body();
    // With an exact length, hyper's HTTP/1.1 server would write `Content-Length`, and leave the trailers out.
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (6, None));
    while next(&mut body).now_or_never().expect("all of it").is_some() {}
    assert_eq!(body.size_hint().exact(), Some(0));
}

#[test]
fn a_body_that_has_broken_off_announces_what_was_read_and_no_end() {
    let mut script = Script::of([Piece::data("half"), Piece::Error]);
    (script.hint, script.lost) = (Hint::Exact, 4);
    let mut peek = Peek::new(script.body(|data| data), PeekLimits::default());
    assert_eq!(poll_fn(|cx| peek.poll(cx)).now_or_never(), Some(Some(Unread::BrokenOff)));
    let mut body = peek.into_body();
    // Not exact: a proxy that took that for the length would pass a broken body on as a whole one.
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (4, None));
    assert!(next(&mut body).now_or_never().is_some() && !body.is_end_stream());
    assert_eq!(next(&mut body).now_or_never(), Some(Some(Piece::Error)));
    assert!(body.is_end_stream() && body.size_hint().exact() == Some(0));
    assert_eq!(next(&mut body).now_or_never(), Some(None));
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Looks at the body and reads on: nothing is lost or doubled, no more is read than allowed, and the look ends for
/// no other reason than it gives.
async fn assert_passes_through<D: Buf>(script: &Script, limits: PeekLimits, wrap: fn(Bytes) -> D) {
    let pieces = script.pieces();
    let length = concat(&pieces).len();
    let body = script.body(wrap);
    let gauge = body.gauge();
    let start = Instant::now();
    let mut peek = Peek::new(body, limits);
    let unread = look(&mut peek).await;
    assert!(start.elapsed() <= limits.time + TICK, "the look took {:?}", start.elapsed());

    let read = &pieces[..gauge.given()];
    let but_last = read.split_last().map_or(read, |(_, rest)| rest);
    assert!(concat(but_last).len() <= limits.bytes, "read on past the cap");
    assert_eq!(peek.data(), concat(read));
    match unread {
        None => assert!(read.len() == pieces.len() && length <= limits.bytes && !script.breaks_off()),
        Some(Unread::TooLong) => assert!(length as u64 + script.lost > limits.bytes as u64),
        Some(Unread::TooSlow) => assert!(!script.is_in_time(limits.time)),
        Some(Unread::BrokenOff) => assert!(read.len() == pieces.len() && script.breaks_off()),
        other => panic!("{other:?}"),
    }
    let is_over = matches!(unread, None | Some(Unread::BrokenOff));
    assert_eq!((peek.has_rest(), gauge.is_gone()), (!is_over, is_over));

    // A body that lost something lied about its length until then.
    let lies = script.lost > 0 && !is_over;
    assert_gives(peek.into_body(), &pieces, lies).await;
}

/// Reads the body to its end, and beyond. What it says of itself must be true at every step, unless it `lies`.
async fn assert_gives<R>(mut body: R, pieces: &[Piece], lies: bool)
where
    R: Body<Data = Bytes> + Unpin,
{
    for (at, piece) in pieces.iter().enumerate() {
        if !lies {
            assert_true_of(&body, &pieces[at..]);
        }
        assert_eq!(next(&mut body).await.as_ref(), Some(piece), "at {at}");
    }
    if pieces.last() != Some(&Piece::Error) {
        assert_true_of(&body, &[]);
        assert_eq!(next(&mut body).await, None);
        assert_true_of(&body, &[]);
    }
}

/// Whether what a body says of itself is true when these pieces follow.
fn assert_true_of<R: Body>(body: &R, follow: &[Piece]) {
    let left = follow.iter().map(Piece::len).sum();
    let hint = body.size_hint();
    assert!(hint.lower() <= left, "{hint:?}, and only {left} bytes follow");
    assert!(hint.upper().is_none_or(|upper| left <= upper), "{hint:?}, and {left} bytes follow");
    assert!(!body.is_end_stream() || follow.is_empty(), "an end, and {follow:?} follows");
}

async fn look<R>(peek: &mut Peek<R>) -> Option<Unread>
where
    R: Body,
    R::Error: Into<BoxError>,
{
    poll_fn(|cx| peek.poll(cx)).await
}

/// A byte cap, around the length of the body or anywhere.
#[derive(Clone, Copy, Debug)]
enum Cap {
    Around(isize),
    At(usize),
}

fn cap() -> impl Strategy<Value = Cap> {
    prop_oneof![(-2..=2isize).prop_map(Cap::Around), (0..300usize).prop_map(Cap::At)]
}

/// A time cap that no waits of a script add up to.
fn time_cap() -> impl Strategy<Value = Duration> {
    let odd = (0..20u64).prop_map(|tenths| Duration::from_millis(100 * tenths + 50));
    prop_oneof![Just(Duration::ZERO), odd, Just(Duration::from_secs(60))]
}

fn limits(script: &Script, cap: Cap, time: Duration) -> PeekLimits {
    let length = concat(&script.pieces()).len();
    let bytes = match cap {
        Cap::Around(offset) => length.saturating_add_signed(offset),
        Cap::At(bytes) => bytes,
    };
    PeekLimits { bytes, time }
}

/// The same data, in two pieces.
fn split(data: Bytes) -> Chain<Bytes, Bytes> {
    let middle = data.len() / 2;
    data.slice(..middle).chain(data.slice(middle..))
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
