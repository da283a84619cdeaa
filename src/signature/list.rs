//! [`Signatures`]: the ordered list of rules, and how it judges a response.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};

use super::{
    rule::{Answer, Match, Rule},
    statuses::Statuses,
    subject::{Subject, json},
    verdict::{Finding, Head, Screening, Verdict},
    view::Content,
};

/// An ordered list of [rules](Rule): the first one that matches a response says what it means. Where none does, the
/// response is [accepted](Verdict::Accepted).
///
/// Cheap to clone. There are no rules in a new one.
///
/// # Examples
///
/// ```
/// use http::StatusCode;
/// use tower_reauth::{Rule, Signatures, signature::json};
///
/// let signatures = Signatures::new()
///     .rule(Rule::denied().status(StatusCode::UNAUTHORIZED).when(json("/message").is("jwt malformed")))
///     .rule(Rule::expired().status(StatusCode::UNAUTHORIZED))
///     .reason("/message");
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "signatures do nothing until a layer has them"]
pub struct Signatures {
    list: Arc<List>,
}

impl Signatures {
    /// No rules: every response is accepted.
    pub fn new() -> Self {
        Self::default()
    }

    /// One function in place of rules: [`Rule::from_fn`] for every status.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_reauth::{Signatures, Verdict};
    ///
    /// let signatures = Signatures::from_fn(|answer| {
    ///     (answer.status() == StatusCode::UNAUTHORIZED).then_some(Verdict::Expired)
    /// });
    /// ```
    pub fn from_fn<F>(judge: F) -> Self
    where
        F: Fn(&Answer<'_>) -> Option<Verdict> + Send + Sync + 'static,
    {
        Self::new().rule(Rule::from_fn(judge))
    }

    /// Adds a rule behind those that are there.
    pub fn rule(mut self, rule: Rule) -> Self {
        let list = Arc::make_mut(&mut self.list);
        list.statuses = list.statuses.union(rule.possible_statuses());
        list.before_trailers = list.before_trailers.union(rule.statuses_before_trailers());
        list.rules.push(rule);
        self
    }

    /// Adds all the rules of `others` behind those that are there. They keep the [`reason`](Self::reason) of their
    /// own list, if it has one.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::StatusCode;
    /// use tower_reauth::{Rule, Signatures, signature::json};
    ///
    /// let signatures = Signatures::new()
    ///     .rule(Rule::denied().status(StatusCode::UNAUTHORIZED).when(json("/locked").is(true)))
    ///     .then(Signatures::oauth2());
    /// ```
    pub fn then(mut self, others: Self) -> Self {
        let List { rules, statuses, before_trailers, reason } = Arc::unwrap_or_clone(others.list);
        let list = Arc::make_mut(&mut self.list);
        list.statuses = list.statuses.union(&statuses);
        list.before_trailers = list.before_trailers.union(&before_trailers);
        list.rules.extend(rules.into_iter().map(|rule| rule.or_reason_from(reason.as_ref())));
        self
    }

    /// Takes the vendor's own words from the JSON body at `pointer`, for the rules that don't say where from
    /// themselves. See [`Rule::reason`].
    ///
    /// # Panics
    ///
    /// If `pointer` is no JSON pointer.
    #[track_caller]
    pub fn reason(mut self, pointer: &str) -> Self {
        Arc::make_mut(&mut self.list).reason = Some(json(pointer).into());
        self
    }

    /// What these signatures say of a response whose body is at hand: to try them out against recorded answers, which
    /// have no trailers. For the answer to a HEAD see [`verdict_of_head`](Self::verdict_of_head).
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{HeaderMap, Response};
    /// use tower_reauth::{Signatures, Verdict};
    ///
    /// let recorded = Response::builder()
    ///     .status(401)
    ///     .header("www-authenticate", r#"Basic realm="api", Bearer error="invalid_token""#)
    ///     .body("")?;
    /// assert_eq!(Signatures::oauth2().verdict(&recorded), Verdict::Expired);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn verdict<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Verdict {
        let head = Head { status: response.status(), headers: response.headers() };
        self.judge(head, Some(response.body().as_ref())).verdict
    }

