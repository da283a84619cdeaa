//! [`Open`]: a file that leaves inputs open, which the program fills in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use secrecy::ExposeSecret;

use super::{
    node::Node,
    places::{Places, filled, found, has_input, walk},
    template::Part,
    value::{Value, refuse},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
};

/// A file that isn't whole yet. Clones share it.
#[derive(Clone)]
pub(super) struct Open {
    file: Arc<File>,
    filled: BTreeMap<String, SecretSource>,
}

#[derive(Clone)]
struct File {
    name: String,
    node: Node,
    /// All of the file's, even if a URL that had one was replaced.
    names: BTreeSet<String>,
    /// What some of them may be.
    listed: BTreeMap<String, Vec<String>>,
}

impl Open {
    /// The file, unless there is nothing open in it, and the file itself then. `listed` is its table of inputs.
    pub(super) fn read(node: Node, listed: Option<Value>) -> Result<Result<Self, Node>, ConfigError> {
        let mut lists = BTreeMap::new();
        for (name, value) in listed.map(Value::entries).transpose()?.unwrap_or_default() {
            let values: Result<Vec<_>, _> =
                value.list()?.iter().map(|value| value.text().map(ToOwned::to_owned)).collect();
            lists.insert(name, values?);
        }
        let found = found(&node)?;
        for (name, places) in &found {
            let path = &places.path;
            if !is_name(name) {
                let words =
                    "an input's name has small letters, digits and underscores, and begins with a letter";
                return Err(refuse(path, words));
            }
            if places.part == Some(Part::End) && !lists.contains_key(name) {
                let words = format!(
                    "the input {name} could make any host of this; list what it may be in inputs.{name}, or write \
                     input:{name} for all of base_url"
                );
                return Err(refuse(path, words));
            }
        }
        if let Some((name, _)) = lists.iter().find(|(name, _)| !found.contains_key(*name)) {
            return Err(refuse(
                &format!("inputs.{name}"),
                format_args!("nothing in the file is input:{name}"),
            ));
        }
        if found.is_empty() {
            return Ok(Err(node));
        }
        let names = found.into_keys().collect();
        let file = File { name: name(&node), node, names, listed: lists };
        Ok(Ok(Self { file: Arc::new(file), filled: BTreeMap::new() }))
    }

    /// A file of this name that leaves nothing open.
    pub(super) fn nothing(name: String) -> Self {
        let file = File { name, node: Node::Null, names: BTreeSet::new(), listed: BTreeMap::new() };
        Self { file: Arc::new(file), filled: BTreeMap::new() }
    }

    /// The vendor's name, as the file has it.
    pub(super) fn name(&self) -> &str {
        &self.file.name
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.file.names.iter().map(|name| &**name)
    }

