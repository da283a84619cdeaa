//! [`Frames`]: what was read of a body, in order. Most bodies that are looked at come in one frame, which has its place
//! here without memory of its own.

use std::{collections::VecDeque, mem};

use bytes::Bytes;
use http_body::Frame;

/// Frames that are put in at the end, and taken from the beginning.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Empty only if there are no frames, or once some have been taken.
    first: Option<Frame<Bytes>>,
    others: VecDeque<Frame<Bytes>>,
}

impl Frames {
    pub(super) fn push(&mut self, frame: Frame<Bytes>) {
        if self.is_empty() {
            self.first = Some(frame);
        } else {
            self.others.push_back(frame);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        mem::take(&mut self.first).or_else(|| self.others.pop_front())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame<Bytes>> {
        self.first.iter().chain(&self.others)
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &'static str) -> Frame<Bytes> {
        Frame::data(Bytes::from_static(text.as_bytes()))
    }

    fn texts<'a>(frames: impl IntoIterator<Item = &'a Frame<Bytes>>) -> Vec<&'a str> {
        let texts = frames.into_iter().filter_map(Frame::data_ref).map(|data| str::from_utf8(data));
        texts.map(|text| text.expect("a text")).collect()
    }

    #[test]
    fn frames_are_taken_in_the_order_in_which_they_came() {
        let mut frames = Frames::default();
        assert!(frames.is_empty() && frames.pop().is_none());
        for text in ["a", "b", "c"] {
            frames.push(frame(text));
        }
        assert_eq!((texts(frames.iter()), frames.len()), (vec!["a", "b", "c"], 3));
        assert_eq!(texts(&frames.pop()), ["a"]);
        // Behind those that are left, though the first place is free.
        frames.push(frame("d"));
        assert_eq!((texts(frames.iter()), frames.len()), (vec!["b", "c", "d"], 3));
        for text in ["b", "c", "d"] {
            assert_eq!(texts(&frames.pop()), [text]);
        }
        assert!(frames.is_empty() && frames.pop().is_none());
    }
}
