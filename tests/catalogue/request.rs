//! [`Arrived`]: a request as it came, held against one as it is documented.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::request::Parts;

use crate::recording::Exchange;

/// The header in which the URL is that was asked for, before it was led to the fake.
pub(crate) const ASKED: &str = "x-asked-url";

#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

/// What stands for what in a recording.
pub(crate) type Words = BTreeMap<String, String>;

/// `text` with what its braces stand for.
pub(crate) fn filled(text: &str, words: &Words) -> String {
    words.iter().fold(text.to_owned(), |text, (name, word)| text.replace(&format!("{{{name}}}"), word))
}

impl Arrived {
    pub(crate) fn url(&self) -> &str {
        self.head.headers[ASKED].to_str().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn query(&self) -> BTreeMap<String, String> {
        pairs(self.url().split_once('?').map_or("", |(_, query)| query))
    }

    /// Whether it goes where `line` says, which is a method and a URL.
    pub(crate) fn goes_to(&self, line: &str) -> bool {
        let (method, url) = line.split_once(' ').unwrap();
        self.head.method == *method && self.url().split('?').next() == url.split('?').next()
    }

    /// Who signed the JWT that is the bearer, or the assertion in a form.
    fn issuer(&self) -> Option<String> {
        let form = pairs(std::str::from_utf8(&self.body).unwrap());
        let bearer = self.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let jwt = bearer.or_else(|| form.get("assertion").map(|jwt| &**jwt))?;
        let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        Some(claims["iss"].as_str()?.to_owned())
    }

    /// What is other than `documented` says.
    pub(crate) fn differs_from(&self, documented: &Exchange, words: &Words) -> Option<String> {
        let fill = |text: &str| filled(text, words);
        let line = fill(&documented.request);
        if !self.goes_to(&line) {
            return Some(format!("{} {} isn't {line}", self.head.method, self.url()));
        }
        let all = |map: &BTreeMap<String, String>| {
            map.iter().map(|(name, value)| (name.clone(), fill(value))).collect::<BTreeMap<_, _>>()
        };
        let mut query = all(&documented.query);
        query.extend(pairs(line.split_once('?').map_or("", |(_, query)| query)));
        if !same(&self.query(), &query) {
            return Some(format!("the query is {:?}, not {query:?}", self.query()));
        }
        let mut headers = all(&documented.headers);
        if let Some((user, password)) = &documented.basic {
            let basic = STANDARD.encode(format!("{}:{}", fill(user), fill(password)));
            headers.insert("authorization".into(), format!("Basic {basic}"));
        }
        for (name, value) in &headers {
            let found = self.header(name);
            if !found.is_some_and(|found| alike(found, value)) {
                return Some(format!("the header {name} is {found:?}, not {value:?}"));
            }
        }
        if !headers.contains_key("authorization") && self.header("authorization").is_some() {
            return Some("there is an authorization that isn't documented".into());
        }
        if let Some(issuer) = &documented.issuer {
            let (found, issuer) = (self.issuer(), fill(issuer));
            if found.as_deref() != Some(&*issuer) {
                return Some(format!("the JWT is by {found:?}, not {issuer:?}"));
            }
        }
        match (&documented.form, &documented.json) {
            (Some(form), None) => {
                let (found, form) = (pairs(std::str::from_utf8(&self.body).unwrap()), all(form));
                let is_form = self.header("content-type") == Some("application/x-www-form-urlencoded");
                (!is_form || !same(&found, &form)).then(|| format!("the form is {found:?}, not {form:?}"))
            }
            (None, Some(json)) => {
                let found: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
                let json: serde_json::Value = serde_json::from_str(&fill(&json.to_string())).unwrap();
                let is_json = self.header("content-type") == Some("application/json");
                (!is_json || found != json).then(|| format!("the json is {found}, not {json}"))
            }
            (None, None) => (!self.body.is_empty()).then(|| "there is a body".to_owned()),
            (Some(_), Some(_)) => panic!("a recording has a form and json"),
        }
    }
}

/// Whether both have the same, where `{jwt}` is any JWT.
fn same(found: &BTreeMap<String, String>, documented: &BTreeMap<String, String>) -> bool {
    let all = found
        .iter()
        .zip(documented)
        .all(|(found, documented)| found.0 == documented.0 && alike(found.1, documented.1));
    found.len() == documented.len() && all
}

fn alike(found: &str, documented: &str) -> bool {
    match documented.split_once("{jwt}") {
        Some((before, "")) => found
            .strip_prefix(before)
            .is_some_and(|jwt| jwt.starts_with("eyJ") && jwt.split('.').count() == 3),
        _ => found == documented,
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    pairs.collect()
}
