//! [`Route`]: the requests that are for one upstream.

use std::fmt;

use http::uri::PathAndQuery;

/// A host, a beginning of paths, both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// In lower case and without a port. `None` is any.
    host: Option<String>,
    /// Without a slash at its end. Empty is any.
    path: String,
}

impl Route {
    /// An error says what is wrong with the host.
    pub(crate) fn at_host(mut self, host: &str) -> Result<Self, &'static str> {
        match host.parse::<http::uri::Authority>() {
            Ok(authority) if authority.as_str() == authority.host() => {
                self.host = Some(host.to_ascii_lowercase());
                Ok(self)
            }
            _ => Err("write a host alone, such as videos.internal; a port of it doesn't matter"),
        }
    }

    /// An error says what is wrong with the path.
    pub(crate) fn beneath(mut self, path: &str) -> Result<Self, &'static str> {
        let is_path = path.parse::<PathAndQuery>().is_ok_and(|parsed| parsed.path() == path);
        let has_odd_piece = path.split('/').skip(1).any(|piece| matches!(piece, "" | "." | ".."));
        if is_path && path.starts_with('/') && !has_odd_piece && !path.contains('%') {
            path.clone_into(&mut self.path);
            Ok(self)
        } else {
            Err(
                "write a path such as /videos: with a slash before each piece and none at its end, and as requests have it",
            )
        }
    }

    /// What is left of a target for the upstream, if the request is for it.
    pub(super) fn rest(&self, host: Option<&str>, target: &PathAndQuery) -> Option<PathAndQuery> {
        if self.host.as_deref().is_some_and(|own| !host.is_some_and(|host| host.eq_ignore_ascii_case(own))) {
            return None;
        }
        if self.path.is_empty() {
            return Some(target.clone());
        }
        let rest = target.as_str().strip_prefix(&*self.path)?;
        match rest.bytes().next() {
            None => Some(PathAndQuery::from_static("/")),
            Some(b'/') => rest.parse().ok(),
            Some(b'?') => format!("/{rest}").parse().ok(),
            Some(_) => None,
        }
    }

    /// The narrower of two comes first: by host, and then by the longer path.
    pub(super) fn width(&self) -> impl Ord + use<> {
        (self.host.is_none(), usize::MAX - self.path.len())
    }

    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// What comes before the upstream's own paths.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, &*self.path) {
            (None, "") => f.write_str("all else"),
            (None, path) => f.write_str(path),
            (Some(host), path) => write!(f, "{host}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_by_whole_pieces_and_what_is_left_is_a_path_again() {
        let route = Route::default().beneath("/a/b").unwrap();
        for (target, rest) in [
            ("/a/b", Some("/")),
            ("/a/b/", Some("/")),
            ("/a/b/c?d=/a/b", Some("/c?d=/a/b")),
            ("/a/b?d", Some("/?d")),
            ("/a/b//c", Some("//c")),
            ("/a/b/../c", Some("/../c")),
            ("/a/bc", None),
            ("/a", None),
            ("/A/b", None),
            ("/%61/b", None),
            ("*", None),
        ] {
            let found = route.rest(None, &target.parse().unwrap());
            assert_eq!(found.as_ref().map(PathAndQuery::as_str), rest, "{target}");
        }
        for path in ["", "a", "/", "/a/", "//a", "/a/../b", "/a?b", "/%61", "/a b"] {
            assert!(Route::default().beneath(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_host_is_one_whatever_its_case() {
        let route = Route::default().at_host("Videos.internal").unwrap();
        let target = PathAndQuery::from_static("/x");
        assert_eq!(route.rest(Some("videos.INTERNAL"), &target), Some(target.clone()));
        assert_eq!(route.rest(Some("a.videos.internal"), &target), None);
        assert_eq!(route.rest(None, &target), None);
        for host in ["", "a:80", "u@a", "a/b", "a b"] {
            assert!(Route::default().at_host(host).is_err(), "{host}");
        }
    }
}
