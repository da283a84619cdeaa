//! [`JsonValue`]: what the JSON of a token request is, with secrets in its leaves, and how it is written.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    iter,
};

use secrecy::SecretString;
use serde_json::{Number, Value};

use super::param::Param;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    secret::SecretSource,
    token::AccessToken,
};

/// JSON in the body of a [`TokenRequest`](crate::TokenRequest): objects and arrays at any depth up to 32, whose leaves are
/// [`Param`]s (text, secrets, parts of the token that is renewed), numbers, booleans or null.
///
/// String literals, numbers, booleans, secrets, arrays of such, and whatever else becomes a [`Param`] become JSON by
/// themselves, as does a [`serde_json::Value`], for a part without secrets. `Debug` shows no secret.
///
/// Fields are sent in the order in which they were given; those of a [`serde_json::Value`] in its own, which is that of
/// their names unless the program has serde_json's feature `preserve_order`.
///
/// # Examples
///
/// OpenStack's Keystone, whose login is nested, whose token is in a header, and which says when it expires:
///
/// ```
/// use tower_reauth::{
///     AnswerField, AuthLayer, ConfigError, JsonValue, Param, Placement, SecretSource, TokenEndpoint, TokenRequest,
///     Transport,
/// };
///
/// fn nova(user: String, transport: Transport) -> Result<AuthLayer, ConfigError> {
///     let domain = || JsonValue::object().field("id", "default");
///     let user = JsonValue::object()
///         .field("name", Param::text(user))
///         .field("domain", domain())
///         .field("password", SecretSource::file("/run/secrets/keystone"));
///     let identity = JsonValue::object()
///         .field("methods", ["password"])
///         .field("password", JsonValue::object().field("user", user));
///     let project = JsonValue::object().field("name", "videos").field("domain", domain());
///     let auth = JsonValue::object().field("identity", identity).field("scope", JsonValue::object().field("project", project));
///     let login = TokenRequest::post("https://identity.example.com/v3/auth/tokens").json("auth", auth);
///     TokenEndpoint::new("Nova", "https://compute.example.com", login)
///         .token(AnswerField::header("X-Subject-Token"))
///         .lifetime("/token/expires_at")
///         .placement(Placement::bare("X-Auth-Token")?)
///         .layer(transport)
/// }
/// ```
///
/// Arrays of objects, a number as it is written, and constants:
///
/// ```
/// use tower_reauth::{JsonValue, SecretSource, TokenRequest};
///
/// let key = JsonValue::object().field("kind", "api-key").field("value", SecretSource::env("ACME_KEY"));
/// let totp = JsonValue::object().field("kind", "none").field("value", JsonValue::null());
/// let request = TokenRequest::post("/sessions")
///     .json("factors", [key, totp])
///     .json("version", JsonValue::number("1.0"))
///     .json("options", serde_json::json!({ "remember": false, "ttl": 3600 }));
/// ```
#[derive(Clone)]
pub struct JsonValue(Kind);

#[derive(Clone)]
enum Kind {
    Null,
    /// As it is written.
    Number(String),
    Leaf(Param),
    Array(Vec<JsonValue>),
    Object(JsonObject),
}

impl JsonValue {
    /// How deep arrays and objects may be nested in each other.
    pub(crate) const MAX_DEPTH: usize = 32;

    /// An object without fields: add them with [`field`](JsonObject::field).
    pub fn object() -> JsonObject {
        JsonObject(Vec::new())
    }

