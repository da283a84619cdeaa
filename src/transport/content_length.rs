//! `Content-Length: 0`, which some servers insist on where a request could have content and has none.

use http::{HeaderValue, Method, Request, header};

/// Says of `request`, which has no content, that it has none, if its method is one that is sent with content (RFC 9110
/// §8.6). What the caller has said of it stands.
///
/// These are POST, PUT (§9.3.3, §9.3.4) and PATCH (RFC 5789 §2). Of methods that nobody here knows nothing is said.
pub(super) fn say_no_content<B>(request: &mut Request<B>) {
    if !matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) {
        return;
    }
    let headers = request.headers_mut();
    if headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING) {
        return;
    }
    // A map that is full stays as it is.
    let _ = headers.try_insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(method: &str, headers: &[(&str, &str)]) -> Vec<String> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).expect("a request");
        say_no_content(&mut request);
        let lengths = request.headers().get_all(header::CONTENT_LENGTH).iter();
        lengths.map(|length| length.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn it_is_said_of_methods_that_are_sent_with_content() {
        for method in ["POST", "PUT", "PATCH"] {
            assert_eq!(lengths(method, &[]), ["0"], "{method}");
        }
        for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post"] {
            assert!(lengths(method, &[]).is_empty(), "{method}");
        }
    }

    #[test]
    fn what_the_caller_has_said_stands() {
        assert_eq!(lengths("POST", &[("content-length", "00")]), ["00"]);
        assert!(lengths("POST", &[("transfer-encoding", "chunked")]).is_empty());
    }

    #[test]
    fn a_map_that_is_full_stays_as_it_is() {
        let mut request = Request::post("/").body(()).expect("a request");
        for number in 0.. {
            let name: http::HeaderName = format!("x-{number}").parse().expect("a name");
            if request.headers_mut().try_insert(name, HeaderValue::from_static("")).is_err() {
                break;
            }
        }
        let before = request.headers().len();
        say_no_content(&mut request);
        assert_eq!(request.headers().len(), before);
    }
}
