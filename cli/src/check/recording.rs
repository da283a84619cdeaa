//! Several answers in one TOML file, and what each of them is: the format of the catalogue's own recordings.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    line,
    play::{Expected, Place},
};

/// One answer.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// Where in the file it is.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) response: Response<Bytes>,
    pub(crate) expected: Expected,
}

/// All answers of a recording. What else may be in it is about requests, of which none is made.
pub(crate) fn parse(text: &str) -> Result<Vec<Recorded>, String> {
    let recording: Recording = toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| format!("line {}: ", line::at(text, span.start)));
        format!("{}{}", place.unwrap_or_default(), error.message())
    })?;
    let mut all = Vec::new();
    let mut add = |name: String, place, answer: &Answer, expected| {
        let response = answer.response(&recording.lifetime).map_err(|why| format!("{name}: {why}"))?;
        all.push(Recorded { name, place, response, expected });
        Ok::<_, String>(())
    };
    if let Some(Exchange { answer }) = &recording.token {
        add("token.answer".into(), Place::Token, answer, Expected::Token)?;
    }
    if let Some(Exchange { answer }) = &recording.refresh {
        add("refresh.answer".into(), Place::Refresh, answer, Expected::Token)?;
    }
    if let Some(answer) = &recording.refused {
        add("refused".into(), Place::Token, answer, Expected::Refused)?;
    }
    for (index, answer) in recording.expired.iter().enumerate() {
        add(format!("expired[{index}]"), Place::Api, answer, Expected::Expired)?;
    }
    for (index, answer) in recording.passed.iter().enumerate() {
        add(format!("passed[{index}]"), Place::Api, answer, Expected::Passed)?;
    }
    if let Some(Throttled { at, answer, .. }) = &recording.throttled {
        let (place, expected) = match at {
            At::Token => (Place::Token, Expected::Later),
            At::Api => (Place::Api, Expected::Passed),
        };
        add("throttled".into(), place, answer, expected)?;
    }
    match all.is_empty() {
        true => Err("there is no answer in it; there may be [token.answer], [refresh.answer], [refused], [[expired]], \
                     [[passed]] and [throttled]"
            .into()),
        false => Ok(all),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    token: Option<Exchange>,
    refresh: Option<Exchange>,
    refused: Option<Answer>,
    #[serde(default)]
    expired: Vec<Answer>,
    #[serde(default)]
    passed: Vec<Answer>,
    throttled: Option<Throttled>,
    #[serde(default)]
    lifetime: Lifetime,
    #[serde(rename = "inputs")]
    _inputs: Option<IgnoredAny>,
    #[serde(rename = "wrong")]
    _wrong: Option<IgnoredAny>,
    #[serde(rename = "api")]
    _api: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Exchange {
    answer: Answer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(rename = "says")]
    _says: Option<IgnoredAny>,
    #[serde(rename = "any")]
    _any: Option<IgnoredAny>,
    #[serde(rename = "anew")]
    _anew: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Throttled {
    at: At,
    answer: Answer,
    #[serde(rename = "after")]
    _after: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum At {
    Token,
    Api,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    seconds: Option<u64>,
    #[serde(default)]
    written: Written,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written {
    #[default]
    Nowhere,
    Seconds,
    Epoch,
    Milliseconds,
    Rfc3339,
    Jwt,
}

impl Answer {
    /// The answer with what its braces stand for.
    fn response(&self, lifetime: &Lifetime) -> Result<Response<Bytes>, String> {
        let fill = |text: &str| {
            text.replace("{token}", &lifetime.token())
                .replace("{refresh_token}", "made-up-refresh")
                .replace("{lifetime}", &lifetime.text())
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, fill(value));
        }
        let is_typed = self.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if !is_typed && !self.body.is_empty() {
            response = response.header("content-type", "application/json");
        }
        response.body(fill(&self.body).into()).map_err(|error| error.to_string())
    }
}

impl Lifetime {
    fn seconds(&self) -> u64 {
        self.seconds.unwrap_or(3600)
    }

    fn end(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_secs().saturating_add(self.seconds())
    }

    /// As the answer says it.
    fn text(&self) -> String {
        match self.written {
            Written::Nowhere | Written::Seconds | Written::Jwt => self.seconds().to_string(),
            Written::Epoch => self.end().to_string(),
            Written::Milliseconds => self.end().saturating_mul(1000).to_string(),
            Written::Rfc3339 => rfc3339(self.end()),
        }
    }

    /// A token that nobody has, and that says itself how long it lives if that is where it is said.
    fn token(&self) -> String {
        match self.written {
            Written::Jwt => format!("e30.{}.bWFkZS11cA", base64url(&format!("{{\"exp\":{}}}", self.end()))),
            _ => "made-up-token".into(),
        }
    }
}

/// A moment in the calendar, by the seconds since 1970.
fn rfc3339(moment: u64) -> String {
    let (mut days, second) = (moment / 86_400, moment % 86_400);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    loop {
        let length = 365 + u64::from(is_leap(year));
        if days < length || year > 9998 {
            break;
        }
        (days, year) = (days - length, year + 1);
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length || month == 12 {
            break;
        }
        (days, month) = (days - length, month + 1);
    }
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        days + 1,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// RFC 4648 §5, without padding.
fn base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits =
            three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            encoded.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_base64_are_written_as_others_read_them() {
        for (moment, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_164_799, "2024-02-28T23:59:59Z"),
            (1_893_456_000, "2030-01-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(moment), text);
        }
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("{\"exp\":1}", "eyJleHAiOjF9"),
            ("?>~", "Pz5-"),
        ] {
            assert_eq!(base64url(text), encoded);
        }
    }

    #[test]
    fn what_the_server_makes_up_is_filled_in() {
        let text = "[token.answer]\nstatus = 200\nbody = '{token} {refresh_token} {lifetime}'\n[lifetime]\nseconds = 60\n";
        let all = parse(text).expect("a recording");
        assert_eq!(all[0].response.body(), "made-up-token made-up-refresh 60");
    }

    #[test]
    fn a_recording_that_makes_no_sense_says_where() {
        for (text, words) in [
            ("", "there is no answer in it"),
            ("[refused]\nbody = 'x'\n", "line 1: missing field `status`"),
            ("[refused]\nstatus = 1000\n", "refused: "),
            ("[refused]\nstatus = 400\nheaders = { 'a b' = 'c' }\n", "refused: "),
            ("= \n", "line 1: "),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}