    /// An array. One whose elements are of one type becomes JSON by itself, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_reauth::JsonValue;
    ///
    /// let mixed = JsonValue::array([JsonValue::from("password"), 1.into(), JsonValue::null()]);
    /// let empty = JsonValue::array::<&str>([]);
    /// ```
    #[must_use]
    pub fn array<T: Into<Self>>(elements: impl IntoIterator<Item = T>) -> Self {
        Self(Kind::Array(elements.into_iter().map(Into::into).collect()))
    }

    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(Kind::Null)
    }

    /// A number that is sent digit for digit as it is written here, such as `"1.50"` or a `u64`. If it isn't one as JSON has
    /// it (RFC 8259 §6), the endpoint isn't built.
    #[must_use]
    pub fn number(number: impl Display) -> Self {
        Self(Kind::Number(number.to_string()))
    }

    /// All values in it.
    pub(super) fn params(&self) -> Box<dyn Iterator<Item = &Param> + Send + '_> {
        match &self.0 {
            Kind::Null | Kind::Number(_) => Box::new(iter::empty()),
            Kind::Leaf(param) => Box::new(iter::once(param)),
            Kind::Array(elements) => Box::new(elements.iter().flat_map(Self::params)),
            Kind::Object(object) => Box::new(object.params()),
        }
    }

    pub(super) fn params_mut(&mut self) -> Box<dyn Iterator<Item = &mut Param> + Send + '_> {
        match &mut self.0 {
            Kind::Null | Kind::Number(_) => Box::new(iter::empty()),
            Kind::Leaf(param) => Box::new(iter::once(param)),
            Kind::Array(elements) => Box::new(elements.iter_mut().flat_map(Self::params_mut)),
            Kind::Object(object) => Box::new(object.params_mut()),
        }
    }

    /// The JSON text, or an error that names the place of what can't be sent.
    pub(super) fn text(&self, previous: Option<&AccessToken>) -> Result<String, ConfigError> {
        let mut writer = Writer::new(previous);
        writer.write(self)?;
        Ok(writer.text)
    }
}

/// Whether it is a number as JSON has it (RFC 8259 §6), whatever its size.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(fraction) && digits(exponent)
}

/// An object of JSON, which becomes [`JsonValue`] by itself. `Debug` shows no secret.
///
/// # Examples
///
/// ```
/// use tower_reauth::{JsonValue, Param, TokenRequest};
///
/// let user = JsonValue::object().field("name", "robot").field("password", Param::secret("hunter2"));
/// assert!(!format!("{user:?}").contains("hunter2"));
/// let request = TokenRequest::post("/login").json("user", user);
/// ```
#[derive(Clone)]
#[must_use]
pub struct JsonObject(Vec<(Cow<'static, str>, JsonValue)>);

impl JsonObject {
    /// Adds a field. If there is one of that name already, the endpoint isn't built.
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<JsonValue>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn params(&self) -> impl Iterator<Item = &Param> + Send {
        self.0.iter().flat_map(|(_, value)| value.params())
    }

    pub(super) fn params_mut(&mut self) -> impl Iterator<Item = &mut Param> + Send {
        self.0.iter_mut().flat_map(|(_, value)| value.params_mut())
    }

    /// As [`JsonValue::text`].
    pub(super) fn text(&self, previous: Option<&AccessToken>) -> Result<String, ConfigError> {
        let mut writer = Writer::new(previous);
        writer.fields(self)?;
        Ok(writer.text)
    }
}

/// Writes JSON, and knows where in it it is.
struct Writer<'a> {
    text: String,
    place: Vec<Cow<'a, str>>,
    previous: Option<&'a AccessToken>,
}

impl<'a> Writer<'a> {
    fn new(previous: Option<&'a AccessToken>) -> Self {
        Self { text: String::new(), place: Vec::new(), previous }
    }

    fn write(&mut self, json: &'a JsonValue) -> Result<(), ConfigError> {
        match &json.0 {
            Kind::Null => self.text.push_str("null"),
            Kind::Number(number) if is_number(number) => self.text.push_str(number),
            Kind::Number(_) => {
                return Err(self.refuse("it is no number as json has it; one is 5, and one 1.50"));
            }
            Kind::Leaf(param) => self.text += &param.json(self.previous)?,
            Kind::Array(elements) => {
                self.open('[')?;
                for (index, element) in elements.iter().enumerate() {
                    self.step(index, index.to_string().into());
                    self.write(element)?;
                    self.place.pop();
                }
                self.text.push(']');
            }
            Kind::Object(object) => self.fields(object)?,
        }
        Ok(())
    }

    fn fields(&mut self, JsonObject(fields): &'a JsonObject) -> Result<(), ConfigError> {
        self.open('{')?;
        for (index, (name, value)) in fields.iter().enumerate() {
            self.step(index, Cow::Borrowed(name));
            if fields[..index].iter().any(|(known, _)| known == name) {
                return Err(self.refuse("it is there twice"));
            }
            self.text += &Value::from(&**name).to_string();
            self.text.push(':');
            self.write(value)?;
            self.place.pop();
        }
        self.text.push('}');
        Ok(())
    }

    fn open(&mut self, bracket: char) -> Result<(), ConfigError> {
        if self.place.len() >= JsonValue::MAX_DEPTH {
            return Err(self.refuse(format_args!("it is nested more than {} deep", JsonValue::MAX_DEPTH)));
        }
        self.text.push(bracket);
        Ok(())
    }

    /// Goes to the next element or field.
    fn step(&mut self, index: usize, name: Cow<'a, str>) {
        if index > 0 {
            self.text.push(',');
        }
        self.place.push(name);
    }

    /// By the JSON Pointer (RFC 6901) of what was to be written.
    fn refuse(&self, why: impl Display) -> ConfigError {
        let step = |name: &Cow<'_, str>| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        let place: String = self.place.iter().map(step).collect();
        let words = format!("a token request's json can't be sent, at {place:?}: {why}");
        ConfigError::new(ConfigErrorKind::Declaration, words)
    }
}

impl fmt::Debug for JsonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Null => f.write_str("null"),
            Kind::Number(number) => f.write_str(number),
            Kind::Leaf(param) => param.fmt(f),
            Kind::Array(elements) => elements.fmt(f),
            Kind::Object(object) => object.fmt(f),
        }
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name, value))).finish()
    }
}

