//! [`View`]: the response as conditions see it, whose body is parsed only when asked for, and once.

use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

use super::verdict::Head;
use crate::text::{Document, Node, decode};
use http::HeaderMap;

/// What comes after a response's head, as far as it has been read.
#[derive(Debug)]
pub(super) struct Content<'a> {
    state: State<'a>,
    asked: Cell<bool>,
    text: OnceCell<Cow<'a, str>>,
    json: OnceCell<Option<Document<'a>>>,
}

#[derive(Clone, Copy, Debug)]
enum State<'a> {
    Unread,
    Missing,
    OfHead,
    Whole { body: &'a [u8], trailers: Option<&'a HeaderMap> },
    HandedOut,
    Trailers(&'a HeaderMap),
}

impl<'a> Content<'a> {
    /// All of it can still be read.
    pub(super) fn unread() -> Self {
        Self::new(State::Unread)
    }

    /// It can't be had, or mustn't be looked at.
    pub(super) fn missing() -> Self {
        Self::new(State::Missing)
    }

    /// There is none by nature: it is the answer to a HEAD (RFC 9110 §9.3.2).
    pub(super) fn of_head() -> Self {
        Self::new(State::OfHead)
    }

    /// It has been read to its end, with the trailers that came there.
    pub(super) fn whole(body: &'a [u8], trailers: Option<&'a HeaderMap>) -> Self {
        Self::new(State::Whole { body, trailers })
    }

    /// The body has been handed out, and its trailers may be seen when they pass.
    pub(super) fn handed_out() -> Self {
        Self::new(State::HandedOut)
    }

    /// The body has been handed out, and its trailers have come.
    pub(super) fn trailers(trailers: &'a HeaderMap) -> Self {
        Self::new(State::Trailers(trailers))
    }

    /// The same without the body. Trailers that are there may be looked at, but are no reason to read the body.
    pub(super) fn without_body(&self) -> Self {
        Self::new(match self.state {
            State::Unread | State::Missing | State::Whole { trailers: None, .. } => State::Missing,
            State::Whole { trailers: Some(trailers), .. } => State::Trailers(trailers),
            same @ (State::OfHead | State::HandedOut | State::Trailers(_)) => same,
        })
    }

    pub(super) fn is_of_head(&self) -> bool {
        matches!(self.state, State::OfHead)
    }

    /// Whether reading on could have told more, to anybody who has looked since the last time this was asked.
    pub(super) fn take_asked(&self) -> bool {
        self.asked.take()
    }

    fn new(state: State<'a>) -> Self {
        Self { state, asked: Cell::new(false), text: OnceCell::new(), json: OnceCell::new() }
    }

    fn bytes(&self) -> Option<&'a [u8]> {
        match self.state {
            State::Unread => {
                self.asked.set(true);
                None
            }
            State::Whole { body, .. } => Some(body),
            State::Missing | State::OfHead | State::HandedOut | State::Trailers(_) => None,
        }
    }

    fn fields(&self) -> Option<&'a HeaderMap> {
        match self.state {
            State::Unread | State::HandedOut => {
                self.asked.set(true);
                None
            }
            State::Missing | State::OfHead => None,
            State::Whole { trailers, .. } => trailers,
            State::Trailers(trailers) => Some(trailers),
        }
    }
}

/// The response as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'v, 'c> {
    pub(super) head: Head<'v>,
    content: &'v Content<'c>,
    /// Where pointers start, if that isn't the whole document.
    root: Option<Node<'v>>,
}

impl<'v, 'c> View<'v, 'c> {
    pub(super) fn new(head: Head<'v>, content: &'v Content<'c>) -> Self {
        Self { head, content, root: None }
    }

    /// The same response, with pointers that start at `root`.
    pub(super) fn within(self, root: Node<'v>) -> Self {
        Self { root: Some(root), ..self }
    }

    pub(super) fn bytes(&self) -> Option<&'c [u8]> {
        self.content.bytes()
    }

    /// The trailers. `None` if there are none, or none yet.
    pub(super) fn trailers(&self) -> Option<&'c HeaderMap> {
        self.content.fields()
    }

    /// The body as text, as far as it can be read. `None` if there is none yet.
    pub(super) fn text(&self) -> Option<&'v str> {
        let bytes = self.bytes()?;
        Some(self.content.text.get_or_init(|| decode(bytes, self.head.headers)))
    }

    /// The body as JSON. `None` if there is none yet, or it isn't JSON from its first byte to its last.
    pub(super) fn document(&self) -> Option<Node<'v>> {
        if self.root.is_some() {
            return self.root;
        }
        self.text()?;
        let text = || self.content.text.get().cloned().unwrap_or_default();
        self.content.json.get_or_init(|| Document::parse(text())).as_ref().map(Document::root)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn a_body_is_parsed_once() {
        let headers = HeaderMap::new();
        let head = Head { status: StatusCode::UNAUTHORIZED, headers: &headers };
        let content = Content::whole(b"{}", None);
        let (one, other) = (View::new(head, &content), View::new(head, &content));
        one.document().expect("json");
        let parsed = content.json.get().and_then(Option::as_ref).expect("parsed");
        other.document().expect("json");
        assert!(std::ptr::eq(parsed, content.json.get().and_then(Option::as_ref).expect("parsed")));
    }

    #[test]
    fn only_a_body_that_can_still_be_read_is_asked_for() {
        let headers = HeaderMap::new();
        let head = Head { status: StatusCode::UNAUTHORIZED, headers: &headers };
        for (content, asked) in
            [(Content::unread(), true), (Content::missing(), false), (Content::whole(b"", None), false)]
        {
            assert!(View::new(head, &content).document().is_none());
            assert_eq!(content.take_asked(), asked);
            assert!(!content.take_asked());
        }
    }
}
