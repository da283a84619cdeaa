//! [`Signatures`]: the ordered list of rules, and how it judges a response.

use std::sync::Arc;

use http::{Response, StatusCode};

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
        let List { rules, statuses, reason } = Arc::unwrap_or_clone(others.list);
        let list = Arc::make_mut(&mut self.list);
        list.statuses = list.statuses.union(&statuses);
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

    /// What these signatures say of a response whose body is at hand: to try them out against recorded answers.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::Response;
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
        match self.walk(head, &body.map_or_else(Content::missing, Content::whole)) {
            Screening::Done(finding) => finding,
            // No rule asks for a body that has been read, or can't be.
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
    reason: Option<Subject>,
}