impl From<JsonObject> for JsonValue {
    fn from(object: JsonObject) -> Self {
        Self(Kind::Object(object))
    }
}

impl From<Param> for JsonValue {
    fn from(param: Param) -> Self {
        Self(Kind::Leaf(param))
    }
}

impl From<&'static str> for JsonValue {
    fn from(text: &'static str) -> Self {
        Param::from(text).into()
    }
}

impl From<SecretString> for JsonValue {
    fn from(secret: SecretString) -> Self {
        Param::from(secret).into()
    }
}

impl From<SecretSource> for JsonValue {
    fn from(source: SecretSource) -> Self {
        Param::from(source).into()
    }
}

impl From<i64> for JsonValue {
    fn from(number: i64) -> Self {
        Param::from(number).into()
    }
}

impl From<bool> for JsonValue {
    fn from(flag: bool) -> Self {
        Param::from(flag).into()
    }
}

impl<T: Into<Self>> From<Vec<T>> for JsonValue {
    fn from(elements: Vec<T>) -> Self {
        Self::array(elements)
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for JsonValue {
    fn from(elements: [T; N]) -> Self {
        Self::array(elements)
    }
}

/// Its text may be shown in logs.
impl From<Value> for JsonValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Bool(flag) => flag.into(),
            Value::Number(number) => Self::from(number),
            Value::String(text) => Param::text(text).into(),
            Value::Array(elements) => Self::array(elements),
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
                JsonObject(fields.collect()).into()
            }
        }
    }
}

impl From<Number> for JsonValue {
    fn from(number: Number) -> Self {
        Self::number(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_rfc_8259() {
        for number in ["0", "-0", "7", "1.50", "1e5", "-1.5E+05", "0.001", "12345678901234567890123", "1e999"]
        {
            assert!(is_number(number), "{number}");
        }
        for no_number in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "1 ", "1,5", "1_000",
            "--1", "٣",
        ] {
            assert!(!is_number(no_number), "{no_number}");
        }
    }
}
