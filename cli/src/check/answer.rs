//! Reading an answer as `curl -i` writes it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

/// The last answer in `bytes`: before it there may be those of a proxy, of redirects, and interim ones. An error says in
/// which line it is.
pub(crate) fn parse(bytes: Vec<u8>) -> Result<Response<Bytes>, String> {
    let mut rest = Bytes::from(bytes);
    let mut line = 1;
    loop {
        let (response, body, lines) = head(&rest, line)?;
        // One that has no body of its own is followed by the next one, if there is one.
        if body.starts_with(b"HTTP/") && status(&body).is_some() {
            (rest, line) = (body, line + lines);
            continue;
        }
        return Ok(response.map(|()| body));
    }
}

/// The first head, what comes after it, and how many lines it has.
fn head(bytes: &Bytes, first: usize) -> Result<(Response<()>, Bytes, usize), String> {
    let status = status(bytes).ok_or_else(|| {
        let hint = "expected a status line, such as HTTP/1.1 401 Unauthorized; `curl -i` writes it before the headers";
        format!("line {first}: {hint}")
    })?;
    let mut response = Response::new(());
    *response.status_mut() = status;
    let (mut at, mut lines) = (end_of_line(bytes, 0), 1);
    while at < bytes.len() {
        let end = end_of_line(bytes, at);
        let text = trimmed(&bytes[at..end]);
        (at, lines) = (end, lines + 1);
        if text.is_empty() {
            break;
        }
        let wrong = |why: &str| format!("line {}: {why}", first + lines - 1);
        let colon = text.iter().position(|byte| *byte == b':');
        let (name, value) = colon.map(|colon| (&text[..colon], &text[colon + 1..])).ok_or_else(|| {
            wrong(
                "expected a header, such as Content-Type: application/json, or an empty line before the body",
            )
        })?;
        let name = HeaderName::from_bytes(name).map_err(|_| wrong("that is no header's name"))?;
        let value =
            HeaderValue::from_bytes(value.trim_ascii()).map_err(|_| wrong("no header has such a value"))?;
        response.headers_mut().append(name, value);
    }
    Ok((response, bytes.slice(at..), lines))
}

/// The status in the status line, if there is one.
fn status(bytes: &[u8]) -> Option<StatusCode> {
    let line = std::str::from_utf8(trimmed(&bytes[..end_of_line(bytes, 0)])).ok()?;
    let mut words = line.strip_prefix("HTTP/")?.split(' ').filter(|word| !word.is_empty());
    let version = words.next()?;
    let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    words.next()?.parse().ok().filter(|_| is_version)
}

/// Where the line that begins at `at` ends, with its end.
fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1)
}

/// A line without its end.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Response<Bytes> {
        parse(text.into()).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    #[test]
    fn what_curl_writes_is_read() {
        for text in [
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nX-A: 1\r\nX-A: 2\r\n\r\n{\"a\":\r\n1}",
            "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer\nX-A:1\nX-A:   2\n\n{\"a\":\r\n1}",
            "HTTP/2 401 \r\nwww-authenticate: Bearer\r\nx-a: 1\r\nx-a: 2\r\n\r\n{\"a\":\r\n1}",
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nlocation: /b\r\n\r\n\
             HTTP/2 401\r\nwww-authenticate: Bearer\r\nx-a: 1\r\nx-a: 2\r\n\r\n{\"a\":\r\n1}",
        ] {
            let response = parsed(text);
            assert_eq!(response.status(), 401, "{text}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer", "{text}");
            assert_eq!(response.headers().get_all("x-a").iter().count(), 2, "{text}");
            assert_eq!(response.headers().len(), 3, "{text}");
            assert_eq!(response.body(), "{\"a\":\r\n1}", "{text}");
        }
        for text in ["HTTP/1.1 204 No Content", "HTTP/1.1 204\n", "HTTP/1.1 204 No Content\r\n\r\n"] {
            assert!(parsed(text).body().is_empty(), "{text:?}");
        }
        assert_eq!(parsed("HTTP/1.1 200 OK\n\nHTTP/x is text").body(), "HTTP/x is text");
    }

    #[test]
    fn what_is_no_answer_says_in_which_line() {
        for (text, error) in [
            ("", "line 1: expected a status line"),
            ("{\"error\":\"x\"}", "line 1: expected a status line"),
            ("HTTP/1.1 ok\n\n", "line 1: expected a status line"),
            ("HTTP/1.1 99999 x\n\n", "line 1: expected a status line"),
            ("HTTP/1.1 200 OK\nX-A: 1\n{\"a\"}\n", "line 3: expected a header"),
            ("HTTP/1.1 200 OK\nX A: 1\n\n", "line 2: that is no header's name"),
            ("HTTP/1.1 200 OK\nX-A: \u{1}\n\n", "line 2: no header has such a value"),
            ("HTTP/1.1 100\n\nHTTP/1.1 200\nX-A: 1\nno\n", "line 5: expected a header"),
        ] {
            let found = parse(text.into()).expect_err(text);
            assert!(found.starts_with(error), "{text:?}: {found}");
        }
    }
}
