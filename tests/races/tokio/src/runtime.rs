//! Runtimes: each task is a thread of Shuttle's. A runtime that is dropped drops its tasks, once they are not being
//! polled; a task that is spawned on it after that is dropped at once, by whoever spawns it.

use std::{
    cell::RefCell,
    fmt,
    future::{Future, poll_fn},
    mem,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Poll, Waker},
};

use futures_util::FutureExt;
use shuttle::{
    future as threads,
    rand::{Rng, thread_rng},
    sync::{Mutex, MutexGuard},
};

use crate::{
    sync::oneshot,
    task::{JoinError, JoinHandle},
};

shuttle::thread_local! {
    static CURRENT: RefCell<Option<Handle>> = RefCell::new(None);
}

/// A runtime. Dropping it waits for its tasks' end.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
}

/// A reference to a runtime, which doesn't keep it.
#[derive(Clone)]
pub struct Handle {
    tasks: Arc<Mutex<Tasks>>,
    flavor: RuntimeFlavor,
}

/// Which runtime it is, among those that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

/// What a runtime says of itself. Here all have as many threads as tasks; what a single thread promises beyond that,
/// that tasks and timers go on together or not at all, holds for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    CurrentThread,
    MultiThread,
}

/// No runtime is entered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryCurrentError(());

struct Tasks {
    phase: Phase,
    tasks: Vec<Arc<Task>>,
    threads: Vec<threads::JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Driven,
    Gone,
}

struct Task(Mutex<Body>);

#[derive(Default)]
struct Body {
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    waker: Option<Waker>,
}

impl Runtime {
    /// A runtime that polls its tasks.
    pub fn driven() -> Self {
        Self::new(Phase::Driven)
    }

    /// A runtime that accepts tasks and leaves them alone: one of a single thread that does something else.
    pub fn idle() -> Self {
        Self::new(Phase::Idle)
    }

    fn new(phase: Phase) -> Self {
        let tasks = Arc::new(Mutex::new(Tasks { phase, tasks: Vec::new(), threads: Vec::new() }));
        let is_single = thread_rng().gen_bool(0.5);
        let flavor = if is_single { RuntimeFlavor::CurrentThread } else { RuntimeFlavor::MultiThread };
        Self { handle: Handle { tasks, flavor } }
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Begins to poll the tasks of an idle runtime.
    pub fn drive(&self) {
        let mut tasks = self.handle.lock();
        tasks.phase = Phase::Driven;
        let waiting = tasks.tasks.clone();
        drop(tasks);
        waiting.into_iter().for_each(|task| self.handle.run(task));
    }

    /// Waits until all tasks have ended by themselves.
    pub fn join(&self) {
        loop {
            let Some(thread) = self.handle.lock().threads.pop() else { return };
            threads::block_on(thread).expect("tasks' threads aren't aborted");
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // After a failure nothing is in order.
        if std::thread::panicking() {
            return;
        }
        let mut tasks = self.handle.lock();
        tasks.phase = Phase::Gone;
        let left = mem::take(&mut tasks.tasks);
        drop(tasks);
        for task in left {
            let body = mem::take(&mut *task.lock());
            drop(body.future);
            if let Some(waker) = body.waker {
                waker.wake();
            }
        }
        self.join();
    }
}

impl Handle {
    pub fn try_current() -> Result<Self, TryCurrentError> {
        CURRENT.with(|current| current.borrow().clone()).ok_or(TryCurrentError(()))
    }

    pub fn id(&self) -> Id {
        Id(Arc::as_ptr(&self.tasks).addr())
    }

    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.flavor
    }

    /// Runs `future` on this thread, with the runtime entered.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let outer = CURRENT.with(|current| current.replace(Some(self.clone())));
        let output = threads::block_on(future);
        CURRENT.with(|current| current.replace(outer));
        output
    }

    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let body = async move {
            let result = AssertUnwindSafe(future).catch_unwind().await;
            // Nobody may be waiting.
            let _ = sender.send(result.map_err(|_| JoinError::Panicked));
        };
        let body = Body { future: Some(Box::pin(body)), waker: None };
        let task = Arc::new(Task(Mutex::new(body)));
        let mut tasks = self.lock();
        match tasks.phase {
            Phase::Gone => {
                drop(tasks);
                let body = mem::take(&mut *task.lock());
                drop(body);
            }
            Phase::Idle => tasks.tasks.push(task),
            Phase::Driven => {
                tasks.tasks.push(task.clone());
                drop(tasks);
                self.run(task);
            }
        }
        JoinHandle(receiver)
    }

    fn run(&self, task: Arc<Task>) {
        let handle = self.clone();
        let thread = threads::spawn(async move {
            CURRENT.with(|current| current.replace(Some(handle)));
            poll_fn(|cx| {
                let mut body = task.lock();
                let Some(future) = &mut body.future else { return Poll::Ready(()) };
                let poll = future.as_mut().poll(cx);
                match poll {
                    Poll::Pending => body.waker = Some(cx.waker().clone()),
                    Poll::Ready(()) => {
                        let over = mem::take(&mut *body);
                        drop(body);
                        drop(over);
                    }
                }
                poll
            })
            .await;
        });
        self.lock().threads.push(thread);
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    fn lock(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
