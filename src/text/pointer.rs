//! Pointers into a JSON document (RFC 6901), with `*` for any element of an array.

use super::node::Node;

/// Where in a JSON document to look. It may name several places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Box<[Segment]>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    key: Box<str>,
    index: Index,
}

/// What a segment means to an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Index {
    Any,
    At(usize),
    /// It is no index, so that it fits members of objects only.
    None,
}

impl Pointer {
    /// # Panics
    ///
    /// If `text` is no pointer.
    #[track_caller]
    pub(crate) fn new(text: &str) -> Self {
        let Some(pointer) = Self::parse(text) else {
            panic!("{text:?} is no JSON pointer: it must be empty or start with `/`, and `~` be written `~0`")
        };
        pointer
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Box::default()));
        }
        text.strip_prefix('/')?.split('/').map(Segment::parse).collect::<Option<_>>().map(Self)
    }

    /// Shows `visit` each value that the pointer names, until it returns true. Says whether it did.
    ///
    /// Linear in the size of the document: no value is at two places.
    pub(crate) fn any<'a>(&self, document: Node<'a>, visit: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
        walk(&self.0, document, visit)
    }

    /// The first value that it points to.
    pub(crate) fn first<'a>(&self, document: Node<'a>) -> Option<Node<'a>> {
        let mut found = None;
        self.any(document, &mut |value| {
            found = Some(value);
            true
        });
        found
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let key = unescaped(text);
        let escapes = text.matches("~0").count() + text.matches("~1").count();
        if escapes != text.matches('~').count() {
            return None;
        }
        let index = match text {
            "*" => Index::Any,
            // RFC 6901 §4: digits alone, without leading zeros.
            "0" => Index::At(0),
            _ if !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map_or(Index::None, Index::At)
            }
            _ => Index::None,
        };
        Some(Self { key: key.into(), index })
    }
}

/// What a segment says that is written so.
pub(crate) fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn walk<'a>(path: &[Segment], value: Node<'a>, visit: &mut dyn FnMut(Node<'a>) -> bool) -> bool {
    let Some((segment, rest)) = path.split_first() else { return visit(value) };
    match segment.index {
        _ if value.is_object() => value.member(&segment.key).is_some_and(|member| walk(rest, member, visit)),
        Index::Any => value.elements().into_iter().any(|element| walk(rest, element, visit)),
        Index::At(index) => value.elements().get(index).is_some_and(|element| walk(rest, *element, visit)),
        Index::None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::text::Document;

    fn found(pointer: &str, document: &Value) -> Vec<Value> {
        let mut all = Vec::new();
        let document = Document::parse(document.to_string().into()).expect("json");
        Pointer::new(pointer).any(document.root(), &mut |value| {
            all.push(serde_json::from_str(value.written()).expect("json"));
            false
        });
        all
    }

    #[test]
    fn pointers_follow_members_and_elements() {
        let document =
            json!({"a": [{"b": 1}, {"b": 2}, {"c": 3}, 4], "": 5, "x y": 6, "*": 7, "0": 8, "~/": 9});
        for (pointer, expected) in [
            ("", vec![document.clone()]),
            ("/a/0/b", vec![json!(1)]),
            ("/a/*/b", vec![json!(1), json!(2)]),
            ("/a/3", vec![json!(4)]),
            ("/a/4", vec![]),
            ("/a/00", vec![]),
            ("/a/b", vec![]),
            ("/a/", vec![]),
            ("/a/99999999999999999999999", vec![]),
            ("/", vec![json!(5)]),
            ("/x y", vec![json!(6)]),
            ("/*", vec![json!(7)]),
            ("/0", vec![json!(8)]),
            ("/~0~1", vec![json!(9)]),
            ("/missing/*/b", vec![]),
        ] {
            assert_eq!(found(pointer, &document), expected, "{pointer}");
        }
        assert_eq!(found("/*/*", &json!([[1, 2], [3], 4])), [json!(1), json!(2), json!(3)]);
    }

    #[test]
    fn an_escape_is_not_undone_twice() {
        assert_eq!(found("/~01", &json!({"~1": true, "/": false})), [json!(true)]);
    }

    #[test]
    fn what_is_no_pointer_is_refused_when_the_rule_is_written() {
        for bad in ["message", "#/message", "/~", "/~2", "/a/~"] {
            assert_eq!(Pointer::parse(bad), None, "{bad}");
        }
    }
}
