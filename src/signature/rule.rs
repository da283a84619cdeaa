//! [`Rule`]: a verdict, and which responses it is for.

use std::{fmt, sync::Arc};

use http::{HeaderMap, StatusCode};

use super::{
    condition::Condition,
    statuses::Statuses,
    subject::{Subject, json},
    truth::Truth,
    verdict::{Finding, Head, Verdict},
    view::{Content, View},
};

/// A verdict, and the responses that it is for: those whose status is one of the rule's and for which all its
/// conditions hold.
///
/// A rule without statuses is for every status, also for 200: that is safe only with conditions that no healthy
/// response fulfils, so give statuses where the vendor documents them. A rule with neither status nor condition
/// matches nothing, because it would refresh on every response.
///
/// The body is read only if status and headers fit and a condition, or the [reason](Self::reason), is about the
/// body. Bodies of 2xx answers are left alone unless the rule [asks for them](Self::read_success_bodies).
///
/// The answer to a HEAD has no body (RFC 9110 §9.3.2), so a rule with a condition on it matches none, and the caller gets
/// the refusal, unless the rule [judges them by their status](Self::head_requests_by_status).
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::signature::{Rule, json};
///
/// let rule = Rule::expired()
///     .status(StatusCode::UNAUTHORIZED)
///     .when(json("/code").is(124))
///     .when(json("/message").is("Access token is expired."))
///     .reason("/message");
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rule does nothing until a list of signatures has it"]
pub struct Rule {
    decision: Decision,
    statuses: Option<Statuses>,
    conditions: Vec<Condition>,
    success_bodies: SuccessBodies,
    head_requests: HeadRequests,
    reason: Option<Subject>,
}

impl Rule {
    /// The token has expired: [`Verdict::Expired`].
    pub fn expired() -> Self {
        Self::new(Decision::Always(Verdict::Expired))
    }

    /// The token is dead: [`Verdict::Invalid`].
    pub fn invalid() -> Self {
        Self::new(Decision::Always(Verdict::Invalid))
    }

    /// No new token would help: [`Verdict::Denied`]. Such rules are the exceptions before broader ones.
    pub fn denied() -> Self {
        Self::new(Decision::Always(Verdict::Denied))
    }

    /// Lets `judge` decide, for what rules can't say. `None` leaves the response to the rules that follow.
    ///
    /// It is called only where statuses and conditions fit. It must always say the same of the same response: when
    /// it asks for a body that hasn't been read yet, what it returns is ignored, and it is called again. Trailers are for
    /// conditions beside it.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_reauth::signature::{Rule, Verdict};
    ///
    /// let rule = Rule::from_fn(|answer| {
    ///     let length = answer.body()?.len();
    ///     (length == 0).then_some(Verdict::Expired)
    /// })
    /// .status(StatusCode::UNAUTHORIZED);
    /// ```
    pub fn from_fn<F>(judge: F) -> Self
    where
        F: Fn(&Answer<'_>) -> Option<Verdict> + Send + Sync + 'static,
    {
        Self::new(Decision::By(Judge(Arc::new(judge))))
    }

    /// Adds a status that the rule is for.
    pub fn status(self, status: StatusCode) -> Self {
        self.statuses([status])
    }

    /// Adds statuses that the rule is for. Adding none of them makes a rule that matches nothing.
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        let all = self.statuses.get_or_insert_default();
        statuses.into_iter().for_each(|status| all.insert(status));
        self
    }

    /// Adds a condition. All of a rule's conditions must hold.
    pub fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Lets this rule look into the bodies of 2xx answers, for vendors that report expiry with a 200.
    ///
    /// Every such answer that the rule's statuses and headers fit is then held up until its body is there, up to
    /// the layer's caps. Narrow it down with [`media_type`](super::media_type()) where the API also streams.
    pub fn read_success_bodies(mut self) -> Self {
        self.success_bodies = SuccessBodies::Read;
        self
    }

    /// Lets this rule judge the answers to HEAD requests, which have no body, by status and headers: what its conditions
    /// ask of the body is taken to hold.
    ///
    /// Then a HEAD with an expired token is replayed as a GET is. But whatever else the vendor refuses with these
    /// statuses counts as well, and costs a refresh and a replay in vain, as often as
    /// [`RefreshPolicy`](crate::RefreshPolicy) allows for. So it is for statuses that hardly mean anything else, such as
    /// 401, and not for a 400. Exceptions before the rule that are about the body don't hold.
    ///
    /// A rule without statuses of its own judges no HEAD like that, and none judges 2xx.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_reauth::signature::{Rule, json};
    ///
    /// let rule = Rule::expired()
    ///     .status(StatusCode::UNAUTHORIZED)
    ///     .when(json("/code").is("token_expired"))
    ///     .head_requests_by_status();
    /// ```
    pub fn head_requests_by_status(mut self) -> Self {
        self.head_requests = HeadRequests::ByStatus;
        self
    }

