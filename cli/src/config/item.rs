//! [`Item`] and [`Section`]: a walk through the file, which knows at each step where it is. No value is in an error, since
//! somebody may have written a secret.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{nearest::hint, path};
use crate::mistake::Mistake;

/// The file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// What is wrong there, with the line.
    pub(super) fn wrong(&self, span: &Range<usize>, why: &str) -> Mistake {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Mistake::new(format!("{}, line {line}: {why}", self.path.display()))
    }
}

/// A value, and where it is.
#[derive(Clone)]
pub(crate) struct Item<'a> {
    source: Source<'a>,
    value: &'a DeValue<'a>,
    span: Range<usize>,
    /// The keys that lead to it, with dots between them.
    key: String,
}

impl<'a> Item<'a> {
    /// Where it is: the file, the line and the key.
    pub(super) fn place(&self) -> String {
        self.source.wrong(&self.span, &self.key).to_string()
    }

    /// What is wrong with it, which says what is allowed.
    pub(crate) fn wrong(&self, why: &str) -> Mistake {
        self.source.wrong(&self.span, &format!("{}: {why}", self.key))
    }

    pub(crate) fn text(&self) -> Result<&'a str, Mistake> {
        let text = self.value.as_str().ok_or_else(|| self.wrong_kind("text in quotes"))?;
        if text.is_empty() {
            Err(self.wrong("it is empty; write something, or leave it out"))
        } else {
            Ok(text)
        }
    }

    pub(crate) fn flag(&self) -> Result<bool, Mistake> {
        self.value.as_bool().ok_or_else(|| self.wrong_kind("true or false"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, Mistake> {
        let array = self.value.as_array().ok_or_else(|| self.wrong_kind("a list in brackets"))?;
        let item = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| self.inner(&index.to_string(), value);
        Ok(array.iter().enumerate().map(item).collect())
    }

    pub(crate) fn section(&self) -> Result<Section<'a>, Mistake> {
        let table = self.value.as_table().ok_or_else(|| self.wrong_kind("a table"))?;
        Ok(Section { at: self.clone(), table, known: Vec::new() })
    }

    /// Whether it is a table, where something else may stand as well.
    pub(crate) fn is_section(&self) -> bool {
        self.value.is_table()
    }

    /// A path, which is relative to the file.
    pub(crate) fn path(&self) -> Result<PathBuf, Mistake> {
        self.resolve(self.text()?)
    }

    /// The same, of a part of its text.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, Mistake> {
        path::resolve(self.source.path, path)
            .ok_or_else(|| self.wrong("HOME isn't set, so there is nothing for ~"))
    }

    /// One of `choices`, which `read` knows.
    pub(crate) fn choice<T>(
        &self,
        choices: &[&str],
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Mistake> {
        let text = self.text()?;
        read(text).ok_or_else(|| {
            let hint = hint(text, choices);
            self.wrong(&format!("there is no such value{hint}There are: {}", choices.join(", ")))
        })
    }

    /// Seconds: a number above zero, with a fraction if need be.
    pub(crate) fn seconds(&self) -> Result<std::time::Duration, Mistake> {
        let whole = self.whole().map(|number| number.to_string());
        let number = whole.or_else(|| self.value.as_float().map(|number| number.as_str().to_owned()));
        let number = number.ok_or_else(|| self.wrong_kind("seconds, as a number above 0"))?;
        crate::options::seconds(&number).map_err(|why| self.wrong(&why))
    }

    /// A number of bytes.
    pub(crate) fn bytes(&self) -> Result<usize, Mistake> {
        let number = self.whole().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| self.wrong("write a number of bytes, as a whole number from 0"))
    }

    /// A TCP port.
    pub(crate) fn port(&self) -> Result<u16, Mistake> {
        let number = self.whole().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| self.wrong_kind("a port, from 0, which is a free one, to 65535"))
    }

    /// A whole number, in whichever base it is written.
    fn whole(&self) -> Option<i128> {
        let number = self.value.as_integer()?;
        i128::from_str_radix(number.as_str(), number.radix()).ok()
    }

    fn wrong_kind(&self, wanted: &str) -> Mistake {
        self.wrong(&format!("write {wanted}, and not a value of the type {}", self.value.type_str()))
    }

    fn inner(&self, name: &str, value: &'a Spanned<DeValue<'a>>) -> Self {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
        Self { source: self.source, value: value.get_ref(), span: value.span(), key }
    }
}

/// A table. What isn't taken out of it is refused at its end.
pub(crate) struct Section<'a> {
    at: Item<'a>,
    table: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The file's own.
    pub(super) fn root(source: Source<'a>, value: &'a DeValue<'a>) -> Result<Self, Mistake> {
        Item { source, value, span: 0..0, key: String::new() }.section()
    }

    /// The value of this key, if there is one.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Item<'a>> {
        self.known.push(name);
        let (_, value) = self.table.iter().find(|(key, _)| key.get_ref() == name)?;
        Some(self.at.inner(name, value))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Mistake> {
        self.take(name).map(|item| item.text().map(str::to_owned)).transpose()
    }

    /// Whether it is `true`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Mistake> {
        self.take(name).map_or(Ok(false), |item| item.flag())
    }

    /// All there is in a table whose keys are names that somebody has chosen.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let key: &'a std::borrow::Cow<'a, str> = key.get_ref();
            (&**key, self.at.inner(key, value))
        };
        self.table.iter().map(entry).collect()
    }

    /// What is wrong with the whole.
    pub(crate) fn wrong(&self, why: &str) -> Mistake {
        self.at.wrong(why)
    }

    /// An error if there is a key that nobody has asked for.
    pub(crate) fn finish(self) -> Result<(), Mistake> {
        let stranger =
            self.table.iter().find(|(key, _)| !self.known.iter().any(|known| key.get_ref() == known));
        let Some((key, value)) = stranger else { return Ok(()) };
        let name = key.get_ref();
        let item = Item { span: key.span(), ..self.at.inner(name, value) };
        let hint = hint(name, &self.known);
        Err(item.wrong(&format!("there is no such key{hint}There are: {}", self.known.join(", "))))
    }
}
