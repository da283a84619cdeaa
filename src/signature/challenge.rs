//! The challenges of `WWW-Authenticate` (RFC 9110 §11.6.1), read leniently, without fail, in one pass.
//!
//! The list's commas separate challenges and the parameters of one challenge alike, so the parser hands out the parts
//! in their order instead of a tree: it keeps nothing, however long the header is.

use std::borrow::Cow;

use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// Whether there is a challenge of `scheme`.
pub(crate) fn has_challenge(headers: &HeaderMap, scheme: &str) -> bool {
    parts(headers).any(|part| matches!(part, Part::Scheme(name) if name.eq_ignore_ascii_case(scheme)))
}

/// Shows `visit` the values of the parameter `name` in all challenges of `scheme`, until it returns true. Says
/// whether it did.
pub(crate) fn any_param(
    headers: &HeaderMap,
    scheme: &str,
    name: &str,
    visit: &mut dyn FnMut(&str) -> bool,
) -> bool {
    let mut ours = false;
    parts(headers).any(|part| match part {
        Part::Scheme(found) => {
            ours = found.eq_ignore_ascii_case(scheme);
            false
        }
        Part::Garbage => {
            ours = false;
            false
        }
        Part::Param(found, value) => ours && found.eq_ignore_ascii_case(name) && visit(&value),
        Part::Token68(_) => false,
    })
}

/// A part of a list of challenges. Parameters belong to the scheme before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// A challenge begins.
    Scheme(&'a str),
    /// The data of a scheme that has no parameters.
    Token68(&'a str),
    /// A parameter, with quotes and escapes undone.
    Param(&'a str, Cow<'a, str>),
    /// Something that may have been a challenge: what follows it belongs to none that is known.
    Garbage,
}

/// The parts of all the lines, which together are one list (RFC 9110 §5.3).
pub(crate) fn parts(headers: &HeaderMap) -> impl Iterator<Item = Part<'_>> {
    headers.get_all(WWW_AUTHENTICATE).iter().flat_map(|line| Parts::new(line.as_bytes()))
}

/// The parts of one line.
#[derive(Clone, Debug)]
struct Parts<'a> {
    cursor: Cursor<'a>,
    expected: Expected,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// A scheme or a parameter: a comma has been seen, or nothing yet.
    Element,
    /// What a scheme is followed by.
    Credentials,
    /// The comma behind a parameter. Some servers forget it.
    Comma,
}

impl<'a> Parts<'a> {
    fn new(line: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(line), expected: Expected::Element }
    }

    /// A parameter, if one starts here. Its value is `None` where that makes no sense.
    fn param(&mut self) -> Option<(&'a str, Option<Cow<'a, str>>)> {
        let start = self.cursor.at;
        let name = self.cursor.take_while(is_token);
        self.cursor.take_while(is_space);
        if name.is_empty() || !self.cursor.eat(b'=') {
            self.cursor.at = start;
            return None;
        }
        self.cursor.take_while(is_space);
        let value = if self.cursor.eat(b'"') {
            self.cursor.quoted()
        } else {
            let value = self.cursor.take_while(is_token);
            // A value that goes on in characters that would have to be quoted isn't the part before them.
            (!value.is_empty() && self.cursor.is_delimited()).then(|| Cow::Borrowed(ascii(value)))
        };
        Some((ascii(name), value))
    }

    fn token68(&mut self) -> Option<&'a str> {
        let start = self.cursor.at;
        self.cursor.take_while(is_token68);
        self.cursor.take_while(|byte| byte == b'=');
        let token = &self.cursor.bytes[start..self.cursor.at];
        self.cursor.take_while(is_space);
        if token.first().is_some_and(|&byte| byte != b'=') && matches!(self.cursor.peek(), None | Some(b','))
        {
            return Some(ascii(token));
        }
        self.cursor.at = start;
        None
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        loop {
            match self.expected {
                Expected::Element => {
                    self.cursor.take_while(|byte| byte == b',' || is_space(byte));
                    self.cursor.peek()?;
                    if let Some((name, value)) = self.param() {
                        self.expected = Expected::Comma;
                        let Some(value) = value else { continue };
                        return Some(Part::Param(name, value));
                    }
                    let scheme = self.cursor.take_while(is_token);
                    if scheme.is_empty() || !self.cursor.is_delimited() {
                        self.cursor.skip_element();
                        return Some(Part::Garbage);
                    }
                    self.expected = Expected::Credentials;
                    return Some(Part::Scheme(ascii(scheme)));
                }
                Expected::Credentials => {
                    self.cursor.take_while(is_space);
                    self.expected = Expected::Comma;
                    if let Some(token) = self.token68() {
                        return Some(Part::Token68(token));
                    }
                    if let Some((name, Some(value))) = self.param() {
                        return Some(Part::Param(name, value));
                    }
                }
                Expected::Comma => {
                    if !self.cursor.take_while(is_space).is_empty()
                        && let Some((name, value)) = self.param()
                    {
                        let Some(value) = value else { continue };
                        return Some(Part::Param(name, value));
                    }
                    self.cursor.skip_element();
                    self.expected = Expected::Element;
                }
            }
        }
    }
}

/// A place in a line. It goes back only to the start of the token that it has just read, and no more than twice, so
/// that reading a line is linear.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    #[cfg(test)]
    steps: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    fn peek(&mut self) -> Option<u8> {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(&fits) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }

    /// Whether a token ends here in good order.
    fn is_delimited(&mut self) -> bool {
        self.peek().is_none_or(|byte| byte == b',' || is_space(byte))
    }

    /// The rest of a quoted string whose opening quote has been read (RFC 9110 §5.6.4); `None` if it isn't closed.
    fn quoted(&mut self) -> Option<Cow<'a, str>> {
        let mut unescaped: Option<Vec<u8>> = None;
        let start = self.at;
        loop {
            let plain = self.take_while(|byte| byte != b'"' && byte != b'\\');
            if let Some(text) = &mut unescaped {
                text.extend_from_slice(plain);
            }
            if self.eat(b'"') {
                return Some(match unescaped {
                    None => String::from_utf8_lossy(&self.bytes[start..self.at - 1]),
                    Some(text) => Cow::Owned(String::from_utf8_lossy(&text).into_owned()),
                });
            }
            let text = unescaped.get_or_insert_with(|| plain.to_vec());
            if !self.eat(b'\\') {
                return None;
            }
            text.push(self.peek()?);
            self.at += 1;
        }
    }

    /// Goes on to the next comma that isn't quoted.
    fn skip_element(&mut self) {
        loop {
            self.take_while(|byte| byte != b',' && byte != b'"');
            if !self.eat(b'"') {
                return;
            }
            while self.peek().is_some_and(|byte| byte != b'"') {
                // An escaped quote doesn't close the string.
                self.at += if self.peek() == Some(b'\\') { 2 } else { 1 };
            }
            self.at = self.at.min(self.bytes.len());
            self.eat(b'"');
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Tokens are ASCII, so that nothing is lost.
fn ascii(token: &[u8]) -> &str {
    std::str::from_utf8(token).unwrap_or_default()
}

#[cfg(test)]
mod tests;
