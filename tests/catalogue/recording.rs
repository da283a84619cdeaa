//! [`Recording`]: what a vendor is sent and answers, as its documentation has it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    /// The entry's name.
    #[serde(skip)]
    pub(crate) name: String,
    /// What a user would have.
    pub(crate) inputs: BTreeMap<String, String>,
    /// Those that are wrong, for the refusal.
    #[serde(default)]
    pub(crate) wrong: BTreeMap<String, String>,
    pub(crate) api: Api,
    pub(crate) token: Option<Exchange>,
    #[serde(default)]
    pub(crate) lifetime: Lifetime,
    pub(crate) refresh: Option<Exchange>,
    /// The ways in which the API says that a token is no good any more, though another one would be.
    #[serde(default)]
    pub(crate) expired: Vec<Answer>,
    /// What the token endpoint says to a wrong secret.
    pub(crate) refused: Option<Answer>,
    pub(crate) throttled: Option<Throttled>,
    /// What the API says where no new token helps.
    #[serde(default)]
    pub(crate) passed: Vec<Answer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    pub(crate) request: String,
    /// Calls at other hosts that take the same token.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// `Name: value {token}`, or `?name={token}`.
    pub(crate) token: String,
    #[serde(default = "healthy")]
    pub(crate) body: String,
}

fn healthy() -> String {
    String::from(r#"{"healthy":true}"#)
}

/// A request as it is documented, and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) request: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) basic: Option<(String, String)>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) form: Option<BTreeMap<String, String>>,
    pub(crate) json: Option<serde_json::Value>,
    /// Who signs the JWT in it.
    pub(crate) issuer: Option<String>,
    pub(crate) answer: Answer,
    /// Of a refresh: its refresh token is good once.
    #[serde(default)]
    pub(crate) single_use: bool,
    /// The token before it is dead.
    #[serde(default)]
    pub(crate) revokes: bool,
    /// What of the answer is kept beside the token.
    #[serde(default)]
    pub(crate) members: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: String,
    /// Of it what people are told.
    pub(crate) says: Option<String>,
    /// Of an expiry: whatever the body is, as that isn't documented.
    #[serde(default)]
    pub(crate) any: bool,
    /// Of an expiry: a refresh is no help.
    #[serde(default)]
    pub(crate) anew: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lifetime {
    /// That is documented for a token.
    pub(crate) seconds: Option<u64>,
    #[serde(default)]
    pub(crate) written: Written,
}

/// How an answer says how long its token lives.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Written {
    /// It doesn't: it is documented, or isn't known.
    #[default]
    Nowhere,
    Seconds,
    Epoch,
    Milliseconds,
    Rfc3339,
    Jwt,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throttled {
    pub(crate) at: Place,
    /// The seconds that the answer asks for.
    pub(crate) after: Option<u64>,
    pub(crate) answer: Answer,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    Token,
    Api,
}

impl Exchange {
    /// All that is filled in of the request.
    fn texts(&self) -> impl Iterator<Item = String> {
        let basic = self.basic.iter().flat_map(|(user, password)| [user, password]);
        let maps = [&self.headers, &self.query].into_iter().chain(&self.form);
        let texts = maps.flat_map(BTreeMap::values).chain(basic).chain(&self.issuer).chain([&self.request]);
        texts.cloned().chain(self.json.iter().map(ToString::to_string))
    }
}

impl Answer {
    fn texts(&self) -> impl Iterator<Item = &String> {
        self.headers.values().chain([&self.body])
    }
}

/// The names in braces.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let after_braces = text.split('{').skip(1);
    let names = after_braces.filter_map(|after| Some(after.split_once('}')?.0));
    names.filter(move |name| !name.is_empty() && name.bytes().all(is_fit))
}

/// Inputs, with the private keys that `@keys/` stands for.
fn with_keys(inputs: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/credential/oauth2/tests/keys");
    let read = |(name, value): (String, String)| match value.strip_prefix("@keys/") {
        Some(file) => (name, fs::read_to_string(keys.join(file)).unwrap()),
        None => (name, value),
    };
    inputs.into_iter().map(read).collect()
}

impl Recording {
    pub(crate) fn read(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/catalogue/recordings/{name}.toml"));
        let text = fs::read_to_string(path).unwrap();
        let recording: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recording.unknown_words(), [""; 0], "{name}");
        Self { name: name.to_owned(), inputs: with_keys(recording.inputs), ..recording }
    }

    /// The names in braces that stand for nothing where they are, each with its place. Requests that have one, and
    /// answers, would else be compared and sent with the braces.
    fn unknown_words(&self) -> Vec<String> {
        let mut unknown = Vec::new();
        let mut look = |place: &str, text: &str, with_inputs: bool, known: &[&str]| {
            let is_known =
                |name: &str| known.contains(&name) || with_inputs && self.inputs.contains_key(name);
            for name in placeholders(text).filter(|name| !is_known(name)) {
                let inputs = if with_inputs { ", and inputs" } else { "" };
                unknown.push(format!("{place}: {{{name}}} stands for nothing; there are {known:?}{inputs}"));
            }
        };
        for line in self.api.also.iter().chain([&self.api.request]) {
            look("api", line, true, &[]);
        }
        look("api.token", &self.api.token, false, &["token"]);
        let first = self.token.as_ref().map(|exchange| ("token", exchange, &["jwt"][..]));
        let refresh = self.refresh.as_ref();
        let next = refresh.map(|exchange| ("refresh", exchange, &["jwt", "token", "refresh_token"][..]));
        for (place, exchange, words) in first.into_iter().chain(next) {
            exchange.texts().for_each(|text| look(place, &text, true, words));
            let place = format!("{place}.answer");
            exchange
                .answer
                .texts()
                .for_each(|text| look(&place, text, false, &["token", "refresh_token", "lifetime"]));
        }
        for text in self.expired.iter().flat_map(Answer::texts) {
            look("expired", text, false, &["token"]);
        }
        for text in self.refused.iter().flat_map(Answer::texts) {
            look("refused", text, true, &[]);
        }
        let throttled = self.throttled.iter().map(|throttled| &throttled.answer);
        for text in throttled.chain(&self.passed).flat_map(Answer::texts) {
            look("throttled, or passed", text, false, &[]);
        }
        unknown
    }

    /// Whether a key is its own token.
    pub(crate) fn is_static(&self) -> bool {
        self.token.is_none()
    }
}
