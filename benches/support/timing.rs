//! How calls are timed: alone, with requests made beforehand; or hot, together with making each request.

#![allow(dead_code, reason = "each program uses its part")]

use std::{
    hint::spin_loop,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, measurement::WallTime};
use http::Request;
use http_body_util::Full;
use tokio::{runtime::Handle, time::Instant};
use tower::Service;

use crate::support::{Work, call};

pub(crate) type Posted = Request<Full<Bytes>>;
pub(crate) type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Too many for the first-level cache, and few enough for the second: to make a request and send it misses a simulated one
/// of 32 KB some 45 times, and one of 1 MB never.
const BATCH: u64 = 64;

/// A row of calls that are made one after the other.
pub(crate) fn row<S>(group: &mut Group<'_>, id: BenchmarkId, mut service: S, make: impl Fn() -> Posted)
where
    S: Service<Posted>,
{
    batches(group, id, make, |request| call(&mut service, request));
}

/// The same, with what is done to each request. What that returns is dropped outside the time.
pub(crate) fn batches<R, T>(
    group: &mut Group<'_>,
    id: BenchmarkId,
    make: impl Fn() -> R,
    mut each: impl FnMut(R) -> T,
) {
    group.bench_function(id, |b| b.iter_batched(&make, &mut each, BatchSize::NumIterations(BATCH)));
}

/// Each request is made, sent and dropped before the next one, so that all it takes stays in the first-level cache. All
/// of this is timed: to stop the clock while a request is made would add half of what `AddAuthorization` costs, or more.
pub(crate) fn hot<R, T>(
    group: &mut Group<'_>,
    id: BenchmarkId,
    make: impl Fn() -> R,
    mut each: impl FnMut(R) -> T,
) {
    group.bench_function(id, |b| b.iter(|| each(make())));
}

/// The mean time of `calls` calls on each of so many threads, each with a clone of the service. They begin a batch
/// together, so that they are in each other's way all the time.
pub(crate) fn on_threads<S, R>(
    threads: usize,
    calls: u64,
    service: &S,
    make: fn(&Work) -> R,
    send: fn(&mut S, R),
) -> Duration
where
    S: Clone + Send,
{
    let (gate, runtime) = (Gate { threads, arrived: AtomicUsize::new(0) }, Handle::current());
    let one = |mut service: S| {
        let _entered = runtime.enter();
        // Of its own: the work itself is in nobody's way.
        let work = Work::new();
        together(&gate, calls, || make(&work), |request| send(&mut service, request))
    };
    let total: Duration = thread::scope(|scope| {
        let spawn = |_| {
            let (one, service) = (&one, service.clone());
            scope.spawn(move || one(service))
        };
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    total / u32::try_from(threads).expect("few")
}

/// As [`on_threads`], on threads that live as long as the row is measured: for what a thread remembers of many.
pub(crate) fn row_on_threads<S, R>(
    group: &mut Group<'_>,
    id: BenchmarkId,
    threads: usize,
    service: &S,
    make: fn(&Work) -> R,
    send: fn(&mut S, R),
) where
    S: Clone + Send,
{
    let (gate, runtime) = (Gate { threads, arrived: AtomicUsize::new(0) }, Handle::current());
    thread::scope(|scope| {
        let spawn = |_| {
            let (order, orders) = channel::<u64>();
            let (report, reports) = channel();
            let (gate, runtime, mut service) = (&gate, &runtime, service.clone());
            scope.spawn(move || {
                let _entered = runtime.enter();
                // Of its own: the work itself is in nobody's way.
                let work = Work::new();
                for calls in orders {
                    let elapsed =
                        together(gate, calls, || make(&work), |request| send(&mut service, request));
                    report.send(elapsed).expect("it is waited for");
                }
            });
            (order, reports)
        };
        let crew: Vec<_> = (0..threads).map(spawn).collect();
        group.bench_function(id, |b| {
            b.iter_custom(|calls| {
                crew.iter().for_each(|(order, _)| order.send(calls).expect("no panic"));
                let total: Duration = crew.iter().map(|(_, reports)| reports.recv().expect("no panic")).sum();
                total / u32::try_from(threads).expect("few")
            })
        });
        // With which the threads end.
        drop(crew);
    });
}

/// What `calls` calls take on one thread of those that go through `gate`.
fn together<R>(gate: &Gate, calls: u64, make: impl Fn() -> R, mut send: impl FnMut(R)) -> Duration {
    let (mut left, mut elapsed) = (calls, Duration::ZERO);
    while left > 0 {
        let batch: Vec<_> = (0..left.min(BATCH)).map(|_| make()).collect();
        left -= batch.len() as u64;
        gate.pass();
        let started = Instant::now();
        for request in batch {
            send(request);
        }
        elapsed += started.elapsed();
    }
    elapsed
}

/// A barrier without the time that it takes to be woken.
struct Gate {
    threads: usize,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        let before = self.arrived.fetch_add(1, SeqCst);
        let all = (before / self.threads + 1) * self.threads;
        let mut looks = 0u32;
        while self.arrived.load(SeqCst) < all {
            looks += 1;
            // The others are about to come, unless something else runs in their place.
            if looks.is_multiple_of(1 << 16) { thread::yield_now() } else { spin_loop() }
        }
    }
}
