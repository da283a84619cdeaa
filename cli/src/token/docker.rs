//! The helper of Docker, by the protocol of docker-credential-helpers.

use serde_json::json;

use super::{
    helper::{Reply, Senseless},
    issued::Issued,
    own::{Bare, is_own_url},
};
use crate::vendor::Vendor;

/// By these words on standard output Docker knows that there is nothing, and asks without a password.
pub(super) const NOTHING: &str = "credentials not found in native keychain";

/// What Docker asks a helper for that has all of its passwords (`credsStore`). To it an empty answer is an error.
pub(super) const LIST: &str = "list";

/// The server that Docker wants a password for.
pub(super) fn asked(input: &str, vendor: &Vendor) -> Result<Reply<String>, Senseless> {
    let url = input.strip_suffix('\n').map_or(input, |line| line.strip_suffix('\r').unwrap_or(line));
    if url.chars().any(char::is_control) {
        return Err(Senseless("the server's URL has a line break or another control character in it"));
    }
    Ok(if is_own_url(vendor, url, Bare::IsHttps) { Reply::Asked(url.to_owned()) } else { Reply::Nothing })
}

/// What Docker reads.
pub(super) fn answer(url: &str, username: &str, issued: &Issued) -> String {
    format!("{}\n", json!({ "ServerURL": url, "Username": username, "Secret": issued.token() }))
}
