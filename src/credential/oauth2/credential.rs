//! [`OAuth2Credential`]: what many have in common, and what each has of its own. How a server is asked is `asking`'s.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::{
    asking::{Asking, LastRefused},
    endpoints::Endpoints,
    grant::Grant,
    identity::identify,
    inputs::{Inputs, Role},
    place::{See, fill, settle},
    rotation::{Persist, Rotation, Unsaved},
    server::AuthorizationServer,
    setup::Setup,
    text::text_of,
};
use crate::{
    credential::no_input::no_input,
    error::{AcquireError, BoxError, ConfigError, ConfigErrorKind},
    secret::{SecretSource, Supply, all_at_hand},
    token::{AccessToken, Acquire, Credential, Description},
    transport::Transport,
};

/// The credential that the builders of this module make. Clones share everything.
///
/// A refresh token that came with a token is used before the grant itself, except with client credentials. Where
/// the server says `invalid_client` to a secret that comes from a source, the source is read again, and if it has
/// another secret by then, that one is tried once.
///
/// # Examples
///
/// ```
/// use tower_reauth::{
///     AuthLayer, BoxError, Origin, Signatures, Transport,
///     oauth2::{ClientAuthentication, RefreshToken},
/// };
/// # async fn save(token: secrecy::SecretString) -> Result<(), BoxError> { Ok(()) }
///
/// fn layer(token: String, transport: Transport) -> Result<AuthLayer, BoxError> {
///     let credential =
///         RefreshToken::new("https://login.example.com/token", ClientAuthentication::public("my-app"), token)
///             .persist(save)
///             .build(transport)?;
///     let health = credential.clone();
///     std::thread::spawn(move || assert!(health.unsaved().is_none()));
///     let origin = Origin::parse("https://api.example.com")?;
///     Ok(AuthLayer::new(origin, credential).signatures(Signatures::oauth2()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct OAuth2Credential {
    inner: Arc<Inner>,
}

/// Of this there may be one for each of a million users.
#[derive(Debug)]
struct Inner {
    filled: Arc<Filled>,
    /// The refresh token of a login.
    rotation: Option<Box<Rotation>>,
    refused: LastRefused,
}

/// What is the same whoever asks.
#[derive(Debug)]
struct Plan {
    name: Cow<'static, str>,
    setup: Setup,
    grant: Grant,
    transport: Transport,
    inputs: Inputs,
}

/// The plan, and what its inputs are filled with. Logins that differ in their refresh tokens alone share it.
#[derive(Debug)]
struct Filled {
    plan: Arc<Plan>,
    /// In the order of the plan's.
    inputs: Box<[Option<Supply>]>,
    /// Of the server that they say.
    discovered: Arc<OnceCell<Endpoints>>,
}

impl OAuth2Credential {
    pub(super) fn new(mut setup: Setup, mut grant: Grant, transport: Transport) -> Result<Self, ConfigError> {
        settle(|see| {
            setup.places(see);
            grant.places(see);
        })?;
        let name = setup.name.take();
        let name = name.unwrap_or_else(|| match &*setup.server.host() {
            "" => grant.name().into(),
            host => format!("{host} ({})", grant.name()).into(),
        });
        let inputs = Inputs::of(&setup, &grant);
        let rotation = grant.login().map(|login| Rotation::new(login.initial.clone(), login.persist.clone()));
        let nothing = vec![None; inputs.len()].into();
        let plan = Arc::new(Plan { name, setup, grant, transport, inputs });
        Self::checked(Arc::new(Filled { plan, inputs: nothing, discovered: Arc::default() }), rotation)
    }

