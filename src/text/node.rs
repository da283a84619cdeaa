//! [`Node`]: one value of a document, which is read when somebody asks what it is.

use std::borrow::Cow;

use super::{scan::Scanner, string};

/// One value of a [`Document`](super::Document), as it is written there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(super) written: &'a str,
    /// The members, where they are known already.
    pub(super) members: Option<&'a [Member]>,
}

/// Where in an object a member's name and value are. Of an object that is longer than 4 GiB nobody takes that down.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: (u32, u32),
    pub(super) value: (u32, u32),
}

/// A value that holds no others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(Cow<'a, str>),
    /// A number, digit for digit.
    Number(&'a str),
    Bool(bool),
    Null,
}

impl<'a> Node<'a> {
    pub(super) fn of(written: &'a str) -> Self {
        Self { written, members: None }
    }

    /// What it is, if it is no object or array, and nothing that JSON doesn't know (such as `NaN`).
    pub(crate) fn scalar(self) -> Option<Scalar<'a>> {
        match self.written {
            "null" => Some(Scalar::Null),
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            text if text.starts_with('"') => string::read(text).map(Scalar::Text),
            number => is_number(number).then_some(Scalar::Number(number)),
        }
    }

    /// The text, if it is a string.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self.scalar()? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn written(self) -> &'a str {
        self.written
    }

    pub(crate) fn is_object(self) -> bool {
        self.written.starts_with('{')
    }

    /// An object's member; of several with the same name the last.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        if let Some(members) = self.members {
            let is_it = |member: &&Member| string::is(self.part(member.name), name);
            return members.iter().rev().find(is_it).map(|member| Self::of(self.part(member.value)));
        }
        let mut found = None;
        each_member(&mut Scanner::new(self.written), |written, value| {
            if string::is(written, name) {
                found = Some(value);
            }
        })?;
        found.map(Self::of)
    }

    /// An array's elements. Those of an array that breaks off are none.
    pub(crate) fn elements(self) -> Vec<Self> {
        let mut elements = Vec::new();
        each_element(&mut Scanner::new(self.written), |value| elements.push(Self::of(value)))
            .map_or_else(Vec::new, |()| elements)
    }

    fn part(self, (begin, end): (u32, u32)) -> &'a str {
        &self.written[begin as usize..end as usize]
    }
}

/// Shows `visit` the names and values of the object that comes next, as they are written. `None` if there is none, or it
/// breaks off.
pub(super) fn each_member<'a>(
    scanner: &mut Scanner<'a>,
    mut visit: impl FnMut(&'a str, &'a str),
) -> Option<()> {
    scanner.take(b'{').then_some(())?;
    loop {
        if scanner.take(b'}') {
            return Some(());
        }
        let name = scanner.string()?;
        scanner.take(b':').then_some(())?;
        visit(name, scanner.value()?);
        if !scanner.take(b',') {
            return scanner.take(b'}').then_some(());
        }
    }
}

/// Shows `visit` the elements of the array that comes next, as they are written. `None` if there is none, or it breaks
/// off.
pub(super) fn each_element<'a>(scanner: &mut Scanner<'a>, mut visit: impl FnMut(&'a str)) -> Option<()> {
    scanner.take(b'[').then_some(())?;
    loop {
        if scanner.take(b']') {
            return Some(());
        }
        visit(scanner.value()?);
        if !scanner.take(b',') {
            return scanner.take(b']').then_some(());
        }
    }
}

/// RFC 8259 §6, without a bound on its size.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
