//! What programs write for themselves: a lock around the token, a boxed async block, a clone of the request.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Response, StatusCode, header::AUTHORIZATION};
use tokio::{sync::RwLock, time::Instant};
use tower::{BoxError, Service};

use crate::{
    Peers,
    baseline::{Checked, through},
    support::{Inner, TOKEN, Work},
    timing::Posted,
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let (token, calls) = (Arc::<RwLock<_>>::default(), Arc::<AtomicUsize>::default());
    through(
        &mut HandWritten { inner: Checked, token: token.clone(), calls: calls.clone() },
        Work::new().request(),
    );
    let service = HandWritten { inner: Inner, token, calls: calls.clone() };
    peers.add("RwLock by hand (a late 401 throws a fresh token away)", service, through);
    assert_eq!(calls.load(Relaxed), 1, "the token was cached");
    Ok(())
}

#[derive(Clone)]
struct HandWritten<S> {
    inner: S,
    token: Arc<RwLock<Option<Token>>>,
    calls: Arc<AtomicUsize>,
}

struct Token {
    secret: String,
    expires_at: Instant,
}

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<S, R> Service<Posted> for HandWritten<S>
where
    S: Service<Posted, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Posted) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let (token, calls) = (self.token.clone(), self.calls.clone());
        Box::pin(async move {
            let mut again = request.clone();
            request.headers_mut().insert(AUTHORIZATION, header(&token, &calls).await);
            let response = inner.call(request).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            *token.write().await = None;
            again.headers_mut().insert(AUTHORIZATION, header(&token, &calls).await);
            inner.call(again).await
        })
    }
}

async fn header(token: &RwLock<Option<Token>>, calls: &AtomicUsize) -> HeaderValue {
    let value = |token: &Token| HeaderValue::from_str(&format!("Bearer {}", token.secret)).expect("valid");
    if let Some(token) = token.read().await.as_ref().filter(|token| token.expires_at > Instant::now()) {
        return value(token);
    }
    calls.fetch_add(1, Relaxed);
    let new = Token { secret: TOKEN.to_owned(), expires_at: Instant::now() + Duration::from_secs(3600) };
    value(token.write().await.insert(new))
}
