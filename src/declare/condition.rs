//! Conditions on responses, and where in a response reasons are.

use http::HeaderName;

use super::{
    node::Node,
    value::{Table, Value},
};
use crate::{
    error::ConfigError,
    signature::{self, Challenge, ChallengeParam, Condition, Header, Json, Literal, Subject, Trailer},
};

const KEYS: [&str; 17] = [
    "json",
    "header",
    "trailer",
    "challenge",
    "param",
    "body",
    "media_type",
    "all",
    "any",
    "not",
    "is",
    "one_of",
    "starts_with",
    "contains",
    "exists",
    "has",
    "ignore_case",
];
/// What a condition is about. Each has exactly one of them.
const SUBJECTS: [&str; 9] =
    ["json", "header", "trailer", "challenge", "body", "media_type", "all", "any", "not"];
const TESTS: [&str; 6] = ["is", "one_of", "starts_with", "contains", "exists", "has"];

/// A condition, and what can be said of it without a look at the body.
pub(super) struct Read {
    pub(super) condition: Condition,
    unread: Unread,
}

/// Whether a condition may hold, and whether it may fail, as long as nobody knows the body.
#[derive(Clone, Copy)]
struct Unread {
    holds: bool,
    fails: bool,
}

impl Read {
    /// Whether it can't hold without a look at the body.
    pub(super) fn needs_body(&self) -> bool {
        !self.unread.holds
    }
}

/// A condition, or a list of which all have to hold.
pub(super) fn condition(value: Value) -> Result<Read, ConfigError> {
    if let Node::List(_) = value.node() {
        return all(value);
    }
    let mut table = value.table(&KEYS)?;
    let Some((subject, value)) = table.take_one_of(&SUBJECTS)? else {
        let words = format!("a condition needs one of {}", SUBJECTS.join(", "));
        return Err(table.refuse(words));
    };
    let ignore_case = table.take("ignore_case").map(|value| value.flag()).transpose()?.unwrap_or_default();
    let Read { condition, unread } = match &*subject {
        "all" => all(value)?,
        "any" => any(value)?,
        "not" => {
            let Read { condition, unread: Unread { holds, fails } } = condition(value)?;
            Read { condition: !condition, unread: Unread { holds: fails, fails: holds } }
        }
        "media_type" => {
            let name = value.text()?;
            if name.trim().is_empty() {
                return Err(value.refuse("write a media type, such as json or application/json"));
            }
            Read { condition: signature::media_type(name), unread: Unread { holds: true, fails: true } }
        }
        _ => {
            let place = place(&subject, &value, &mut table)?;
            let known = !place.is_in_body();
            Read { unread: Unread { holds: known, fails: known }, condition: test(place, &mut table)? }
        }
    };
    table.end(&subject)?;
    Ok(Read { condition: if ignore_case { condition.ignore_case() } else { condition }, unread })
}

/// Where a reason is: a JSON Pointer, or a table that names another place.
pub(super) fn subject(value: Value) -> Result<Subject, ConfigError> {
    if let Node::Text(text) = value.node() {
        return Ok(json(&value, text)?.into());
    }
    let mut table = value.table(&["json", "header", "trailer", "challenge", "param", "body"])?;
    let Some((name, value)) = table.take_one_of(&["json", "header", "trailer", "challenge", "body"])? else {
        let words = "write a json pointer, or a table with json, header, trailer, challenge or body";
        return Err(table.refuse(words));
    };
    let place = place(&name, &value, &mut table)?;
    table.end(&name)?;
    match place {
        Place::Json(json) => Ok(json.into()),
        Place::Header(header) => Ok(header.into()),
        Place::Trailer(trailer) => Ok(trailer.into()),
        Place::Param(param) => Ok(param.into()),
        Place::Body => Ok(signature::body().into()),
        Place::Challenge(_) => Err(value.refuse("a reason is in a param of a challenge; add param")),
    }
}

enum Place {
    Json(Json),
    Header(Header),
    Trailer(Trailer),
    Challenge(Challenge),
    Param(ChallengeParam),
    Body,
}

impl Place {
    fn is_in_body(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Body)
    }
}

fn all(value: Value) -> Result<Read, ConfigError> {
    let read = list(value)?;
    let unread = Unread {
        holds: read.iter().all(|read| read.unread.holds),
        fails: read.iter().any(|read| read.unread.fails),
    };
    let condition = read.into_iter().map(|read| read.condition).reduce(Condition::and);
    Ok(Read { condition: condition.expect("lists are not empty"), unread })
}

