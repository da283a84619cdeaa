//! [`View`]: the response as conditions see it, whose body is parsed only when asked for, and once.

use std::cell::{Cell, OnceCell};

use http::HeaderMap;
use serde_json::Value;

use super::{media_type::may_be_utf8, verdict::Head};

/// What comes after a response's head, as far as it has been read.
#[derive(Debug)]
pub(super) struct Content<'a> {
    state: State<'a>,
    asked: Cell<bool>,
    json: OnceCell<Option<Value>>,
}

#[derive(Clone, Copy, Debug)]
enum State<'a> {
    Unread,
    Missing,
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
            late @ (State::HandedOut | State::Trailers(_)) => late,
        })
    }

    /// Whether reading on could have told more, to anybody who has looked since the last time this was asked.
    pub(super) fn take_asked(&self) -> bool {
        self.asked.take()
    }

    fn new(state: State<'a>) -> Self {
        Self { state, asked: Cell::new(false), json: OnceCell::new() }
    }

    fn bytes(&self) -> Option<&'a [u8]> {
        match self.state {
            State::Unread => {
                self.asked.set(true);
                None
            }
            State::Whole { body, .. } => Some(body),
            State::Missing | State::HandedOut | State::Trailers(_) => None,
        }
    }

    fn fields(&self) -> Option<&'a HeaderMap> {
        match self.state {
            State::Unread | State::HandedOut => {
                self.asked.set(true);
                None
            }
            State::Missing => None,
            State::Whole { trailers, .. } => trailers,
            State::Trailers(trailers) => Some(trailers),
        }
    }
}

/// The response as conditions see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) head: Head<'a>,
    content: &'a Content<'a>,
    /// Where pointers start, if that isn't the whole document.
    root: Option<&'a Value>,
}

impl<'a> View<'a> {
    pub(super) fn new(head: Head<'a>, content: &'a Content<'a>) -> Self {
        Self { head, content, root: None }
    }

    /// The same response, with pointers that start at `root`.
    pub(super) fn within(self, root: &'a Value) -> Self {
        Self { root: Some(root), ..self }
    }

    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        self.content.bytes()
    }

    /// The trailers. `None` if there are none, or none yet.
    pub(super) fn trailers(&self) -> Option<&'a HeaderMap> {
        self.content.fields()
    }

    /// The body as text. `None` if there is none yet, or it isn't UTF-8.
    pub(super) fn text(&self) -> Option<&'a str> {
        // Asked first: where the headers say that the body can't be decoded, it needn't be read.
        if !may_be_utf8(self.head.headers) {
            return None;
        }
        let text = std::str::from_utf8(self.bytes()?).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The body as JSON. `None` if there is none yet, or it isn't JSON from its first byte to its last.
    pub(super) fn document(&self) -> Option<&'a Value> {
        if self.root.is_some() {
            return self.root;
        }
        let text = self.text()?;
        self.content.json.get_or_init(|| parse(text)).as_ref()
    }
}

fn parse(text: &str) -> Option<Value> {
    // serde_json refuses to go deeper than 127 levels, and of members with the same key keeps the last.
    serde_json::from_str(text).ok()
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
        let (one, other) = (one.document().expect("json"), other.document().expect("json"));
        assert!(std::ptr::eq(one, other));
    }

    #[test]
    fn only_a_body_that_can_still_be_read_is_asked_for() {
        let headers = HeaderMap::new();
        let head = Head { status: StatusCode::UNAUTHORIZED, headers: &headers };
        for (content, asked) in
            [(Content::unread(), true), (Content::missing(), false), (Content::whole(b"", None), false)]
        {
            assert_eq!(View::new(head, &content).document(), None);
            assert_eq!(content.take_asked(), asked);
            assert!(!content.take_asked());
        }
    }
}
