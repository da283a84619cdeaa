//! Where in a JSON text values begin and end, whatever is within those that nobody asks for.

use memchr::memchr2;

/// Goes through a JSON text, value by value.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that are open within a value that is passed over. Not the call stack, which is shorter.
    open: Vec<u8>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    /// How far it has come.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is no white space, which is left where it is.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        rest.get(space).copied()
    }

    /// Passes over `byte`, if that is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The next value, as it is written.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        let first = self.peek()?;
        let begin = self.at;
        match first {
            b'"' => self.pass_string()?,
            b'{' | b'[' => self.pass_nested()?,
            _ => self.pass_word()?,
        }
        self.text.get(begin..self.at)
    }

    /// The next value, if it is a string, as it is written.
    pub(super) fn string(&mut self) -> Option<&'a str> {
        if self.peek()? == b'"' { self.value() } else { None }
    }

    /// Passes over a string, up to the quote that nothing escapes.
    fn pass_string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[found] == b'"' {
                self.at = found + 1;
                return Some(());
            }
            at = found + 2;
        }
    }

    /// Passes over an object or an array. Whatever is in it, its brackets have to fit, outside strings.
    fn pass_nested(&mut self) -> Option<()> {
        self.open.clear();
        loop {
            match self.peek()? {
                b'"' => self.pass_string()?,
                opening @ (b'{' | b'[') => {
                    self.open.push(opening);
                    self.at += 1;
                }
                closing @ (b'}' | b']') => {
                    let opening = if closing == b'}' { b'{' } else { b'[' };
                    if self.open.pop()? != opening {
                        return None;
                    }
                    self.at += 1;
                    if self.open.is_empty() {
                        return Some(());
                    }
                }
                b',' | b':' => self.at += 1,
                _ => self.pass_word()?,
            }
        }
    }

    /// Passes over a number, a word, or whatever is in the place of one.
    fn pass_word(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let ends = |byte: &u8| {
            matches!(byte, b',' | b':' | b'"' | b'{' | b'}' | b'[' | b']' | b' ' | b'\t' | b'\n' | b'\r')
        };
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += length;
        (length > 0).then_some(())
    }
}
