//! [`Line`]: a connection to one server, made when it is needed, and made anew when it has turned out to be no good.

use std::sync::{Mutex, PoisonError};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use redis::{
    Cmd, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    pipe,
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    address::Address,
    cause::{Refusal, late, stopped},
};
use crate::error::StoreError;

/// A connection to one server. Whoever asks is answered by one and the same, as long as it is good.
pub(super) struct Line {
    dial: Box<dyn Fn() -> BoxFuture<'static, Dialled> + Send + Sync>,
    current: Mutex<Option<Dialling>>,
}

type Dialled = Result<MultiplexedConnection, StoreError>;

/// A connection, or the way to one. It is a task's, so it comes to its end when nobody waits for it any more, too.
type Dialling = Shared<BoxFuture<'static, Dialled>>;

impl Line {
    /// A line that is had by `dial`, which has to end by itself.
    pub(super) fn new<F>(dial: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Dialled> + Send + 'static,
    {
        Self { dial: Box::new(move || dial().boxed()), current: Mutex::new(None) }
    }

    /// A line to what is at an address.
    pub(super) fn to(address: Address) -> Self {
        Self::new(move || {
            let address = address.clone();
            async move { address.connect().await }
        })
    }

    /// What the server answers.
    pub(super) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, Refusal> {
        self.over(deadline, |mut connection| async move { command.query_async(&mut connection).await }).await
    }

    /// What a cluster's server answers that is about to have the slot.
    pub(super) async fn ask_for_what_moves(
        &self,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Value, Refusal> {
        let call = |mut connection: MultiplexedConnection| async move {
            let mut both = pipe();
            both.cmd("ASKING").ignore().add_command(command.clone());
            let answers = connection.req_packed_commands(&both, 0, 2).await?;
            answers.into_iter().next_back().unwrap_or(Value::Nil).extract_error()
        };
        self.over(deadline, call).await
    }

    /// Waits until there is a connection.
    pub(super) async fn reached(&self, deadline: Instant) -> Result<(), Refusal> {
        timeout_at(deadline, self.current()).await.unwrap_or_else(|_| Err(late()))?;
        Ok(())
    }

    async fn over<F: Future<Output = RedisResult<Value>>>(
        &self,
        deadline: Instant,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<Value, Refusal> {
        let dialling = self.current();
        let connection = timeout_at(deadline, dialling.clone()).await.unwrap_or_else(|_| Err(late()))?;
        let answer = timeout_at(deadline, call(connection)).await;
        let answer = answer.map_or_else(|_| Err(late().into()), |answer| answer.map_err(Refusal::from));
        if answer.as_ref().is_err_and(Refusal::is_the_servers) {
            self.give_up(&dialling);
        }
        answer
    }

    /// The connection that there is, or the way to the next one. One that has come to nothing is no answer to those who come
    /// after it.
    fn current(&self) -> Dialling {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dialling) = &*current
            && !matches!(dialling.clone().now_or_never(), Some(Err(_)))
        {
            return dialling.clone();
        }
        let mut task = JoinSet::new();
        task.spawn((self.dial)());
        let dialling = async move {
            // The task ends early with its runtime.
            task.join_next().await.and_then(Result::ok).unwrap_or_else(|| Err(stopped()))
        };
        let dialling = dialling.boxed().shared();
        *current = Some(dialling.clone());
        dialling
    }

    /// Lets the next one who asks have another connection than this one.
    fn give_up(&self, dialling: &Dialling) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.take_if(|current| current.ptr_eq(dialling));
    }
}
