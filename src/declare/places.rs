//! Where in a file inputs are, and the file with something in their places.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::{
    node::{Node, join},
    template::{Part, Piece, pieces},
    value::refuse,
};
use crate::{error::ConfigError, secret::SecretSource};

/// Where inputs may be. What else a file has is the vendor's, and no program's business.
pub(super) const SECTIONS: [&str; 8] =
    ["base_url", "other_origins", "acquire", "refresh", "revoke", "key", "basic", "metadata"];

/// Where an input is: in the strictest part of a URL, if in any, and the first path that has it.
pub(super) struct Places {
    pub(super) path: String,
    pub(super) part: Option<Part>,
}

/// The inputs of a file.
pub(super) fn found(node: &Node) -> Result<BTreeMap<String, Places>, ConfigError> {
    let mut found: BTreeMap<String, Places> = BTreeMap::new();
    let mut note = |name: &str, path: &str, part: Option<Part>| {
        let places =
            found.entry(name.to_owned()).or_insert_with(|| Places { path: path.to_owned(), part: None });
        if part > places.part {
            *places = Places { path: path.to_owned(), part };
        }
    };
    walk(node, &mut |path, text, is_url| {
        if let Some(name) = text.strip_prefix("input:") {
            note(name, path, is_url.then_some(Part::Whole));
        } else if let Some((_, name)) = whole_url(text).filter(|_| is_url) {
            note(name, path, Some(Part::Whole));
        } else if is_url {
            for piece in pieces(text).map_err(|why| refuse(path, why))? {
                if let Piece::Input(name, part) = piece {
                    note(name, path, Some(part));
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The names of a file's inputs, as far as it can be read.
pub(super) fn names(file: &Node) -> Vec<String> {
    found(file).map(|found| found.into_keys().collect()).unwrap_or_default()
}

/// Is told of each text: its path, itself, and whether it is a URL.
pub(super) type See<'s> = dyn FnMut(&str, &str, bool) -> Result<(), ConfigError> + 's;

/// Shows each text that may have inputs, with its path, and whether it is a URL.
pub(super) fn walk(node: &Node, see: &mut See<'_>) -> Result<(), ConfigError> {
    fn within(node: &Node, path: &str, see: &mut See<'_>) -> Result<(), ConfigError> {
        match node {
            Node::Text(text) => see(path, text, is_url(path)),
            Node::Table(entries) => {
                entries.iter().try_for_each(|(key, node)| within(node, &join(path, key), see))
            }
            Node::List(nodes) => nodes
                .iter()
                .enumerate()
                .try_for_each(|(index, node)| within(node, &format!("{path}[{index}]"), see)),
            _ => Ok(()),
        }
    }
    let Node::Table(entries) = node else { return Ok(()) };
    let mut sections = entries.iter().filter(|(key, _)| SECTIONS.contains(&&**key));
    sections.try_for_each(|(key, node)| within(node, key, see))
}

/// Has what fills an input, or the part of a URL that one stands for.
pub(super) type Fill<'f> = dyn Fn(&str, Option<Part>) -> Result<SecretSource, ConfigError> + 'f;

/// The file with what `fill` has for each input, and the part of a URL that it is for.
pub(super) fn filled(node: &Node, fill: &Fill<'_>) -> Result<Node, ConfigError> {
    fn within(node: &Node, path: &str, fill: &Fill<'_>) -> Result<Node, ConfigError> {
        let written = |name: &str, part| {
            let source = fill(name, Some(part))?;
            // By now it is text.
            Ok::<_, ConfigError>(source.0.peek("input")?.expose_secret().to_owned())
        };
        Ok(match node {
            Node::Text(text) if is_url(path) && whole_url(text).is_some() => {
                let (method, name) = whole_url(text).unwrap_or_default();
                Node::Text(format!("{method} {}", written(name, Part::Whole)?))
            }
            Node::Text(text) => match text.strip_prefix("input:") {
                Some(name) if is_url(path) => Node::Text(written(name, Part::Whole)?),
                Some(name) => Node::Secret(fill(name, None)?),
                None if is_url(path) => {
                    let mut whole = String::new();
                    for piece in pieces(text).map_err(|why| refuse(path, why))? {
                        match piece {
                            Piece::Text(text) => whole.push_str(text),
                            Piece::Input(name, part) => whole.push_str(&written(name, part)?),
                        }
                    }
                    Node::Text(whole)
                }
                None => node.clone(),
            },
            Node::Table(entries) => Node::Table(
                entries
                    .iter()
                    .map(|(key, node)| Ok((key.clone(), within(node, &join(path, key), fill)?)))
                    .collect::<Result<_, ConfigError>>()?,
            ),
            Node::List(nodes) => {
                Node::List(nodes.iter().map(|node| within(node, path, fill)).collect::<Result<_, _>>()?)
            }
            node => node.clone(),
        })
    }
    let Node::Table(entries) = node else { return Ok(node.clone()) };
    let entry = |(key, node): &(String, Node)| {
        let is_ours = SECTIONS.contains(&&**key);
        Ok((key.clone(), if is_ours { within(node, key, fill)? } else { node.clone() }))
    };
    Ok(Node::Table(entries.iter().map(entry).collect::<Result<_, ConfigError>>()?))
}

/// The texts at `key` of a file: itself, or those that it lists.
pub(super) fn texts(file: &Node, key: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let seen = walk(file, &mut |path, text, _| {
        if path.split(['[', '.']).next() == Some(key) {
            texts.push(text.to_owned());
        }
        Ok(())
    });
    // Whoever is shown them refuses none.
    drop(seen);
    texts
}

/// Whether what is at `path` is a URL, perhaps with a method before it.
fn is_url(path: &str) -> bool {
    matches!(path, "base_url" | "acquire.request" | "refresh.request" | "revoke.request")
        || path.split('[').next() == Some("other_origins")
}

/// The method and the input, of a request whose whole URL is one.
fn whole_url(text: &str) -> Option<(&str, &str)> {
    text.split_once(" input:")
}

/// Whether a URL, perhaps with a method before it, has this input.
pub(super) fn has_input(url: &str, name: &str) -> bool {
    let is_piece = |piece: &Piece<'_>| matches!(piece, Piece::Input(known, _) if *known == name);
    url.strip_prefix("input:").is_some_and(|whole| whole == name)
        || whole_url(url).is_some_and(|(_, whole)| whole == name)
        || pieces(url).is_ok_and(|pieces| pieces.iter().any(is_piece))
}
