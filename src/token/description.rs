//! [`Description`]: what a credential says of itself, and so what its cache does with its tokens.

use std::{borrow::Cow, fmt, sync::Arc};

use secrecy::SecretString;
use tokio::time::Instant;

use super::refresh_tokens::RefreshTokens;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    store::{SharedSlot, Shelf},
};

/// What renewing a token means to the one it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Renewal {
    /// The previous token stays valid until it expires. This is the default.
    #[default]
    KeepsPrevious,
    /// The previous token dies when it is renewed, so requests wait for an early renewal, for up to a second. If it takes
    /// longer they go on with the previous token, and if a server rejects that, they have the renewal's.
    RevokesPrevious,
    /// There is nothing to renew: the token is a static key.
    Unsupported,
}

/// Which ways a credential has to get a token, and what becomes of them when nobody knows whether they were used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grants {
    /// A refresh grant that may be used up by its use, and another one: when the first fails, or nobody knows
    /// whether it did, the other one is tried. This is the default, since it never sends a spent grant again.
    #[default]
    RefreshThenOther,
    /// The same one each time, which may be sent again and again: a key, a client's secret.
    Reusable,
    /// Only one that is used up by its use: a refresh token with nothing to fall back to. When nobody knows whether
    /// it was used, it is sent once more, as there is nothing else to be tried.
    SingleUse,
}

/// What a [`Credential`](crate::Credential) says of itself.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Description, Renewal};
///
/// let description = Description::new("my vendor").renewal(Renewal::RevokesPrevious);
/// assert_eq!(description.name(), "my vendor");
/// ```
#[derive(Clone)]
pub struct Description {
    name: Cow<'static, str>,
    pub(crate) renewal: Renewal,
    pub(crate) grants: Grants,
    pub(crate) unsaved_since: Option<Instant>,
    pub(crate) refresh_tokens: Option<RefreshTokens>,
    /// Says the rest, on whose token it is.
    tell: Option<Tell>,
    /// Whose token it is, as far as the credential can say.
    identity: Vec<(&'static str, Cow<'static, str>)>,
    whose: Whose,
    pub(crate) asks_for: Cow<'static, str>,
    endpoint: Option<Cow<'static, str>>,
    pub(crate) is_saved_by_program: bool,
    /// What it takes beside its own size, and shares with no other, if it can say.
    #[allow(dead_code, reason = "for those who hold many")]
    pub(crate) heap_bytes: Option<usize>,
}

/// What adds to a description, when that is asked for.
type Tell = Arc<dyn Fn(Description) -> Description + Send + Sync>;

/// What tells whose token it is.
#[derive(Clone)]
enum Whose {
    /// The identity, if it says anything.
    Identified,
    /// The identity with the slot's subject, or else with this.
    BySubject(Option<SecretString>),
    /// It's a key that is its own token, or the machine that it runs on.
    Key,
}