fn any(value: Value) -> Result<Read, ConfigError> {
    let read = list(value)?;
    let unread = Unread {
        holds: read.iter().any(|read| read.unread.holds),
        fails: read.iter().all(|read| read.unread.fails),
    };
    let condition = read.into_iter().map(|read| read.condition).reduce(Condition::or);
    Ok(Read { condition: condition.expect("lists are not empty"), unread })
}

fn list(value: Value) -> Result<Vec<Read>, ConfigError> {
    value.list()?.into_iter().map(condition).collect()
}

fn place(subject: &str, value: &Value, table: &mut Table) -> Result<Place, ConfigError> {
    Ok(match subject {
        "json" => Place::Json(json(value, value.text()?)?),
        "header" => Place::Header(signature::header(field(value)?)),
        "trailer" => Place::Trailer(signature::trailer(field(value)?)),
        "challenge" => {
            let challenge = signature::challenge(named(value)?);
            match table.take("param") {
                Some(param) => Place::Param(challenge.param(named(&param)?)),
                None => Place::Challenge(challenge),
            }
        }
        _ if value.flag()? => Place::Body,
        _ => return Err(value.refuse("write true, or leave it out")),
    })
}

fn json(value: &Value, pointer: &str) -> Result<Json, ConfigError> {
    let words = || {
        value.refuse(format_args!(
            "{pointer:?} is no json pointer; one looks like \"/errors/*/code\" (RFC 6901)"
        ))
    };
    Json::parse(pointer).ok_or_else(words)
}

/// The name of a header, or of a field of the trailers.
fn field(value: &Value) -> Result<HeaderName, ConfigError> {
    let name = value.text()?;
    let words = |_| value.refuse(format_args!("{name:?} is no header name"));
    HeaderName::from_bytes(name.as_bytes()).map_err(words)
}

/// A scheme or a parameter's name, which are tokens (RFC 9110 §5.6.2), as are header names.
fn named(value: &Value) -> Result<&str, ConfigError> {
    let name = value.text()?;
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) => Ok(name),
        Err(_) => Err(value.refuse(format_args!("{name:?} is no name; one is Bearer"))),
    }
}

/// What is asked of `place`.
fn test(place: Place, table: &mut Table) -> Result<Condition, ConfigError> {
    let Some((name, value)) = table.take_one_of(&TESTS)? else {
        let words = format!("the condition asks nothing; add one of {}", TESTS.join(", "));
        return Err(table.refuse(words));
    };
    let no = || value.refuse("that can't be asked of this");
    let present = |exists: Condition| Ok(if value.flag()? { exists } else { !exists });
    macro_rules! words {
        ($of:ident) => {
            match &*name {
                "is" => $of.is(value.text()?),
                "one_of" => {
                    let values = value.list()?;
                    let words: Result<Vec<&str>, _> = values.iter().map(Value::text).collect();
                    $of.one_of(words?)
                }
                "starts_with" => $of.starts_with(part(&value)?),
                "contains" => $of.contains(part(&value)?),
                "exists" => return present($of.exists()),
                _ => return Err(no()),
            }
        };
    }
    Ok(match place {
        Place::Header(header) => words!(header),
        Place::Trailer(trailer) => words!(trailer),
        Place::Param(param) => words!(param),
        Place::Challenge(challenge) => match &*name {
            "exists" => return present(challenge.exists()),
            _ => return Err(no()),
        },
        Place::Body => match &*name {
            "starts_with" => signature::body().starts_with(part(&value)?),
            "contains" => signature::body().contains(part(&value)?),
            _ => return Err(no()),
        },
        Place::Json(json) => match &*name {
            "is" => json.is(literal(&value)?),
            "one_of" => {
                let literals: Result<Vec<_>, _> = value.list()?.iter().map(literal).collect();
                json.one_of(literals?)
            }
            "starts_with" => json.starts_with(part(&value)?),
            "contains" => json.contains(part(&value)?),
            "exists" => return present(json.exists()),
            _ => json.has(condition(value)?.condition),
        },
    })
}

/// What every text starts with and contains is nothing to ask for.
fn part(value: &Value) -> Result<&str, ConfigError> {
    match value.text()? {
        "" => Err(value.refuse("the text is empty, so it would be in everything")),
        text => Ok(text),
    }
}

fn literal(value: &Value) -> Result<Literal, ConfigError> {
    Ok(match value.node() {
        Node::Text(text) => Literal::from(&**text),
        Node::Integer(number) => Literal::from(*number),
        Node::Flag(flag) => Literal::from(*flag),
        Node::Null => Literal::null(),
        node => {
            let words = format!("expected text, a whole number, true, false or null, found {}", node.kind());
            return Err(value.refuse(words));
        }
    })
}
