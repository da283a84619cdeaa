//! [`Keys`]: who may use the proxy, by a key that the client shows. Knows digests of keys, and no key.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::PROXY_AUTHORIZATION};
use ring::digest::{SHA256, digest};
use subtle::{Choice, ConstantTimeEq};

use super::problem::Problem;
use crate::{mistake::Mistake, options::Secret};

/// The shortest key that takes longer to guess than anybody has, if it was made by chance.
const SHORTEST: usize = 16;

/// The keys of the clients. With none, whoever can connect may use the proxy.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    digests: Vec<[u8; 32]>,
}

impl Keys {
    /// Reads the keys, as they are now. `option` names them in errors.
    pub(crate) fn read(keys: &[Secret], option: &str) -> Result<Self, Mistake> {
        let digests = keys.iter().map(|key| {
            let key = key.read(option)?;
            match key.len() >= SHORTEST && key.bytes().all(|byte| byte.is_ascii_graphic()) {
                true => Ok(digest_of(key.as_bytes())),
                false => Err(Mistake::new(format!(
                    "{option}: a key has {SHORTEST} characters or more, of ASCII and without spaces, such as openssl rand \
                     -hex 32 makes"
                ))),
            }
        });
        Ok(Self { digests: digests.collect::<Result<_, _>>()? })
    }

    /// These and others.
    pub(crate) fn and(mut self, others: Self) -> Self {
        self.digests.extend(others.digests);
        self
    }

    /// Lets those pass who show one of the keys.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.digests.is_empty() {
            return Ok(());
        }
        let mut shown = headers.get_all(PROXY_AUTHORIZATION).iter();
        match (shown.next(), shown.next()) {
            (None, _) => {
                Err(Problem::unauthorized("this proxy wants a key of its clients, in Proxy-Authorization"))
            }
            (Some(shown), None) if key(shown).is_some_and(|key| self.knows(&key)) => Ok(()),
            _ => Err(Problem::unauthorized(
                "that is none of the keys of this proxy; show one as Bearer, or as the password of Basic",
            )),
        }
    }

    /// Takes as long whichever it is, and if it is none: of digests, since of keys the length would show.
    fn knows(&self, key: &[u8]) -> bool {
        let shown = digest_of(key);
        let none = Choice::from(0);
        self.digests.iter().fold(none, |known, digest| known | digest.ct_eq(&shown)).into()
    }
}

/// Without what could be compared.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.digests.len()).finish()
    }
}

/// The key that is shown: the token of `Bearer` (RFC 6750 §2.1), or the password of `Basic` (RFC 7617 §2), whoever the user is.
fn key(value: &HeaderValue) -> Option<Vec<u8>> {
    let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
    let credentials = credentials.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.into());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut pair = BASE64_STANDARD.decode(credentials).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair.split_off(colon + 1))
}

fn digest_of(key: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, key).as_ref());
    bytes
}
