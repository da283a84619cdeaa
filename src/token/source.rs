//! Where tokens come from, as the cache sees it: the [`Credential`] trait, what is asked of it, and its erased twin.

use std::{borrow::Cow, fmt, future::Future, pin::Pin, sync::Arc};

use secrecy::SecretString;
use tokio::time::Instant;

use super::{access_token::AccessToken, refresh_tokens::RefreshTokens};
use crate::{
    error::{AcquireError, AuthError, ConfigError, ConfigErrorKind},
    observe::Reason,
    store::{SharedSlot, Shelf},
};

/// What a [`Credential`](crate::Credential) is asked: why a token is needed, and which one it replaces.
///
/// # Examples
///
/// ```
/// use tower_reauth::{Acquire, Reason};
///
/// let acquire = Acquire::new(Reason::Cold, None);
/// assert!(!acquire.may_refresh());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Acquire<'a> {
    reason: Reason,
    previous: Option<&'a AccessToken>,
}

impl<'a> Acquire<'a> {
    /// Asks for a token. Public for tests of credentials, and for credentials that wrap others.
    #[must_use]
    pub fn new(reason: Reason, previous: Option<&'a AccessToken>) -> Self {
        Self { reason, previous }
    }

    /// Why the token is needed.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The token that is to be replaced, with the newest refresh token.
    #[must_use]
    pub fn previous(&self) -> Option<&'a AccessToken> {
        self.previous
    }

    /// Whether the refresh grant may be used: there is a previous token, and its grant isn't known to be spent.
    #[must_use]
    pub fn may_refresh(&self) -> bool {
        self.previous.is_some() && matches!(self.reason, Reason::Expiring | Reason::Expired)
    }
}

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
        if matches!(self.whose, Whose::Key) || self.renewal == Renewal::Unsupported {
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

/// Something that can obtain access tokens.
///
/// The token cache calls it; nobody else needs to. The contract:
///
/// - `acquire` is called from a task of its own, never twice at a time for one cache, and is dropped when the
///   attempt's time is up (10 s by default). It must not block the thread.
/// - One call is one attempt with one grant. Retries, back-off, and the step from a refused refresh grant to
///   another one ([`AcquireError::grant_rejected`]) are the cache's business.
/// - It may be dropped at any await point, and then should not have lost more than that attempt.
///
/// # Examples
///
/// ```
/// use tower_reauth::{AccessToken, Acquire, AcquireError, Credential};
///
/// struct FromVault;
///
/// impl Credential for FromVault {
///     async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
///         let secret = String::from("read it here");
///         Ok(AccessToken::new(secret.replace(' ', ""))?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a credential",
    label = "expected something that can obtain tokens",
    note = "use one of the vendors, `StaticToken::new(..)` for a fixed key, `from_fn(..)` for a closure, or implement `Credential`"
)]
pub trait Credential: Send + Sync + 'static {
    /// Obtains a token.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`] whose kind says what may be tried next.
    fn acquire(&self, request: Acquire<'_>)
    -> impl Future<Output = Result<AccessToken, AcquireError>> + Send;

    /// Makes the server forget `token` (a logout, RFC 7009). By default that is unsupported.
    ///
    /// # Errors
    ///
    /// An [`AcquireError`]; [`AcquireErrorKind::Unsupported`](crate::AcquireErrorKind::Unsupported) by default.
    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        let _ = token;
        std::future::ready(Err(AcquireError::unsupported("this credential can't revoke tokens")))
    }

    /// Whether the secret is another one than the server last refused: then calls don't wait for
    /// [`AuthError::retry_at`](crate::AuthError::retry_at), but try it at once. By default there never is one.
    ///
    /// Asked at most once a second, on the thread of a call that would fail at once. It must not block for long.
    fn has_new_secret(&self) -> bool {
        false
    }

    /// The secret that a server would be shown now, as far as that can be told without waiting; of several, all in one. By
    /// default it can't be told.
    ///
    /// Processes that share a token by a [store](crate::store) wait together after a refusal, so that a wrong password
    /// doesn't lock its user out. Those that have another secret than was refused needn't: they have been deployed anew.
    /// Only a keyed digest of it gets into a store, and only into one that is [sealed](crate::store::SealedStore).
    ///
    /// Asked by the task of a flight, and only where there is a store. It must not block for long.
    fn current_secret(&self) -> Option<SecretString> {
        None
    }

    /// Says what the cache needs to know of this credential. By default: the type's name, and a renewal that
    /// leaves the previous token valid.
    ///
    /// Asked once by each cache, and after that, for [`unsaved_since`](Description::unsaved_since) alone, by each call
    /// of [`TokenCache::state`](crate::TokenCache::state). It must not block.
    fn describe(&self) -> Description {
        Description::new(std::any::type_name::<Self>())
    }
}

/// For a credential that several caches use, or that the program goes on to use itself.
impl<C: Credential> Credential for Arc<C> {
    fn acquire(
        &self,
        request: Acquire<'_>,
    ) -> impl Future<Output = Result<AccessToken, AcquireError>> + Send {
        C::acquire(self, request)
    }

    fn revoke(&self, token: &AccessToken) -> impl Future<Output = Result<(), AcquireError>> + Send {
        C::revoke(self, token)
    }

    fn has_new_secret(&self) -> bool {
        C::has_new_secret(self)
    }

    fn current_secret(&self) -> Option<SecretString> {
        C::current_secret(self)
    }

    fn describe(&self) -> Description {
        C::describe(self)
    }
}

/// A boxed future of a [`Source`].
type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AcquireError>> + Send + 'a>>;

/// The object-safe twin of [`Credential`](crate::Credential): the cache names no credential's type.
pub(crate) trait Source: Send + Sync + 'static {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken>;
    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()>;
    fn has_new_secret(&self) -> bool;
    fn current_secret(&self) -> Option<SecretString>;
    fn describe(&self) -> Description;

    /// A place among those who ask the same server at a time, which is held while it is asked. Waiting for one is no part of
    /// an attempt.
    fn place(&self) -> Option<PlaceFuture<'_>> {
        None
    }

    /// Hears how each flight ends. Called under no lock.
    fn hear(&self, _landing: Result<&AccessToken, &AuthError>) {}
}

/// Whatever gives the place back when it is dropped.
pub(crate) type Place = Box<dyn Send>;

/// The wait for a [`Place`].
pub(crate) type PlaceFuture<'a> = Pin<Box<dyn Future<Output = Place> + Send + 'a>>;

impl<C: Credential> Source for C {
    fn acquire<'a>(&'a self, request: Acquire<'a>) -> SourceFuture<'a, AccessToken> {
        Box::pin(Credential::acquire(self, request))
    }

    fn revoke<'a>(&'a self, token: &'a AccessToken) -> SourceFuture<'a, ()> {
        Box::pin(Credential::revoke(self, token))
    }

    fn has_new_secret(&self) -> bool {
        Credential::has_new_secret(self)
    }

    fn current_secret(&self) -> Option<SecretString> {
        Credential::current_secret(self)
    }

    fn describe(&self) -> Description {
        Credential::describe(self)
    }
}
