//! [`Claim`]: what a file has a JWT say, in its claims and its header, with references in its leaves.

use std::iter;

use secrecy::ExposeSecret;
use serde_json::Value as Json;

use super::{
    node::Node,
    value::Value,
    word::{Word, word},
};
use crate::{
    credential::{JsonValue, is_number},
    error::ConfigError,
    secret::SecretSource,
};

/// As many digits as each number has that JSON's readers keep.
const DIGITS: usize = 15;

/// JSON, some of whose texts are elsewhere.
#[derive(Clone)]
pub(super) enum Claim {
    Known(Json),
    Source(SecretSource),
    List(Vec<Self>),
    Table(Claims),
}

/// The fields of an object.
pub(super) type Claims = Vec<(String, Claim)>;

/// The fields of a table, of which there are some.
pub(super) fn claims(value: Value) -> Result<Claims, ConfigError> {
    value.entries()?.into_iter().map(|(name, value)| Ok((name, claim(value, 1)?))).collect()
}

/// JSON that is in `depth` others.
fn claim(value: Value, depth: usize) -> Result<Claim, ConfigError> {
    if matches!(value.node(), Node::List(_) | Node::Table(_)) && depth >= JsonValue::MAX_DEPTH {
        return Err(value.refuse(format_args!("it is nested more than {} deep", JsonValue::MAX_DEPTH)));
    }
    Ok(match value.node() {
        Node::Null => Claim::Known(Json::Null),
        Node::Flag(flag) => Claim::Known((*flag).into()),
        Node::Integer(number) => Claim::Known((*number).into()),
        Node::BigInteger(digits) => Claim::Known(number(&value, digits)?),
        Node::Fraction => return Err(value.refuse("write a number with a fraction as json:1.5")),
        Node::Date => return Err(value.refuse("json has no dates; write text:2030-01-01 in quotes")),
        Node::Secret(source) => Claim::Source(source.clone()),
        Node::Text(text) => match text.strip_prefix("json:") {
            Some("null") => Claim::Known(Json::Null),
            Some(digits) => Claim::Known(number(&value, digits)?),
            None => match word(&value)? {
                Word::Text(text) => Claim::Known(text.into()),
                Word::Secret(source) => Claim::Source(source),
                Word::AccessToken | Word::RefreshToken => {
                    return Err(value.refuse("a token has no place in a jwt"));
                }
            },
        },
        Node::List(_) => {
            let elements = value.elements()?.into_iter().map(|value| claim(value, depth + 1));
            Claim::List(elements.collect::<Result<_, _>>()?)
        }
        Node::Table(_) => {
            let fields =
                value.fields()?.into_iter().map(|(name, value)| Ok((name, claim(value, depth + 1)?)));
            Claim::Table(fields.collect::<Result<_, ConfigError>>()?)
        }
    })
}

/// A number, unless it would be signed as another one.
fn number(value: &Value, text: &str) -> Result<Json, ConfigError> {
    if !is_number(text) {
        return Err(value.refuse("json: takes null or a number, as in json:null and json:1.5"));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    serde_json::from_str::<Json>(text)
        .ok()
        .filter(|number| number.is_i64() || number.is_u64() || digits <= DIGITS)
        .ok_or_else(|| {
            value.refuse(
                "the number is too large or too exact for a jwt; write it as text, if the server takes that",
            )
        })
}

impl Claim {
    /// What of it is elsewhere.
    pub(super) fn sources_mut(&mut self) -> Box<dyn Iterator<Item = &mut SecretSource> + Send + '_> {
        match self {
            Self::Known(_) => Box::new(iter::empty()),
            Self::Source(source) => Box::new(iter::once(source)),
            Self::List(elements) => Box::new(elements.iter_mut().flat_map(Self::sources_mut)),
            Self::Table(fields) => Box::new(fields.iter_mut().flat_map(|(_, field)| field.sources_mut())),
        }
    }

    /// It as JSON, once all of it is here.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Known(json) => json.clone(),
            Self::Source(source) => source.0.fixed().map(ExposeSecret::expose_secret).into(),
            Self::List(elements) => elements.iter().map(Self::json).collect(),
            Self::Table(fields) => fields.iter().map(|(name, field)| (name.clone(), field.json())).collect(),
        }
    }
}
