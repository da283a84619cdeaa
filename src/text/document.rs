//! [`Document`]: a JSON text, of which only what is asked for has to be right.

use std::borrow::Cow;

use super::{
    node::{Member, Node, each_element, each_member},
    scan::Scanner,
};

/// A JSON text that is whole: all of its brackets and quotes fit. What is between them is looked at only where it is
/// asked for, so that a number out of all bounds, half a surrogate pair, a raw line break, nesting of any depth, or
/// `NaN` spoils its own member alone. A comma too many is passed over, and white space and zero bytes at the end.
#[derive(Clone, Debug)]
pub(crate) struct Document<'a> {
    text: Cow<'a, str>,
    /// Where the root is.
    root: (usize, usize),
    /// The root's members, from its beginning: nearly everything that is asked for is one of them.
    members: Option<Box<[Member]>>,
}

impl<'a> Document<'a> {
    /// `None` if it isn't JSON, or not all of it.
    pub(crate) fn parse(text: Cow<'a, str>) -> Option<Self> {
        let mut scanner = Scanner::new(&text);
        let first = scanner.peek()?;
        let written = scanner.value()?;
        let begin = offset(&text, written);
        let root = (begin, begin + written.len());
        if text[root.1..].bytes().any(|byte| byte != 0 && !byte.is_ascii_whitespace()) {
            return None;
        }
        let members = match first {
            b'{' => {
                let mut members = Vec::new();
                each_member(written, |name, value| {
                    let place = |part: &str| {
                        let begin = offset(written, part);
                        (begin, begin + part.len())
                    };
                    members.push(Member { name: place(name), value: place(value) });
                })?;
                Some(members.into())
            }
            b'[' => {
                each_element(written, |_| {})?;
                None
            }
            _ => {
                Node::of(written).scalar()?;
                None
            }
        };
        Some(Self { text, root, members })
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node { written: &self.text[self.root.0..self.root.1], members: self.members.as_deref() }
    }
}

/// Where `part` begins, which is a part of `whole`.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}