    fn checked(filled: Arc<Filled>, rotation: Option<Rotation>) -> Result<Self, ConfigError> {
        let inner = Inner { filled, rotation: rotation.map(Box::new), refused: Mutex::default() };
        // Anything wrong with a request shows when it is written.
        inner.asking().check()?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same with `source` for the [input](SecretSource::input) of that name, wherever it is: a secret, an assertion or what
    /// signs it, a token that is exchanged, a [parameter](crate::Param::secret), or [text](super::Text) such as the client's id, the
    /// scope, the user's name, or the URL of the server. What else there is exists once for both: client, server and what its
    /// metadata says, options, transport. So that is how many [tenants](crate::Tenants) are made, of which each has what is
    /// its own.
    ///
    /// A secret is read at each acquisition, text at once. As long as one of its inputs isn't filled in, a credential sends
    /// nothing and has its acquisitions fail as [rejected](crate::AcquireErrorKind::Rejected). A login begins with the refresh
    /// token that was filled in, whatever came of that meanwhile, so fill in all before it is used; that input itself is filled
    /// as by [`with_refresh_token`](Self::with_refresh_token), so that nothing saves those after it.
    ///
    /// In a [store](crate::store) tenants are told apart by the text that is filled in, and where there is none, or it doesn't
    /// say whose the secret is, by the slot's [subject](crate::store::SharedSlot::subject), which has to be there then.
    ///
    /// # Examples
    ///
    /// Customers who have registered a client each, and have a server of their own:
    ///
    /// ```
    /// use tower_reauth::{
    ///     BoxError, ConfigError, SecretSource, Tenant, Tenants, Transport,
    ///     oauth2::{AuthorizationServer, ClientAuthentication, ClientCredentials},
    /// };
    /// # async fn client_of(id: &str) -> Result<(String, String), BoxError> { Ok((id.to_owned(), id.to_owned())) }
    ///
    /// fn tenants(transport: Transport) -> Result<Tenants<String>, ConfigError> {
    ///     let (id, secret) = (SecretSource::input("client_id"), SecretSource::input("client_secret"));
    ///     let server = AuthorizationServer::new(SecretSource::input("token_endpoint"));
    ///     let anybody = ClientCredentials::new(server, ClientAuthentication::secret_basic(id, secret))
    ///         .name("Acme")
    ///         .scope("videos.read")
    ///         .build(transport)?;
    ///     Ok(Tenants::new(move |id: String| {
    ///         let anybody = anybody.clone();
    ///         async move {
    ///             let (client, secret) = client_of(&id).await?;
    ///             let credential = anybody
    ///                 .with_input("token_endpoint", format!("https://{id}.acme.example/oauth/token"))?
    ///                 .with_input("client_id", client)?
    ///                 .with_input("client_secret", secret)?;
    ///             Ok(Tenant::new(credential))
    ///         }
    ///     }))
    /// }
    /// # let _ = tenants;
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of kind [`Input`](crate::ConfigErrorKind::Input) if there is no such input, or it is text and can't be
    /// read at once; and otherwise those of [`ClientCredentials::build`](super::ClientCredentials::build).
    pub fn with_input(&self, name: &str, source: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        let Inner { filled, rotation, .. } = &*self.inner;
        let Filled { plan, inputs, discovered } = &**filled;
        let SecretSource(source) = source.into();
        let is_login = plan.inputs.login() == Some(name);
        let initial = |rotation: &Rotation| match is_login {
            true => source.clone(),
            false => rotation.initial().clone(),
        };
        // Whatever saves one user's refresh tokens doesn't save another's.
        let persist = |rotation: &Rotation| rotation.persist().filter(|_| !is_login).cloned();
        let rotation =
            rotation.as_deref().map(|rotation| Rotation::new(initial(rotation), persist(rotation)));
        let Some((place, role)) = plan.inputs.find(name) else {
            return match is_login {
                true => Self::checked(filled.clone(), rotation),
                false => Err(no_input(&plan.name, name, &plan.inputs.names())),
            };
        };
        let what = format!("input {name}");
        let source = match role {
            Role::Secret => source.peek(&what).map(|_| source)?,
            Role::Text | Role::Server => Supply::Fixed(text_of(&source, &what)?.into()),
        };
        let mut inputs = inputs.clone();
        inputs[place] = Some(source);
        let discovered = match role {
            Role::Server => Arc::default(),
            Role::Secret | Role::Text => discovered.clone(),
        };
        Self::checked(Arc::new(Filled { plan: plan.clone(), inputs, discovered }), rotation)
    }

    /// The same with the refresh token of another user, which nothing [saves](super::RefreshToken::persist). What is the same
    /// for all users exists once for both: client, server and what its metadata says, options, transport. So that is how many
    /// [tenants](crate::Tenants) are made, from a credential whose refresh token is an [input](SecretSource::input).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::{
    ///     BoxError, ConfigError, SecretSource, Tenant, Tenants, Transport,
    ///     oauth2::{ClientAuthentication, RefreshToken},
    /// };
    /// # async fn saved_by(id: &str) -> Result<String, BoxError> { Ok(id.to_owned()) }
    ///
    /// fn tenants(transport: Transport) -> Result<Tenants<String>, ConfigError> {
    ///     let client = ClientAuthentication::public("my-app");
    ///     let anybody =
    ///         RefreshToken::new("https://login.example.com/token", client, SecretSource::input("login")).build(transport)?;
    ///     Ok(Tenants::new(move |id: String| {
    ///         let anybody = anybody.clone();
    ///         async move { Ok(Tenant::new(anybody.with_refresh_token(saved_by(&id).await?)?)) }
    ///     }))
    /// }
    /// # let _ = tenants;
    /// ```
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] of kind [`Secret`](crate::ConfigErrorKind::Secret) if it is empty or can't be read, and
    /// [`Declaration`](crate::ConfigErrorKind::Declaration) if this credential isn't made by
    /// [`RefreshToken`](super::RefreshToken).
    pub fn with_refresh_token(&self, refresh_token: impl Into<SecretSource>) -> Result<Self, ConfigError> {
        self.with_login(refresh_token.into(), None)
    }