impl Description {
    /// A description with a name for logs. It must not hold a secret.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            renewal: Renewal::default(),
            grants: Grants::default(),
            unsaved_since: None,
            refresh_tokens: None,
            tell: None,
            identity: Vec::new(),
            whose: Whose::Identified,
            asks_for: Cow::Borrowed(""),
            endpoint: None,
            is_saved_by_program: false,
            heap_bytes: None,
        }
    }

    /// Sets what renewing a token means to the one it replaces.
    #[must_use]
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.renewal = renewal;
        self
    }

    /// Sets which ways there are to get a token.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// Sets since when the credential has had a secret that it should have saved and couldn't, such as a rotated
    /// refresh token: what [`CacheState::unsaved_since`](crate::CacheState::unsaved_since) shows.
    #[must_use]
    pub fn unsaved_since(mut self, since: impl Into<Option<Instant>>) -> Self {
        self.unsaved_since = since.into();
        self
    }

    /// Says that the credential keeps its refresh token itself, here, because there is only one for all of its caches. By
    /// default each cache keeps what came with its token.
    #[must_use]
    pub fn refresh_tokens(mut self, refresh_tokens: RefreshTokens) -> Self {
        self.refresh_tokens = Some(refresh_tokens);
        self
    }

    /// Adds something that says whose token it is: the token endpoint, the client, the user, the grant. Credentials that
    /// differ in one of these never get each other's token from a [store](crate::store). A secret doesn't belong here, since
    /// it is replaced now and then, and the token is the same one's after that.
    ///
    /// A credential that says nothing here has its token shared only where the slot has a
    /// [subject](crate::store::SharedSlot::subject), and so has one that [needs](Self::needs_subject) it.
    #[must_use]
    pub fn identity(self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        let mut this = self.whole();
        this.identity.push((name, value.into()));
        this
    }

    /// Says that the [identity](Self::identity) isn't enough to tell whose token it is, since that depends on a secret: on a
    /// key, an assertion, a token that is exchanged. Then the slot has to have a
    /// [subject](crate::store::SharedSlot::subject).
    #[must_use]
    pub fn needs_subject(self) -> Self {
        let mut this = self.whole();
        this.whose = Whose::BySubject(None);
        this
    }

    /// As [`needs_subject`](Self::needs_subject), with what tells it where the slot has no subject: a refresh token that
    /// somebody was given once and that names the login for ever, also after it was rotated. Only its digest is seen in a
    /// store.
    #[must_use]
    pub fn subject(self, subject: impl Into<SecretString>) -> Self {
        let mut this = self.whole();
        this.whose = Whose::BySubject(Some(subject.into()));
        this
    }

    /// Has `tell` say whose token it is, and for what it is asked, where somebody wants to know: nobody does who only asks
    /// [since when](Self::unsaved_since) something is unsaved, perhaps of many.
    #[must_use]
    #[allow(dead_code, reason = "not all credentials have one")]
    pub(crate) fn told_by(mut self, tell: impl Fn(Self) -> Self + Send + Sync + 'static) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    /// The description with all that there is to be said. Whatever is added to it comes after that.
    pub(crate) fn whole(mut self) -> Self {
        match self.tell.take() {
            Some(tell) => tell(self),
            None => self,
        }
    }

    /// Says that there is nothing to share: it's a key that is its own token, or a machine's own identity.
    #[must_use]
    pub(crate) fn never_shared(mut self) -> Self {
        self.whose = Whose::Key;
        self
    }

    /// Sets what its tokens are asked for, such as a scope. Of a token in a [store](crate::store) that was asked for
    /// something else, only the refresh token is used.
    #[must_use]
    pub fn asks_for(self, what: impl Into<Cow<'static, str>>) -> Self {
        let mut this = self.whole();
        this.asks_for = what.into();
        this
    }

    /// Sets which server is asked, by whatever text is the same for all credentials that ask it. Of
    /// [tenants](crate::Tenants), only so many ask one server at a time. By default that is the [name](Self::name).
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<Cow<'static, str>>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Says that the program has each refresh token, so that none is lost with the cache.
    #[must_use]
    #[allow(dead_code, reason = "not all credentials have one")]
    pub(crate) fn saved_by_program(mut self) -> Self {
        self.is_saved_by_program = true;
        self
    }

    /// Says what it takes beside its own size, and shares with no other, in bytes.
    #[must_use]
    pub(crate) fn heap_bytes(mut self, bytes: usize) -> Self {
        self.heap_bytes = Some(bytes);
        self
    }

    /// Which server is asked.
    #[allow(dead_code, reason = "for those who count who asks it")]
    pub(crate) fn asked(&self) -> &str {
        self.endpoint.as_deref().unwrap_or(&self.name)
    }

    /// The name for logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is something to share.
    pub(crate) fn is_shareable(&self) -> bool {
        !matches!(self.whose, Whose::Key) && self.renewal != Renewal::Unsupported
    }

    /// The place that this credential has in a slot.
    pub(crate) fn shelf(&self, slot: &SharedSlot) -> Result<Shelf, ConfigError> {
        if self.tell.is_some() {
            return self.clone().whole().shelf(slot);
        }
        let refuse = |words: &str| Err(ConfigError::new(ConfigErrorKind::Store, words));
        let (is_told, login) = match &self.whose {
            Whose::Identified => (!self.identity.is_empty(), None),
            Whose::BySubject(login) => (login.is_some(), login.as_ref()),
            Whose::Key => (false, None),
        };
        if !self.is_shareable() {
            return refuse(
                "there is nothing to share: a key that is its own token is never acquired nor renewed, and what a platform \
                 gives to a machine is that one's own",
            );
        }
        if !is_told && !slot.has_subject() {
            return refuse(
                "nobody can tell whose token this is, since the credential doesn't say; give the slot a subject",
            );
        }
        Ok(slot.place(&self.identity, login))
    }
}

/// Without what the identity says, which may be a user's name that the program takes for a secret.
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity: Vec<_> = self.identity.iter().map(|(name, _)| name).collect();
        f.debug_struct("Description")
            .field("name", &self.name)
            .field("renewal", &self.renewal)
            .field("grants", &self.grants)
            .field("unsaved_since", &self.unsaved_since)
            .field("identity", &identity)
            .field("asks_for", &self.asks_for)
            .finish_non_exhaustive()
    }
}
