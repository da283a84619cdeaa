//! Token requests, and the values that they send.

use std::borrow::Cow;

use http::Method;

use super::{
    jwt::jwt,
    node::Node,
    value::{Value, refuse, within},
    word::{Word, source, word},
};
use crate::{
    credential::{BaseUrl, JsonValue, Param, TokenRequest, is_number},
    error::ConfigError,
    secret::SecretSource,
    token::AccessToken,
};

const KEYS: [&str; 8] = ["request", "query", "headers", "basic", "bearer", "json", "form", "accepts"];

/// A request that gets a token from nothing but secrets.
pub(super) fn first(value: Value, base_url: &BaseUrl) -> Result<TokenRequest, ConfigError> {
    let path = value.path().to_owned();
    let request = request(value)?;
    request.check(base_url, None).map_err(|error| within(&path, &error))?;
    Ok(request)
}

/// A request that renews or revokes a token.
pub(super) fn about_token(value: Value, base_url: &BaseUrl) -> Result<TokenRequest, ConfigError> {
    let path = value.path().to_owned();
    let request = request(value)?;
    let stand_in = AccessToken::new("stand-in").expect("visible ascii").with_refresh_token("stand-in");
    request.check(base_url, Some(&stand_in)).map_err(|error| within(&path, &error))?;
    if !request.is_about_token() {
        return Err(refuse(
            &path,
            "it has to send the token that it is about: token:access or token:refresh",
        ));
    }
    Ok(request)
}

fn request(value: Value) -> Result<TokenRequest, ConfigError> {
    let mut table = value.table(&KEYS)?;
    let mut request = line(&table.need("request")?)?;
    type Field = fn(TokenRequest, Cow<'static, str>, Param) -> TokenRequest;
    let fields: [(&str, Field); 3] = [
        ("query", |request, name, value| request.query(name, value)),
        ("headers", |request, name, value| request.header(name, value)),
        ("form", |request, name, value| request.form(name, value)),
    ];
    for (key, field) in fields {
        for (name, value) in table.take(key).map(Value::entries).transpose()?.unwrap_or_default() {
            for value in value.one_or_more()? {
                request = field(request, name.clone().into(), param_or_jwt(value)?);
            }
        }
    }
    if let Some(value) = table.take("json") {
        request = with_json(request, value)?;
    }
    if let Some(basic) = table.take("basic") {
        request = with_basic(request, basic)?;
    }
    if let Some(bearer) = table.take("bearer") {
        request = request.bearer(param_or_jwt(bearer)?);
    }
    if let Some(accepts) = table.take("accepts") {
        let statuses: Result<Vec<_>, _> = accepts.one_or_more()?.iter().map(Value::status).collect();
        request = request.accepts(statuses?);
    }
    Ok(request)
}

/// The user-id and the password of HTTP Basic, the latter empty if there is none.
pub(super) fn user(value: Value) -> Result<(SecretSource, Option<SecretSource>), ConfigError> {
    let mut table = value.table(&["user", "password"])?;
    let user = source(&table.need("user")?)?;
    let password = table.take("password").as_ref().map(source).transpose()?;
    Ok((user, password))
}

/// A method and a URL, as in `POST /token`.
fn line(value: &Value) -> Result<TokenRequest, ConfigError> {
    let words = || value.refuse("write a method in capitals, a space, and a path or a url: POST /token");
    let (method, url) = value.text()?.split_once(' ').ok_or_else(words)?;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(words());
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| words())?;
    Ok(TokenRequest::new(method, url.trim().to_owned()))
}

fn with_basic(request: TokenRequest, value: Value) -> Result<TokenRequest, ConfigError> {
    let mut table = value.table(&["user", "password", "form_encoded"])?;
    let (user, password) = (table.need("user")?, table.need("password")?);
    let form_encoded = table.take("form_encoded").map(|value| value.flag()).transpose()?.unwrap_or_default();
    Ok(if form_encoded {
        request.basic_form_encoded(param(&user)?, source(&password)?)
    } else {
        request.basic(source(&user)?, source(&password)?)
    })
}

/// The body: the fields of an object, or any other JSON.
fn with_json(mut request: TokenRequest, value: Value) -> Result<TokenRequest, ConfigError> {
    if !matches!(value.node(), Node::Table(_)) {
        return Ok(request.json_body(json(value, 0)?));
    }
    let fields = value.fields()?;
    if fields.is_empty() {
        return Ok(request.json_body(JsonValue::object()));
    }
    for (name, value) in fields {
        request = request.json(name, json(value, 1)?);
    }
    Ok(request)
}

/// JSON that is itself, with texts that say what they are. It is in `depth` others.
fn json(value: Value, depth: usize) -> Result<JsonValue, ConfigError> {
    if matches!(value.node(), Node::List(_) | Node::Table(_)) && depth >= JsonValue::MAX_DEPTH {
        return Err(value.refuse(format_args!("it is nested more than {} deep", JsonValue::MAX_DEPTH)));
    }
    match value.node() {
        Node::Null => Ok(JsonValue::null()),
        Node::BigInteger(digits) => Ok(JsonValue::number(digits)),
        // No reader says how it was written, or whether it has digits that it can't keep.
        Node::Fraction => Err(value.refuse(
            "a number with a fraction, or of so many digits, wouldn't be sent as it is \
                                            written; write it as json:1.50",
        )),
        Node::Date => Err(value.refuse("json has no dates; write text:2030-01-01 in quotes")),
        Node::Text(text) => match text.strip_prefix("json:") {
            Some("null") => Ok(JsonValue::null()),
            Some(number) if is_number(number) => Ok(JsonValue::number(number)),
            Some(_) => Err(value.refuse("json: takes null or a number, as in json:null and json:1.50")),
            None => Ok(param(&value)?.into()),
        },
        Node::List(_) => {
            let elements = value.elements()?.into_iter().map(|value| json(value, depth + 1));
            Ok(JsonValue::array(elements.collect::<Result<Vec<_>, _>>()?))
        }
        Node::Table(_) => {
            let mut object = JsonValue::object();
            for (name, value) in value.fields()? {
                object = object.field(name, json(value, depth + 1)?);
            }
            Ok(object.into())
        }
        Node::Flag(_) | Node::Integer(_) | Node::Secret(_) => Ok(param(&value)?.into()),
    }
}

/// A value, or a table that declares a JWT.
fn param_or_jwt(value: Value) -> Result<Param, ConfigError> {
    match value.node() {
        Node::Table(_) => Ok(jwt(value)?.into()),
        _ => param(&value),
    }
}

fn param(value: &Value) -> Result<Param, ConfigError> {
    match value.node() {
        Node::Integer(number) => return Ok((*number).into()),
        Node::Flag(flag) => return Ok((*flag).into()),
        _ => {}
    }
    Ok(match word(value)? {
        Word::Secret(source) => source.into(),
        Word::Text(text) => Param::text(text),
        Word::AccessToken => Param::access_token(),
        Word::RefreshToken => Param::refresh_token(),
    })
}
