//! URLs with inputs in braces, and what an input may be where it is in one.

/// A piece of a URL.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    Input(&'t str, Part),
}

/// Where in a URL an input is, and so what it may be: the later, the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// All of the base URL, or of a request's, which is checked as such.
    Whole,
    /// A piece of a path or of a query.
    Segment,
    /// One label of a host, or a piece of one, with others after it that say whose it is.
    Label,
    /// The end of a host.
    End,
}

impl Part {
    /// What is wrong with `text` there, if anything is. It isn't shown, since it may be a secret that somebody gave by
    /// mistake.
    pub(super) fn refuses(self, text: &str) -> Option<&'static str> {
        let is_label = || {
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            (1..=63).contains(&text.len())
                && text.bytes().all(is_fit)
                && !text.starts_with('-')
                && !text.ends_with('-')
        };
        let is_segment = || {
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            !text.is_empty() && text.bytes().all(is_fit) && text != "." && text != ".."
        };
        match self {
            Self::Whole => None,
            Self::Segment if is_segment() => None,
            Self::Segment => {
                Some("is a piece of a url's path, so it has letters, digits and -._~ alone, and no slash")
            }
            Self::Label | Self::End if is_label() => None,
            Self::Label | Self::End => Some(
                "is one label of a host, so it has letters, digits and hyphens alone: no dot, no slash, no port",
            ),
        }
    }
}

/// The pieces of `url`, which may have a method before it.
pub(super) fn pieces(url: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let host = host(url);
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some(open) = url[at..].find(['{', '}']).map(|open| at + open) {
        let close = url[open..].find('}').map(|close| open + close);
        let Some(close) = close.filter(|&close| close > open) else {
            return Err("a brace stands alone; braces are around the name of an input, as in {account_id}");
        };
        pieces.push(Piece::Text(&url[at..open]));
        let part = match &host {
            Some(host) if host.contains(&open) => in_host(&url[host.start..open], &url[close + 1..host.end])?,
            _ => Part::Segment,
        };
        pieces.push(Piece::Input(&url[open + 1..close], part));
        at = close + 1;
    }
    pieces.push(Piece::Text(&url[at..]));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

/// Where the host of `url` is, with its port.
fn host(url: &str) -> Option<std::ops::Range<usize>> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    Some(start..end)
}

/// What an input between the two ends of a host is.
fn in_host(before: &str, after: &str) -> Result<Part, &'static str> {
    if before.contains([':', '@']) || after.contains('@') {
        return Err("an input can't be a port, a user or a password");
    }
    let rest = after.split(':').next().unwrap_or_default();
    // Whose host it is has to be said by more than a top-level domain.
    let owner = rest.split_once('.').map_or("", |(_, owner)| owner.trim_end_matches('.'));
    Ok(if owner.contains('.') { Part::Label } else { Part::End })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(url: &str) -> Part {
        let pieces = pieces(url).unwrap_or_else(|why| panic!("{url}: {why}"));
        let part = pieces.into_iter().find_map(|piece| match piece {
            Piece::Input(name, part) => (name == "x").then_some(part),
            Piece::Text(_) => None,
        });
        part.unwrap_or_else(|| panic!("no input in {url}"))
    }

    #[test]
    fn where_an_input_is_says_what_it_may_be() {
        for (url, expected) in [
            ("https://{x}.example.com", Part::Label),
            ("https://api-{x}.example.com/v1", Part::Label),
            ("https://{x}.api.example.com:8443", Part::Label),
            ("POST https://{x}.example.com/token", Part::Label),
            ("https://{x}-api.example.com", Part::Label),
            ("https://{x}", Part::End),
            ("https://{x}/v1", Part::End),
            ("https://api.{x}", Part::End),
            ("https://api.{x}:8443", Part::End),
            ("https://{x}.com", Part::End),
            ("https://{x}-a.com", Part::End),
            ("https://{x}.com.", Part::End),
            ("https://api.example.com/{x}/token", Part::Segment),
            ("POST /{x}/token", Part::Segment),
            ("POST https://api.example.com/token?account={x}", Part::Segment),
            ("https://api.example.com?account={x}", Part::Segment),
        ] {
            assert_eq!(part(url), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_place_for_an_input_is_refused() {
        for url in [
            "https://api.example.com:{x}",
            "https://{x}@api.example.com",
            "https://me:{x}@api.example.com",
            "https://{x.example.com",
            "https://x}.example.com",
            "POST /}{",
        ] {
            assert!(pieces(url).is_err(), "{url}");
        }
    }

    #[test]
    fn nothing_is_lost_between_inputs() {
        let url = "POST https://{a}{b}.example.com/{c}/x?d={d}#e";
        let whole: String = pieces(url)
            .unwrap()
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Input(name, _) => format!("{{{name}}}"),
            })
            .collect();
        assert_eq!(whole, url);
    }

    #[test]
    fn an_input_cannot_lead_elsewhere() {
        for (part, good, bad) in [
            (
                Part::Label,
                &["acme", "Acme-1", "x"][..],
                &[
                    "", "a.b", "a/b", "a:1", "a@b", "-a", "a-", "a b", "ä", "a%2e", "a?b", "a#b", "a\\b",
                    "a\n",
                ][..],
            ),
            (
                Part::Segment,
                &["acme", "Acme_1.x~y", "..."][..],
                &["", "a/b", ".", "..", "a?b", "a#b", "a%2f", "a b", "a&b", "a\\b", "a;b"][..],
            ),
        ] {
            for text in good {
                assert_eq!(part.refuses(text), None, "{text}");
            }
            for text in bad {
                assert!(part.refuses(text).is_some(), "{text:?}");
            }
        }
        assert!(Part::Label.refuses(&"a".repeat(64)).is_some());
    }
}
