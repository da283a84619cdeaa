//! A token as the bytes that a store keeps of it, and back. The bytes are secret.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::{
    error::{StoreError, StoreErrorKind},
    store::{Body, Moment},
    token::AccessToken,
};

/// The format that is written, and the only one that is read.
const FORMAT: u64 = 1;

/// A token, and what is known of its lifetime by the store's clock.
#[derive(Debug)]
pub(super) struct Kept {
    /// With the refresh token that is in force, and without a lifetime.
    pub(super) token: AccessToken,
    pub(super) expires_at: Option<Moment>,
    pub(super) lifetime: Option<Duration>,
    /// For what it was asked: of a token that was asked for something else only the refresh token is of use.
    pub(super) mark: String,
}

impl Kept {
    pub(super) fn to_body(&self) -> Body {
        let mut fields = Map::new();
        let mut field = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                fields.insert(name.to_owned(), value);
            }
        };
        field("format", Some(FORMAT.into()));
        field("access_token", Some(self.token.expose_secret().into()));
        field("refresh_token", self.token.refresh_token().map(|token| token.expose_secret().into()));
        field("expires_at", self.expires_at.map(|at| at.millis().into()));
        field("lifetime", self.lifetime.map(|lifetime| millis(lifetime).into()));
        field("mark", Some(self.mark.as_str().into()).filter(|_| !self.mark.is_empty()));
        let members = self.token.members().map(|(name, value)| (name.to_owned(), value.into()));
        let members: Map<_, _> = members.collect();
        field("members", (!members.is_empty()).then(|| members.into()));
        Value::Object(fields).to_string().into_bytes().into()
    }

    /// What was kept.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] where a later release has written it, or something else has.
    pub(super) fn from_body(body: &Body) -> Result<Self, StoreError> {
        let mut fields: Map<String, Value> =
            serde_json::from_slice(body.as_bytes()).map_err(|_| unreadable())?;
        match fields.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(format) if format > FORMAT => {
                let words =
                    format!("the token is kept in format {format}, of a later release; update this program");
                return Err(StoreError::new(StoreErrorKind::NewerFormat, words));
            }
            _ => return Err(unreadable()),
        }
        let secret = text(&mut fields, "access_token")?.ok_or_else(unreadable)?;
        let mut token = AccessToken::new(secret).map_err(|_| unreadable())?;
        if let Some(refresh_token) = text(&mut fields, "refresh_token")? {
            token = token.with_refresh_token(refresh_token);
        }
        match fields.remove("members") {
            None => {}
            Some(Value::Object(members)) => {
                for (name, value) in members {
                    let Value::String(value) = value else { return Err(unreadable()) };
                    token = token.with_member(name, value);
                }
            }
            Some(_) => return Err(unreadable()),
        }
        Ok(Self {
            token,
            expires_at: number(&mut fields, "expires_at")?.map(Moment::from_millis),
            lifetime: number(&mut fields, "lifetime")?.map(Duration::from_millis),
            mark: text(&mut fields, "mark")?.unwrap_or_default(),
        })
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, StoreError> {
    match fields.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(unreadable()),
    }
}

fn number(fields: &mut Map<String, Value>, name: &str) -> Result<Option<u64>, StoreError> {
    match fields.remove(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(unreadable),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn unreadable() -> StoreError {
    let words = "the token in the store makes no sense; something else has written it, or it is damaged: look at who \
                 writes there, or give the slot another name";
    StoreError::new(StoreErrorKind::Unreadable, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back() {
        let token =
            AccessToken::new("a\"1").expect("valid").with_refresh_token("r1").with_member("url", "https://x");
        let kept = Kept {
            token,
            expires_at: Some(Moment::from_millis(5_000)),
            lifetime: Some(Duration::from_secs(3600)),
            mark: "read".to_owned(),
        };
        let back = Kept::from_body(&kept.to_body()).expect("read");
        assert_eq!((back.token.expose_secret(), back.token.member("url")), ("a\"1", Some("https://x")));
        assert_eq!(back.token.refresh_token().expect("one").expose_secret(), "r1");
        assert_eq!((back.expires_at, back.lifetime), (kept.expires_at, kept.lifetime));
        assert_eq!(back.mark, "read");
    }

    #[test]
    fn what_was_not_known_is_not_known() {
        let token = AccessToken::new("a").expect("valid");
        let kept = Kept { token, expires_at: None, lifetime: None, mark: String::new() };
        let back = Kept::from_body(&kept.to_body()).expect("read");
        assert!(back.token.refresh_token().is_none() && back.token.members().next().is_none());
        assert!(back.expires_at.is_none() && back.lifetime.is_none() && back.mark.is_empty());
    }

    #[test]
    fn what_nobody_of_us_has_written_is_refused_and_not_shown() {
        for (body, kind) in [
            ("", StoreErrorKind::Unreadable),
            ("secret", StoreErrorKind::Unreadable),
            ("{}", StoreErrorKind::Unreadable),
            (r#"{"format":0,"access_token":"secret"}"#, StoreErrorKind::Unreadable),
            (r#"{"format":2,"access_token":"secret"}"#, StoreErrorKind::NewerFormat),
            (r#"{"format":1,"refresh_token":"secret"}"#, StoreErrorKind::Unreadable),
            (r#"{"format":1,"access_token":["secret"]}"#, StoreErrorKind::Unreadable),
            (r#"{"format":1,"access_token":"secret\n"}"#, StoreErrorKind::Unreadable),
            (r#"{"format":1,"access_token":"secret","expires_at":"1"}"#, StoreErrorKind::Unreadable),
            (r#"{"format":1,"access_token":"secret","members":{"a":1}}"#, StoreErrorKind::Unreadable),
        ] {
            let error = Kept::from_body(&body.as_bytes().into()).expect_err(body);
            assert_eq!(error.kind(), kind, "{body}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
