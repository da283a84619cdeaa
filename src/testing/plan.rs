//! What shall go wrong: planned by a test, taken by the calls as they arrive.

use std::time::Duration;

use http::StatusCode;

use super::answer::Answer;

/// The kinds of endpoint that a vendor has.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use http_body_util::Full;
/// use tower::ServiceExt;
/// use tower_reauth::testing::{Endpoint, FakeVidesk};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let videsk = FakeVidesk::new();
/// videsk.clone().oneshot(Request::new(Full::<Bytes>::default())).await?;
/// assert_eq!(videsk.requests()[0].endpoint(), Endpoint::Api);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A new token for the program's own credentials.
    Acquire,
    /// A new token for a refresh token, or for the token itself.
    Refresh,
    /// The end of a token.
    Logout,
    /// Everything else.
    Api,
}

/// Which calls a plan is for.
///
/// # Examples
///
/// ```
/// use tower_reauth::testing::{ApiVideoError, FakeApiVideo, On, Times};
///
/// let api_video = FakeApiVideo::new("key");
/// let path = On::Path("/broken".into());
/// api_video.controls().fail(path, Times::UntilCleared, ApiVideoError::AccessTokenInvalidOrExpired);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum On {
    /// Acquire and refresh calls.
    Tokens,
    /// Acquire calls.
    Acquire,
    /// Refresh calls.
    Refresh,
    /// Logout calls.
    Logout,
    /// API calls.
    Api,
    /// Calls of this path, without the query.
    Path(String),
}

impl On {
    fn covers(&self, endpoint: Endpoint, path: &str) -> bool {
        match self {
            Self::Tokens => matches!(endpoint, Endpoint::Acquire | Endpoint::Refresh),
            Self::Acquire => endpoint == Endpoint::Acquire,
            Self::Refresh => endpoint == Endpoint::Refresh,
            Self::Logout => endpoint == Endpoint::Logout,
            Self::Api => endpoint == Endpoint::Api,
            Self::Path(planned) => planned == path,
        }
    }
}

/// How often a plan is for.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_reauth::testing::{FakeVervoe, On, Times};
///
/// let vervoe = FakeVervoe::new("key", "secret");
/// vervoe.controls().delay(On::Acquire, Times::Next(1), Duration::from_millis(50));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Times {
    /// The next that many calls.
    Next(usize),
    /// All calls until [`Controls::clear`](super::Controls::clear).
    UntilCleared,
}

/// What goes wrong with a call.
///
/// An [`Answer`], and thereby every vendor's named error, converts into it.
///
/// # Examples
///
/// ```
/// use http::{StatusCode, header::{HeaderName, RETRY_AFTER}};
/// use tower_reauth::testing::{Answer, FakeApiVideo, Fault, On, Times};
///
/// let api_video = FakeApiVideo::new("key");
/// let controls = api_video.controls();
/// controls.fail(On::Refresh, Times::Next(1), Fault::AnswerLost);
/// controls.fail(On::Tokens, Times::Next(2), Fault::status(StatusCode::BAD_GATEWAY));
///
/// let limited = Answer::new(StatusCode::TOO_MANY_REQUESTS);
/// controls.fail(On::Tokens, Times::Next(1), limited.clone().header(RETRY_AFTER, 2));
/// let header = HeaderName::from_static("x-ratelimit-retry-after");
/// controls.fail(On::Tokens, Times::Next(1), limited.header(header, 2));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// This answer instead of the ordinary one. The call has no effect.
    Answer(Answer),
    /// No answer, ever. The call has no effect.
    Hang,
    /// The connection ends before the call takes effect: in memory an [`io::Error`](std::io::Error), on a socket a
    /// connection closed (HTTP/1.1) or a stream reset (HTTP/2) without an answer.
    RequestLost,
    /// The same, but after the call has taken effect: a token was issued, and a refresh token spent, that the caller
    /// never learns of.
    AnswerLost,
    /// Status 200 and a body that is cut off, or for VIDIZMO an empty string. The call has no effect.
    Malformed,
    /// A token call is answered with the newest token again, which stays as valid or invalid as it was. A refresh
    /// token is spent nevertheless, and there is a new one. Without an effect on other calls, and on the first token.
    SameToken,
}

impl Fault {
    /// An answer with this status, and without a body.
    #[must_use]
    pub fn status(status: StatusCode) -> Self {
        Self::Answer(Answer::new(status))
    }
}

impl<A: Into<Answer>> From<A> for Fault {
    fn from(answer: A) -> Self {
        Self::Answer(answer.into())
    }
}

/// How late an answer comes.
#[derive(Clone, Copy)]
pub(super) enum Delay {
    By(Duration),
    UpTo(Duration),
}

impl Delay {
    pub(super) fn draw(self) -> Duration {
        match self {
            Self::By(delay) => delay,
            Self::UpTo(most) => {
                let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
                Duration::from_nanos(fastrand::u64(..=most))
            }
        }
    }
}

/// Plans in the order in which they were made; the first that covers a call is used for it.
pub(super) struct Plans<T>(Vec<Plan<T>>);

struct Plan<T> {
    on: On,
    times: Times,
    what: T,
}

impl<T: Clone> Plans<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn add(&mut self, on: On, times: Times, what: T) {
        if times != Times::Next(0) {
            self.0.push(Plan { on, times, what });
        }
    }

    pub(super) fn take(&mut self, endpoint: Endpoint, path: &str) -> Option<T> {
        let position = self.0.iter().position(|plan| plan.on.covers(endpoint, path))?;
        let plan = &mut self.0[position];
        let what = plan.what.clone();
        if let Times::Next(left) = &mut plan.times {
            *left -= 1;
            if *left == 0 {
                self.0.remove(position);
            }
        }
        Some(what)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