    /// Takes the vendor's own words, such as a message or an incident's number, from the JSON body at `pointer`.
    /// It comes before the [list's](super::Signatures::reason).
    ///
    /// Strings are taken as they are, numbers and booleans as JSON writes them, and nothing else. Control
    /// characters are removed, and what is longer than 256 characters is cut off. Where the body can't be had, or
    /// has nothing there, the verdict is the same, without a reason.
    ///
    /// # Panics
    ///
    /// If `pointer` is no JSON pointer.
    #[track_caller]
    pub fn reason(self, pointer: &str) -> Self {
        self.reason_from(json(pointer))
    }

    /// As [`reason`](Self::reason), from elsewhere in the response.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::signature::{Rule, challenge};
    ///
    /// let rule = Rule::expired()
    ///     .when(challenge("Bearer").param("error").is("invalid_token"))
    ///     .reason_from(challenge("Bearer").param("error_description"));
    /// ```
    pub fn reason_from(mut self, subject: impl Into<Subject>) -> Self {
        self.reason = Some(subject.into());
        self
    }

    /// The statuses that the rule may match with.
    pub(super) fn possible_statuses(&self) -> &Statuses {
        let asks_for_nothing = matches!(self.decision, Decision::Always(_)) && self.conditions.is_empty();
        match &self.statuses {
            Some(statuses) => statuses,
            None if asks_for_nothing => &Statuses::NONE,
            None => &Statuses::ALL,
        }
    }

    /// The statuses with which the rule may match when the trailers come, at last.
    pub(super) fn statuses_before_trailers(&self) -> &Statuses {
        let waits = self.conditions.iter().any(Condition::is_about_trailers);
        if waits { self.possible_statuses() } else { &Statuses::NONE }
    }

    /// Gives the rule a place to take its reason from, unless it has one.
    pub(super) fn or_reason_from(mut self, subject: Option<&Subject>) -> Self {
        self.reason = self.reason.or_else(|| subject.cloned());
        self
    }

    /// Judges a response. `reason_from` is where the reason is, if the rule doesn't say.
    pub(super) fn judge(
        &self,
        head: Head<'_>,
        content: &Content<'_>,
        reason_from: Option<&Subject>,
    ) -> Match {
        if !self.possible_statuses().contains(head.status) {
            return Match::No;
        }
        let hidden = content.without_body();
        let is_shown = !head.status.is_success() || self.success_bodies == SuccessBodies::Read;
        let content = if is_shown { content } else { &hidden };
        let view = View::new(head, content);

        let truth = Condition::all(&self.conditions, view);
        // What was asked on the way to a decision doesn't matter any more.
        let asked = content.take_asked();
        match truth {
            Truth::False => return Match::No,
            Truth::Unknown if content.is_of_head() && self.judges_head(head.status) => {}
            Truth::Unknown => return if asked { Match::NeedsBody } else { Match::No },
            Truth::True => {}
        }
        let verdict = match &self.decision {
            Decision::Always(verdict) => Some(*verdict),
            Decision::By(judge) => (judge.0)(&Answer { head, body: &|| view.bytes() }),
        };
        if content.take_asked() {
            return Match::NeedsBody;
        }
        let Some(verdict) = verdict else { return Match::No };
        let reason = self.reason.as_ref().or(reason_from).and_then(|subject| subject.reason(view));
        if content.take_asked() { Match::NeedsBody } else { Match::Yes(Finding { verdict, reason }) }
    }

    /// Whether an answer with this status to a HEAD counts, though nobody knows what its body would have said.
    fn judges_head(&self, status: StatusCode) -> bool {
        self.head_requests == HeadRequests::ByStatus && self.statuses.is_some() && !status.is_success()
    }

    fn new(decision: Decision) -> Self {
        Self {
            decision,
            statuses: None,
            conditions: Vec::new(),
            success_bodies: SuccessBodies::LeftAlone,
            head_requests: HeadRequests::ByAllConditions,
            reason: None,
        }
    }
}

/// A response, as a [function in a rule](Rule::from_fn) sees it.
///
/// # Examples
///
/// ```
/// use tower_reauth::signature::{Answer, Verdict};
///
/// fn judge(answer: &Answer<'_>) -> Option<Verdict> {
///     let expired = answer.headers().get("x-token-ttl").is_some_and(|left| left == "0");
///     expired.then_some(Verdict::Expired)
/// }
/// ```
pub struct Answer<'a> {
    head: Head<'a>,
    body: &'a dyn Fn() -> Option<&'a [u8]>,
}

impl Answer<'_> {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers
    }

    /// The whole body, if it can be had. Asking is what makes it be read.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        (self.body)()
    }
}

// The body may hold secrets.
impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// What a rule says of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes(Finding),
    No,
    /// That depends on the body, which hasn't been read.
    NeedsBody,
}

#[derive(Clone, Debug)]
enum Decision {
    Always(Verdict),
    By(Judge),
}

#[derive(Clone)]
struct Judge(Arc<Function>);

type Function = dyn Fn(&Answer<'_>) -> Option<Verdict> + Send + Sync;

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SuccessBodies {
    LeftAlone,
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadRequests {
    ByAllConditions,
    ByStatus,
}