    /// As [`with_refresh_token`](Self::with_refresh_token), with what saves each one that comes after it: see
    /// [`RefreshToken::persist`](super::RefreshToken::persist).
    ///
    /// # Errors
    ///
    /// Those of [`with_refresh_token`](Self::with_refresh_token).
    pub fn with_persisted_refresh_token<F, Fut>(
        &self,
        refresh_token: impl Into<SecretSource>,
        save: F,
    ) -> Result<Self, ConfigError>
    where
        F: Fn(SecretString) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.with_login(refresh_token.into(), Some(Persist::by(save)))
    }

    fn with_login(
        &self,
        SecretSource(initial): SecretSource,
        persist: Option<Persist>,
    ) -> Result<Self, ConfigError> {
        if self.inner.rotation.is_none() {
            let words = format!("{} is no login by a refresh token", self.inner.plan().name);
            return Err(ConfigError::new(ConfigErrorKind::Declaration, words));
        }
        let rotation = Rotation::new(initial, persist);
        Self::checked(self.inner.filled.clone(), Some(rotation))
    }

    /// The newest refresh token, if it could not be saved. Only [`RefreshToken`](super::RefreshToken) saves any. Who
    /// has the cache sees it in [`CacheState::unsaved_since`](crate::CacheState::unsaved_since).
    #[must_use]
    pub fn unsaved(&self) -> Option<Unsaved> {
        self.inner.rotation.as_deref().and_then(Rotation::unsaved)
    }

    /// The refresh token that the server sent last, for a program that saves it in its own time. `None` before the
    /// first rotation, and for other grants than [`RefreshToken`](super::RefreshToken).
    #[must_use]
    pub fn refresh_token(&self) -> Option<SecretString> {
        self.inner.rotation.as_deref().and_then(Rotation::rotated)
    }

    /// Tries again to save the newest refresh token, if that has failed. Acquiring does the same.
    pub async fn save(&self) {
        if let Some(rotation) = self.inner.rotation.as_deref() {
            // Not beside another save, which could be of a newer one and end first.
            let _turn = rotation.turn().await;
            rotation.save().await;
        }
    }
}

