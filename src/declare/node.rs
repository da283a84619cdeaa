//! [`Node`]: what a file says, as any format gives it, before anybody asks what it means.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use crate::secret::SecretSource;

/// As what the crate toml shows a date: a table with this key.
const TOML_DATE: &str = "$__toml_private_datetime";

/// A value of a file. It is not to be printed: it may be a secret that somebody wrote where none belongs.
#[derive(Clone)]
pub(super) enum Node {
    Null,
    Flag(bool),
    Integer(i64),
    /// A whole number that is too big for that, digit for digit.
    BigInteger(String),
    /// Neither are its digits known as they are written, nor whether they all are.
    Fraction,
    Date,
    Text(String),
    /// An input that the program has filled. No format has such a thing.
    Secret(SecretSource),
    List(Vec<Self>),
    Table(Vec<(String, Self)>),
}

impl Node {
    /// What it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Integer(_) => "a number",
            Self::BigInteger(_) => "a number of more than 63 bits",
            Self::Fraction => "a number with a fraction",
            Self::Date => "a date",
            Self::Text(_) => "text",
            Self::Secret(_) => "an input, which has no place here",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { path: String::new() }.deserialize(deserializer)
    }
}

/// The path of a key in a table, by which errors name it.
pub(super) fn join(path: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let key = if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Reads the value at a path.
struct Reader {
    path: String,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true, false, a list or a table")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or_else(|_| Node::BigInteger(number.to_string()), Node::Integer))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or_else(|_| Node::BigInteger(number.to_string()), Node::Integer))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Node, E> {
        Ok(i64::try_from(number).map_or_else(|_| Node::BigInteger(number.to_string()), Node::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        let element = |index: usize| Self { path: format!("{}[{index}]", self.path) };
        while let Some(node) = list.next_element_seed(element(nodes.len()))? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let node = map.next_value_seed(Self { path: join(&self.path, &key) })?;
            // TOML has no such thing. Of JSON's readers each takes another of the two.
            if entries.iter().any(|(known, _)| *known == key) {
                let within = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
                return Err(A::Error::custom(format_args!("{within}the key {key:?} is there twice")));
            }
            entries.push((key, node));
        }
        if let [(key, _)] = &entries[..]
            && key == TOML_DATE
        {
            return Ok(Node::Date);
        }
        Ok(Node::Table(entries))
    }
}