    /// Those that aren't filled.
    pub(super) fn missing(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| !self.filled.contains_key(*name))
    }

    pub(super) fn fill(&mut self, name: String, source: SecretSource) {
        self.filled.insert(name, source);
    }

    /// What the input `name` is filled with.
    pub(super) fn source(&self, name: &str) -> Option<&SecretSource> {
        self.filled.get(name)
    }

    /// Replaces or adds a key of the file itself.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        let Node::Table(entries) = &mut Arc::make_mut(&mut self.file).node else { return };
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = node,
            None => entries.push((key.to_owned(), node)),
        }
    }

    /// Takes out a key of the file itself.
    pub(super) fn remove(&mut self, key: &str) {
        if let Node::Table(entries) = &mut Arc::make_mut(&mut self.file).node {
            entries.retain(|(known, _)| known != key);
        }
    }

    /// The file with stand-ins, to see whether the rest of it holds.
    pub(super) fn with_stand_ins(&self) -> Result<Node, ConfigError> {
        filled(&self.file.node, &|name, part| Ok(SecretSource::fixed(self.stand_in(name, part))))
    }

    /// The file with those of its inputs that are filled. The others stay inputs where they are values, and have stand-ins
    /// where they are in a URL.
    pub(super) fn half_open(&self) -> Result<Node, ConfigError> {
        self.check_filled()?;
        filled(&self.file.node, &|name, part| match (self.filled.get(name), part) {
            (Some(source), part) => self.fit(name, source, part),
            (None, None) => Ok(SecretSource::input(name.to_owned())),
            (None, part) => Ok(SecretSource::fixed(self.stand_in(name, part))),
        })
    }

    /// The file with its inputs. `how` says by what they are filled.
    pub(super) fn whole(&self, how: &str) -> Result<Node, ConfigError> {
        self.check_filled()?;
        let missing: Vec<String> =
            found(&self.file.node)?.into_keys().filter(|name| !self.filled.contains_key(name)).collect();
        if !missing.is_empty() {
            let (inputs, are) = if missing.len() == 1 { ("input", "is") } else { ("inputs", "are") };
            let words = format!(
                "the {inputs} {} of {} {are} not filled; fill each with {how}",
                missing.join(", "),
                self.name()
            );
            return Err(refuse_input(words));
        }
        filled(&self.file.node, &|name, part| self.fit(name, &self.filled[name], part))
    }

    /// What is filled in place of URLs, in which one of `inputs` is: the path of each, and the URL as it is in `whole`, which
    /// is this file with its inputs.
    pub(super) fn urls_with(
        &self,
        inputs: &[String],
        whole: &Node,
    ) -> Result<Vec<(String, String)>, ConfigError> {
        let mut paths = Vec::new();
        walk(&self.file.node, &mut |path, text, is_url| {
            if is_url && inputs.iter().any(|name| has_input(text, name)) {
                paths.push(path.to_owned());
            }
            Ok(())
        })?;
        let mut urls = Vec::new();
        walk(whole, &mut |path, text, _| {
            if paths.iter().any(|known| known == path) {
                urls.push((path.to_owned(), text.to_owned()));
            }
            Ok(())
        })?;
        Ok(urls)
    }

    /// Whether what the input `name` is filled with is fit for each place where it is.
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        self.check_filled()?;
        let Some(source) = self.filled.get(name) else { return Ok(()) };
        match found(&self.file.node)?.get(name) {
            Some(Places { part: Some(part), .. }) => self.fit(name, source, Some(*part)).map(drop),
            _ => source.0.peek(&format!("input {name}")).map(drop),
        }
    }

    fn stand_in(&self, name: &str, part: Option<Part>) -> String {
        match (self.file.listed.get(name).and_then(|list| list.first()), part) {
            (Some(listed), _) => listed.clone(),
            (None, Some(Part::Whole)) => "https://stand-in.example".to_owned(),
            (None, _) => "stand-in".to_owned(),
        }
    }

    /// Whether all that is filled is an input, and one of those that are listed.
    fn check_filled(&self) -> Result<(), ConfigError> {
        if let Some(name) = self.filled.keys().find(|name| !self.file.names.contains(*name)) {
            return Err(self.strange(name));
        }
        for (name, source) in &self.filled {
            let Some(listed) = self.file.listed.get(name) else { continue };
            if !listed.contains(&self.text(name, source)?) {
                let listed = listed.join(", ");
                return Err(refuse_input(format!("the input {name} of {} is one of {listed}", self.name())));
            }
        }
        Ok(())
    }

    /// That there is no input of this name.
    fn strange(&self, name: &str) -> ConfigError {
        let known = self.names().collect::<Vec<_>>().join(", ");
        refuse_input(match &*known {
            "" => format!("{} has no inputs, so {name:?} isn't one of them", self.name()),
            known => format!("{} has no input {name:?}; its inputs are {known}", self.name()),
        })
    }

    /// What `source` is as a value, or in the part of a URL.
    fn fit(
        &self,
        name: &str,
        source: &SecretSource,
        part: Option<Part>,
    ) -> Result<SecretSource, ConfigError> {
        let Some(part) = part else { return Ok(source.clone()) };
        let text = self.text(name, source)?;
        match part.refuses(&text) {
            Some(why) if !self.file.listed.contains_key(name) => {
                Err(refuse_input(format!("the input {name} of {} {why}", self.name())))
            }
            _ => Ok(SecretSource::fixed(text)),
        }
    }

    /// What an input is now, that can't be another one later.
    fn text(&self, name: &str, source: &SecretSource) -> Result<String, ConfigError> {
        if source.0.is_asked_for() {
            return Err(refuse_input(format!(
                "the input {name} of {} has to be known when the layer is built; give it as text, or by a variable or a \
                 file",
                self.name()
            )));
        }
        Ok(source.0.peek(&format!("input {name}"))?.expose_secret().to_owned())
    }
}

fn refuse_input(words: String) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Input, words)
}

/// Shows what is to be filled, and from where it is.
impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("name", &self.file.name)
            .field("inputs", &self.file.names)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
    first && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn name(node: &Node) -> String {
    let Node::Table(entries) = node else { return String::new() };
    let name = entries.iter().find_map(|(key, node)| match node {
        Node::Text(text) if key == "name" => Some(text.trim().to_owned()),
        _ => None,
    });
    name.unwrap_or_default()
}