impl Credential for OAuth2Credential {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let inner = &*self.inner;
        inner.check_filled()?;
        match &inner.rotation {
            Some(rotation) => {
                let _turn = rotation.turn().await;
                rotation.save().await;
                inner.asking().acquire(acquire).await
            }
            None => inner.asking().acquire(acquire).await,
        }
    }

    async fn revoke(&self, token: &AccessToken) -> Result<(), AcquireError> {
        self.inner.check_filled()?;
        self.inner.asking().revoke(token).await
    }

    fn has_new_secret(&self) -> bool {
        self.inner.asking().has_new_secret()
    }

    /// Of a refresh token that is rotated the processes know by their store what has become of it.
    fn current_secret(&self) -> Option<SecretString> {
        let asking = self.inner.asking();
        let supplies = asking.setup.client.supply().into_iter().chain(asking.grant.supplies());
        all_at_hand(supplies.map(|(_, supply)| supply))
    }

    fn describe(&self) -> Description {
        let Inner { filled, rotation, .. } = &*self.inner;
        let plan = &filled.plan;
        let description = Description::new(plan.name.clone())
            .renewal(plan.setup.renewal)
            .grants(plan.grant.uses())
            .unsaved_since(self.unsaved().map(|unsaved| unsaved.since()))
            .endpoint(self.inner.server().identity().1.to_owned());
        let asked = self.inner.clone();
        let description = description.told_by(move |description| asked.identify(description));
        let description = match (Arc::strong_count(filled), Arc::strong_count(plan)) {
            (1, 1) => description,
            _ => description.heap_bytes(self.inner.bytes()),
        };
        let Some(rotation) = rotation else { return description };
        let description = description.refresh_tokens(rotation.refresh_tokens().clone());
        if rotation.is_saved_by_program() { description.saved_by_program() } else { description }
    }
}

impl Inner {
    /// Who asks, with what is filled in by now.
    fn asking(&self) -> Asking<'_> {
        let Filled { plan, inputs, discovered } = &*self.filled;
        let Plan { name, setup, grant, transport, inputs: names } = &**plan;
        let (mut setup, mut grant) = (Cow::Borrowed(setup), Cow::Borrowed(grant));
        if !inputs.is_empty() {
            let (setup, grant) = (setup.to_mut(), grant.to_mut());
            let each = |see: &mut See<'_>| {
                setup.places(see);
                grant.places(see);
            };
            fill(each, &|name| inputs[names.find(name)?.0].clone());
        }
        let (rotation, refused) = (self.rotation.as_deref(), &self.refused);
        Asking { name, setup, grant, rotation, refused, transport, discovered }
    }

    fn plan(&self) -> &Plan {
        &self.filled.plan
    }

    /// Fails if an input isn't filled in, but for the refresh token of a login, which says so when it is read.
    fn check_filled(&self) -> Result<(), AcquireError> {
        let Filled { plan, inputs, .. } = &*self.filled;
        let missing = plan.inputs.each().filter(|(place, _)| inputs[*place].is_none());
        let missing: Vec<_> = missing.map(|(_, name)| format!("input:{name}")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(AcquireError::rejected(format!(
            "{} of {} isn't filled in; fill it by OAuth2Credential::with_input",
            missing.join(", "),
            plan.name
        )))
    }

    /// The server, as it is filled in.
    fn server(&self) -> Cow<'_, AuthorizationServer> {
        if self.plan().inputs.say_server() {
            Cow::Owned(self.asking().setup.into_owned().server)
        } else {
            Cow::Borrowed(&self.plan().setup.server)
        }
    }

    /// Says whose token it is, and for what it is asked.
    fn identify(&self, description: Description) -> Description {
        let Asking { setup, grant, rotation, .. } = self.asking();
        let description = identify(description, &setup, &grant, rotation);
        let plan = self.plan();
        let is_told_by_secret = plan.setup.client.is_told_by_secret() || plan.grant.is_told_by_secret();
        if is_told_by_secret && rotation.is_none() { description.needs_subject() } else { description }
    }

    /// What it takes, and shares with no other, in bytes.
    fn bytes(&self) -> usize {
        let arc = 2 * size_of::<usize>();
        let filled = match Arc::strong_count(&self.filled) {
            1 => arc + self.filled.bytes(),
            _ => 0,
        };
        let rotation =
            self.rotation.as_deref().map_or(0, |rotation| size_of_val(rotation) + rotation.heap_bytes());
        arc + size_of::<Self>() + filled + rotation
    }
}

impl Filled {
    /// What it takes, in bytes, without the plan. What was discovered is the issuer's, and counts for each who has it.
    fn bytes(&self) -> usize {
        let texts = self.inputs.iter().flatten().map(Supply::heap_bytes);
        let discovered = match self.plan.inputs.say_server() {
            true => size_of::<OnceCell<Endpoints>>() + self.discovered.get().map_or(0, Endpoints::heap_bytes),
            false => 0,
        };
        size_of::<Self>() + size_of_val(&*self.inputs) + texts.sum::<usize>() + discovered
    }
}
