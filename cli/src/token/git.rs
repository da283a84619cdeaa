//! The helper of git: gitcredentials(7), and for the format git-credential(1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    helper::{Reply, Senseless},
    issued::Issued,
    own::is_own,
};
use crate::vendor::Vendor;

/// For whom git wants a password, which is a user's name if it knows that.
pub(super) fn asked(input: &str, vendor: &Vendor) -> Result<Reply<Option<String>>, Senseless> {
    if input.contains(['\r', '\0']) {
        return Err(Senseless("what git asks has a carriage return or a NUL in it"));
    }
    let (mut protocol, mut host, mut path, mut username) = (None, None, None, None);
    for line in input.lines().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').ok_or(Senseless("what git asks has a line without ="))?;
        let place = match name {
            "protocol" => &mut protocol,
            "host" => &mut host,
            "path" => &mut path,
            "username" => &mut username,
            // There may be more in later releases.
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(Senseless("what git asks says something twice"));
        }
    }
    let path = path.map(|path| utf8_percent_encode(path, ENCODED).to_string());
    let is_ours = protocol == Some("https") && host.is_some_and(|host| is_own(vendor, host, path.as_deref()));
    let username = username.filter(|name| !name.is_empty()).map(str::to_owned);
    Ok(if is_ours { Reply::Asked(username) } else { Reply::Nothing })
}

/// What a path can't have as it is (RFC 3986 §3.3). Git says one without percent-encoding, so that nothing in it is what it would be
/// in a URL.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What git reads.
pub(super) fn answer(username: &str, issued: &Issued) -> String {
    let mut answer = format!("username={username}\npassword={}\n", issued.token());
    if let Some(at) = issued.expires_at() {
        // Git 2.40 and later keep it until then, if they keep it at all.
        answer.push_str(&format!("password_expiry_utc={at}\n"));
    }
    answer
}
