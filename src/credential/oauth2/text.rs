//! [`Text`]: what a grant says that is no secret, known or still to be filled in.

use std::{borrow::Cow, fmt, sync::Arc};

use secrecy::ExposeSecret;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::{Fill, SecretSource, Supply},
};

/// Text that is no secret, such as a client's id, a scope or the URL of a token endpoint: it may be shown, and says whose token
/// it is.
///
/// Text is one by itself. So is a [`SecretSource`], whose text is read when the credential is built, and is the same as long as
/// the program runs; one that has to be asked, such as [`SecretSource::from_fn`], is refused then, with
/// [`ConfigErrorKind::Input`]. An [input](SecretSource::input) is read when it is
/// [filled in](super::OAuth2Credential::with_input).
///
/// # Examples
///
/// ```
/// use tower_reauth::oauth2::{ClientAuthentication, SecretSource};
///
/// let known = ClientAuthentication::public("s6BhdRkqt3");
/// let read = ClientAuthentication::public(SecretSource::env("CLIENT_ID"));
/// let each_customers = ClientAuthentication::public(SecretSource::input("client_id"));
/// ```
#[derive(Clone)]
pub struct Text(Kind);

#[derive(Clone)]
enum Kind {
    Known(Cow<'static, str>),
    Elsewhere(Supply),
}

impl Text {
    /// It, if it is known.
    pub(super) fn known(&self) -> Option<&str> {
        match &self.0 {
            Kind::Known(text) => Some(text),
            Kind::Elsewhere(supply) => supply.fixed().map(|text| text.expose_secret()),
        }
    }

    /// It, or something in its place as long as it isn't filled in.
    pub(super) fn or_stand_in(&self) -> Cow<'static, str> {
        match (&self.0, self.known()) {
            (Kind::Known(text), _) => text.clone(),
            (_, Some(text)) => text.to_owned().into(),
            (_, None) => "stand-in".into(),
        }
    }

    /// Whether it is still to be filled in.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.0, Kind::Elsewhere(supply) if supply.is_open())
    }

    /// The names of its inputs.
    pub(super) fn inputs(&self) -> Vec<Arc<str>> {
        match &self.0 {
            Kind::Known(_) => Vec::new(),
            Kind::Elsewhere(supply) => supply.inputs(),
        }
    }

    /// Puts what `fill` has in its place, if it is an input.
    pub(super) fn fill(&mut self, fill: &Fill<'_>) {
        if let Kind::Elsewhere(supply) = &mut self.0 {
            supply.fill(fill);
        }
    }

    /// It, read by now if it is elsewhere. `what` names it in errors.
    #[cfg(feature = "jwt")]
    pub(super) fn settled(self, what: &str) -> Result<Cow<'static, str>, ConfigError> {
        match self.0 {
            Kind::Known(text) => Ok(text),
            Kind::Elsewhere(supply) => text_of(&supply, what).map(Cow::Owned),
        }
    }

    /// Reads it, unless it is still to be filled in. `what` names it in errors.
    pub(super) fn settle(&mut self, what: &str) -> Result<(), ConfigError> {
        if let Kind::Elsewhere(supply) = &self.0
            && !supply.is_open()
        {
            self.0 = Kind::Known(text_of(supply, what)?.into());
        }
        Ok(())
    }
}

/// The text of `supply`, which can't be another one later. `what` names it in errors.
pub(super) fn text_of(supply: &Supply, what: &str) -> Result<String, ConfigError> {
    if supply.is_asked_for() {
        let words = format!(
            "the {what} has to be known when the credential is built; give it as text, or by a variable or a file"
        );
        return Err(ConfigError::new(ConfigErrorKind::Input, words));
    }
    Ok(supply.peek(what)?.expose_secret().to_owned())
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Known(text) => fmt::Debug::fmt(text, f),
            Kind::Elsewhere(supply) => fmt::Debug::fmt(supply, f),
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Kind::Known(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Kind::Known(text.into()))
    }
}

impl From<Cow<'static, str>> for Text {
    fn from(text: Cow<'static, str>) -> Self {
        Self(Kind::Known(text))
    }
}

impl From<SecretSource> for Text {
    fn from(SecretSource(supply): SecretSource) -> Self {
        Self(match &supply {
            Supply::Fixed(text) => Kind::Known(text.expose_secret().to_owned().into()),
            _ => Kind::Elsewhere(supply),
        })
    }
}
