//! What a grant sends to the token endpoint, and where that comes from.

use std::borrow::Cow;

use secrecy::SecretString;

use super::{
    place::{Place, See},
    rotation::Persist,
    text::Text,
};
use crate::{
    credential::Param,
    error::{AcquireError, ConfigError},
    secret::Supply,
    token::Grants,
};

/// A grant, with what it needs.
#[derive(Clone, Debug)]
pub(super) enum Grant {
    /// RFC 6749 §4.4.
    ClientCredentials,
    /// RFC 6749 §6.
    RefreshToken(Login),
    /// RFC 6749 §4.3.
    Password { username: Text, password: Supply },
    /// RFC 7523 §2.1.
    JwtBearer { assertion: Supply },
    /// RFC 8693.
    TokenExchange(Box<Exchange>),
    /// RFC 6749 §4.5: any other, whose parameters are options.
    Extension { grant_type: Cow<'static, str> },
    /// RFC 8628 §3.1: none, but a request by the client all the same.
    DeviceAuthorization,
}

/// The refresh token that a login begins with, and what saves those after it.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) initial: Supply,
    pub(super) persist: Option<Persist>,
}

/// What is exchanged, and for what.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) subject: TypedToken,
    pub(super) actor: Option<TypedToken>,
    pub(super) requested: Option<Cow<'static, str>>,
}

/// A token and its type's identifier (RFC 8693 §3).
#[derive(Clone, Debug)]
pub(super) struct TypedToken {
    pub(super) token: Supply,
    pub(super) token_type: Cow<'static, str>,
}

