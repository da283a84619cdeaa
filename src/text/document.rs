//! [`Document`]: a JSON text, of which only what is asked for has to be right.

use std::borrow::Cow;

use super::{
    node::{Member, Node, each_element, each_member},
    scan::Scanner,
};

/// Of how many members it is kept where they are. Of more they are looked for each time, so that no document takes more
/// memory for that than a text of 1 MiB does.
const MOST_MEMBERS: usize = 64 * 1024;

/// A JSON text that is whole: all of its brackets and quotes fit. What is between them is looked at only where it is
/// asked for, so that a number out of all bounds, half a surrogate pair, a raw line break, nesting of any depth, or
/// `NaN` spoils its own member alone. A comma too many is passed over, and white space and zero bytes at the end.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    /// Where the root is.
    root: (usize, usize),
    /// The root's members, from its beginning: nearly everything that is asked for is one of them.
    members: Option<Vec<Member>>,
}

impl<'a> Document<'a> {
    /// `None` if it isn't JSON, or not all of it.
    pub(crate) fn parse(text: Cow<'a, str>) -> Option<Self> {
        Self::parse_or_return(text).ok()
    }

    /// The text itself if it isn't JSON, or not all of it.
    pub(crate) fn parse_or_return(text: Cow<'a, str>) -> Result<Self, Cow<'a, str>> {
        match outline(&text) {
            Some((root, members)) => Ok(Self { text, root, members }),
            None => Err(text),
        }
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node { written: &self.text[self.root.0..self.root.1], members: self.members.as_deref() }
    }
}

/// Where the root is, and its members.
type Outline = ((usize, usize), Option<Vec<Member>>);

/// Goes through the whole text once.
fn outline(text: &str) -> Option<Outline> {
    let mut scanner = Scanner::new(text);
    let first = scanner.peek()?;
    let begin = scanner.at();
    let mut members = (first == b'{').then(Vec::new);
    match first {
        b'{' => each_member(&mut scanner, |name, value| {
            let place = |part: &str| {
                let begin = offset(text, part) - begin;
                Some((u32::try_from(begin).ok()?, u32::try_from(begin + part.len()).ok()?))
            };
            let Some(known) = members.as_mut() else { return };
            match (place(name), place(value)) {
                (Some(name), Some(value)) if known.len() < MOST_MEMBERS => known.push(Member { name, value }),
                _ => members = None,
            }
        })?,
        b'[' => each_element(&mut scanner, |_| {})?,
        _ => drop(Node::of(scanner.value()?).scalar()?),
    }
    let root = (begin, scanner.at());
    let is_end = text[root.1..].bytes().all(|byte| byte == 0 || byte.is_ascii_whitespace());
    is_end.then_some((root, members))
}

/// Where `part` begins, which is a part of `whole`.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}