    /// What these signatures say of the answer to a HEAD, which has no body: a rule matches it by status and headers alone, or
    /// [by its status](Rule::head_requests_by_status) where only the body would have told.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{Response, StatusCode};
    /// use tower_reauth::{Rule, Signatures, Verdict, signature::json};
    ///
    /// let rule = Rule::expired().status(StatusCode::UNAUTHORIZED).when(json("/code").is("token_expired"));
    /// let recorded = Response::builder().status(401).body(())?;
    /// assert_eq!(Signatures::new().rule(rule.clone()).verdict_of_head(&recorded), Verdict::Accepted);
    /// let by_status = Signatures::new().rule(rule.head_requests_by_status());
    /// assert_eq!(by_status.verdict_of_head(&recorded), Verdict::Expired);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn verdict_of_head<B>(&self, response: &Response<B>) -> Verdict {
        let head = Head { status: response.status(), headers: response.headers() };
        match self.screen(head) {
            Screening::Done(finding) => finding.verdict,
            Screening::NeedsBody => self.judge_head(head).verdict,
        }
    }

    /// Whether any rule may match a response with this status.
    #[inline]
    pub(crate) fn concern(&self, status: StatusCode) -> bool {
        self.list.statuses.contains(status)
    }

    /// Judges what can be judged without the body.
    pub(crate) fn screen(&self, head: Head<'_>) -> Screening {
        self.walk(head, &Content::unread())
    }

    /// Judges the response, with its whole body or, where that can't be had, without it.
    pub(crate) fn judge(&self, head: Head<'_>, body: Option<&[u8]>) -> Finding {
        match body {
            Some(body) => self.judge_whole(head, body, None),
            None => self.conclude(head, &Content::missing()),
        }
    }

    /// Judges the response, with its whole body and the trailers that came after it.
    pub(crate) fn judge_whole(&self, head: Head<'_>, body: &[u8], trailers: Option<&HeaderMap>) -> Finding {
        self.conclude(head, &Content::whole(body, trailers))
    }

    /// Judges the answer to a HEAD, which has no body to wait for.
    pub(crate) fn judge_head(&self, head: Head<'_>) -> Finding {
        self.conclude(head, &Content::of_head())
    }

    /// Which rule matches a response, of those in their order: with its whole body, or as the answer to a HEAD where it has none.
    #[allow(dead_code, reason = "for files that are tried out")]
    pub(crate) fn matching(&self, head: Head<'_>, body: Option<&[u8]>) -> Option<usize> {
        let content = body.map_or_else(Content::of_head, |body| Content::whole(body, None));
        let is_it = |rule: &Rule| matches!(rule.judge(head, &content, None), Match::Yes(_));
        self.list.rules.iter().position(is_it)
    }

    /// Whether the trailers of a response that was accepted so far may change that.
    pub(crate) fn awaits_trailers(&self, head: Head<'_>) -> bool {
        self.list.before_trailers.contains(head.status)
            && self.walk(head, &Content::handed_out()) == Screening::NeedsBody
    }

    /// Judges a response whose body was handed out, when its trailers come.
    pub(crate) fn judge_trailers(&self, head: Head<'_>, trailers: &HeaderMap) -> Finding {
        self.conclude(head, &Content::trailers(trailers))
    }

    fn conclude(&self, head: Head<'_>, content: &Content<'_>) -> Finding {
        match self.walk(head, content) {
            Screening::Done(finding) => finding,
            // No rule asks for what has been read, or can't be.
            Screening::NeedsBody => Finding::default(),
        }
    }

    /// Asks one rule after the other.
    fn walk(&self, head: Head<'_>, content: &Content<'_>) -> Screening {
        if !self.concern(head.status) {
            return Screening::Done(Finding::default());
        }
        for rule in &self.list.rules {
            match rule.judge(head, content, self.list.reason.as_ref()) {
                Match::Yes(finding) => return Screening::Done(finding),
                Match::NeedsBody => return Screening::NeedsBody,
                Match::No => {}
            }
        }
        Screening::Done(Finding::default())
    }
}

#[derive(Clone, Debug, Default)]
struct List {
    rules: Vec<Rule>,
    /// Those that any rule may match with, so that all other responses cost one look.
    statuses: Statuses,
    /// Those with which a rule may match when the trailers come, if none has before.
    before_trailers: Statuses,
    reason: Option<Subject>,
}