/// The fields of a request, in order.
pub(super) type Fields = Vec<(Cow<'static, str>, Param)>;

impl Grant {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client credentials",
            Self::RefreshToken(_) => "refresh token",
            Self::Password { .. } => "password",
            Self::JwtBearer { .. } => "jwt bearer",
            Self::TokenExchange(_) => "token exchange",
            Self::Extension { .. } => "extension grant",
            Self::DeviceAuthorization => "device authorization",
        }
    }

    /// What becomes of the grant when nobody knows whether it was used.
    pub(super) fn uses(&self) -> Grants {
        match self {
            Self::ClientCredentials | Self::DeviceAuthorization => Grants::Reusable,
            Self::RefreshToken(_) => Grants::SingleUse,
            Self::Password { .. }
            | Self::JwtBearer { .. }
            | Self::TokenExchange(_)
            | Self::Extension { .. } => Grants::RefreshThenOther,
        }
    }

    /// Whether a refresh token that came with a token is used. With client credentials none is meant to come
    /// (RFC 6749 §4.4.3), and a credential that is a refresh token has it already.
    pub(super) fn may_refresh(&self) -> bool {
        !matches!(self, Self::ClientCredentials | Self::RefreshToken(_))
    }

    /// Whether what it sends is made for one attempt: a server may take an assertion's id only once
    /// (RFC 7523 §3).
    pub(super) fn is_used_once(&self) -> bool {
        matches!(self, Self::JwtBearer { .. })
    }

    /// The login that it goes on with, if it is a refresh token.
    pub(super) fn login(&self) -> Option<&Login> {
        match self {
            Self::RefreshToken(login) => Some(login),
            _ => None,
        }
    }

    /// Shows where it may have inputs, but for the refresh token of a login.
    pub(super) fn places(&mut self, see: &mut See<'_>) {
        match self {
            Self::ClientCredentials
            | Self::RefreshToken(_)
            | Self::Extension { .. }
            | Self::DeviceAuthorization => {}
            Self::Password { username, password } => {
                see(Place::Text("username", username));
                see(Place::Secret(password));
            }
            Self::JwtBearer { assertion } => see(Place::Secret(assertion)),
            Self::TokenExchange(exchange) => {
                see(Place::Secret(&mut exchange.subject.token));
                exchange.actor.iter_mut().for_each(|actor| see(Place::Secret(&mut actor.token)));
            }
        }
    }

    /// Whether its password is filled in, and the user's name is not.
    pub(super) fn is_told_by_secret(&self) -> bool {
        matches!(self, Self::Password { username, password } if password.is_open() && !username.is_open())
    }

    /// The secrets that the next request sends, assertions made for `audience`. A refresh token is known elsewhere.
    pub(super) async fn secrets(&self, audience: &str) -> Result<Vec<SecretString>, AcquireError> {
        let mut secrets = Vec::new();
        for (what, supply) in self.supplies() {
            secrets.push(supply.read(what, audience).await?);
        }
        Ok(secrets)
    }

    /// Takes down that the server has taken these secrets. After a refresh there are none.
    pub(super) fn accept(&self, secrets: &[SecretString]) {
        self.supplies().iter().zip(secrets).for_each(|((_, supply), secret)| supply.accept(secret));
    }

    /// The secrets anew, if the refusal of these makes others of them.
    pub(super) async fn replaced(
        &self,
        refused: &[SecretString],
        audience: &str,
    ) -> Option<Vec<SecretString>> {
        let supplies = self.supplies();
        let pairs = supplies.iter().zip(refused);
        let others = pairs.filter(|((_, supply), refused)| supply.refuse(refused)).count();
        if others > 0 { self.secrets(audience).await.ok() } else { None }
    }

    /// Whether there is another secret than `refused` by now, as far as can be told without waiting.
    pub(super) fn has_other_secret(&self, refused: &SecretString) -> bool {
        match self {
            Self::Password { password, .. } => password.differs_from(refused),
            Self::JwtBearer { assertion } => assertion.was_replaced(refused),
            Self::TokenExchange(exchange) => exchange.subject.token.was_replaced(refused),
            Self::ClientCredentials
            | Self::RefreshToken(_)
            | Self::Extension { .. }
            | Self::DeviceAuthorization => false,
        }
    }

    /// Secrets for a request that is only looked at.
    pub(super) fn peek(&self) -> Result<Vec<SecretString>, ConfigError> {
        self.supplies().into_iter().map(|(what, supply)| supply.peek_or_open(what)).collect()
    }

    /// What the request sends beside the options and the client's authentication.
    pub(super) fn fields(&self, secrets: &[SecretString]) -> Fields {
        let mut secrets = secrets.iter().cloned().map(Param::secret);
        let mut secret = || secrets.next().unwrap_or_else(|| Param::secret(""));
        let mut fields = Fields::new();
        let mut field = |name: &'static str, value: Param| fields.push((name.into(), value));
        match self {
            Self::ClientCredentials | Self::Extension { .. } | Self::DeviceAuthorization => {}
            Self::RefreshToken(_) => field("refresh_token", secret()),
            Self::Password { username, .. } => {
                field("username", Param::text(username.or_stand_in()));
                field("password", secret());
            }
            Self::JwtBearer { .. } => field("assertion", secret()),
            Self::TokenExchange(exchange) => {
                let Exchange { subject, actor, requested } = &**exchange;
                if let Some(requested) = requested {
                    field("requested_token_type", Param::text(requested.clone()));
                }
                field("subject_token", secret());
                field("subject_token_type", Param::text(subject.token_type.clone()));
                if let Some(actor) = actor {
                    field("actor_token", secret());
                    field("actor_token_type", Param::text(actor.token_type.clone()));
                }
            }
        }
        fields
    }

    /// Its name on the wire, if it has one.
    pub(super) fn grant_type(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::DeviceAuthorization => return None,
            Self::Extension { grant_type } => grant_type.clone(),
            Self::ClientCredentials => "client_credentials".into(),
            Self::RefreshToken(_) => "refresh_token".into(),
            Self::Password { .. } => "password".into(),
            Self::JwtBearer { .. } => "urn:ietf:params:oauth:grant-type:jwt-bearer".into(),
            Self::TokenExchange(_) => "urn:ietf:params:oauth:grant-type:token-exchange".into(),
        })
    }

    /// Where those of the secrets come from that no use replaces, in the order of the fields.
    pub(super) fn supplies(&self) -> Vec<(&'static str, &Supply)> {
        match self {
            Self::ClientCredentials
            | Self::RefreshToken(_)
            | Self::Extension { .. }
            | Self::DeviceAuthorization => Vec::new(),
            Self::Password { password, .. } => vec![("password", password)],
            Self::JwtBearer { assertion } => vec![("assertion", assertion)],
            Self::TokenExchange(exchange) => {
                let Exchange { subject, actor, .. } = &**exchange;
                let actor = actor.as_ref().map(|actor| ("actor token", &actor.token));
                [("subject token", &subject.token)].into_iter().chain(actor).collect()
            }
        }
    }
}
