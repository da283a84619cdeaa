//! What all grants have in common: the server, the client, and the options that RFCs define for each of them.

use std::borrow::Cow;

use http::Uri;

use super::{
    client_authentication::ClientAuthentication,
    grant::Fields,
    place::{Place, See, see_param},
    server::AuthorizationServer,
    text::Text,
};
use crate::{
    credential::{Param, endpoint::shape::Shape},
    error::{ConfigError, ConfigErrorKind},
    token::Renewal,
};

/// Names that a request has from us. RFC 6749 §3.2 allows each only once.
const TAKEN: [&str; 15] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "refresh_token",
    "username",
    "password",
    "assertion",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
];

/// Server, client and options.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) server: AuthorizationServer,
    pub(super) client: ClientAuthentication,
    pub(super) name: Option<Cow<'static, str>>,
    pub(super) renewal: Renewal,
    pub(super) resources: Vec<Text>,
    pub(super) audiences: Vec<Text>,
    pub(super) scope: Option<Text>,
    /// The scope of a refresh; `None` for the one that was granted (RFC 6749 §6).
    pub(super) refresh_scope: Option<Text>,
    pub(super) params: Fields,
    /// Those that no refresh has.
    pub(super) acquire_params: Fields,
    /// How answers are read.
    pub(super) shape: Shape,
}

impl Setup {
    pub(super) fn new(server: impl Into<AuthorizationServer>, client: ClientAuthentication) -> Self {
        Self {
            server: server.into(),
            client,
            name: None,
            renewal: Renewal::default(),
            resources: Vec::new(),
            audiences: Vec::new(),
            scope: None,
            refresh_scope: None,
            params: Fields::new(),
            acquire_params: Fields::new(),
            shape: Shape { strict: true, ..Shape::oauth2() },
        }
    }

    /// What the grant's own request has beside what makes it the grant.
    pub(super) fn options(&self) -> Fields {
        let mut fields = self.common(self.scope.as_ref());
        fields.extend(self.acquire_params.iter().cloned());
        fields
    }

    /// The same for a refresh.
    pub(super) fn refresh_options(&self) -> Fields {
        self.common(self.refresh_scope.as_ref())
    }

    /// For what the token is to be good (RFC 8707, RFC 8693 §2.1), the scope, and the extra parameters.
    fn common(&self, scope: Option<&Text>) -> Fields {
        let resources = self.resources.iter().map(|uri| ("resource", uri));
        let audiences = self.audiences.iter().map(|name| ("audience", name));
        let scope = scope.map(|scope| ("scope", scope));
        let fields = resources.chain(audiences).chain(scope);
        let fields = fields.map(|(name, value)| (name.into(), Param::text(value.or_stand_in())));
        fields.chain(self.params.iter().cloned()).collect()
    }

    /// Shows where it may have inputs.
    pub(super) fn places(&mut self, see: &mut See<'_>) {
        self.server.places(see);
        self.client.places(see);
        self.resources.iter_mut().for_each(|text| see(Place::Text("resource", text)));
        self.audiences.iter_mut().for_each(|text| see(Place::Text("audience", text)));
        self.scope.iter_mut().for_each(|text| see(Place::Text("scope", text)));
        self.refresh_scope.iter_mut().for_each(|text| see(Place::Text("scope of a refresh", text)));
        let params = self.params.iter_mut().chain(&mut self.acquire_params);
        params.for_each(|(_, value)| see_param(value, see));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.server.check()?;
        self.client.check()?;
        self.shape.check()?;
        let refuse = |kind, words: String| Err(ConfigError::new(kind, words));
        if let Some(resource) =
            self.resources.iter().filter_map(Text::known).find(|resource| !is_absolute(resource))
        {
            let words =
                format!("the resource {resource:?} is no absolute uri without fragment (RFC 8707 §2)");
            return refuse(ConfigErrorKind::Url, words);
        }
        let scopes = [&self.scope, &self.refresh_scope];
        if let Some(scope) =
            scopes.into_iter().flatten().filter_map(Text::known).find(|scope| !is_scope(scope))
        {
            let words = format!("the scope {scope:?} is not one or more words with one space between them");
            return refuse(ConfigErrorKind::Declaration, words);
        }
        let mut params = self.params.iter().chain(&self.acquire_params);
        if let Some((name, _)) = params.find(|(name, _)| TAKEN.contains(&&**name)) {
            let words = format!("the parameter {name} has a method of its own, and may be sent only once");
            return refuse(ConfigErrorKind::Declaration, words);
        }
        Ok(())
    }
}

/// RFC 3986 §4.3, as far as it matters: a scheme, and no fragment.
fn is_absolute(uri: &str) -> bool {
    let has_scheme = uri.split_once(':').is_some_and(|(scheme, rest)| {
        let mut chars = scheme.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic())
            && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
    });
    // `Uri` knows no urn, and drops fragments.
    has_scheme && !uri.contains('#') && (!uri.contains("://") || uri.parse::<Uri>().is_ok())
}

/// RFC 6749 §3.3.
fn is_scope(scope: &str) -> bool {
    let is_token = |token: &str| {
        !token.is_empty()
            && token.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
    };
    scope.split(' ').all(is_token)
}
