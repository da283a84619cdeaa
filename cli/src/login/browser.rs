//! A login in a browser on this machine: an authorization code with PKCE (RFC 8252, RFC 7636).

use std::time::Duration;

use secrecy::ExposeSecret;
use tower_reauth::{AccessToken, Client, Param, oauth2::ServerMetadata};

use super::{
    failure::Failure,
    listener::{Expected, Listener},
    opener::open,
    pkce::{challenge, random},
    redeem::{endpoint, redeem},
    url::{checked, with_params},
};
use crate::{message::tell, registration::Registration};

/// Has somebody log in. The address is printed in any case, and with `opens` a browser is told to show it.
pub(super) async fn by_browser(
    registration: &Registration,
    metadata: Option<&ServerMetadata>,
    client: &Client,
    opens: bool,
    limit: Duration,
) -> Result<AccessToken, Failure> {
    let login = &registration.login;
    let found = metadata.and_then(ServerMetadata::authorization_endpoint);
    let url = endpoint(login.authorization_url.as_deref(), found, "authorization-url")?;
    checked(&url, "authorization url")?;
    let listener = Listener::bind(login.port).await?;
    let redirect_uri = listener.redirect_uri();
    let (state, verifier) = (random()?, random()?);
    let challenge = challenge(&verifier);
    let own = [
        ("response_type", "code"),
        ("client_id", &registration.id),
        ("redirect_uri", &redirect_uri),
        ("state", state.expose_secret()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let scope = registration.scope.as_deref().map(|scope| ("scope", scope));
    let more = login.params.iter().map(|(name, value)| (&**name, &**value));
    let url = with_params(&url, own.into_iter().chain(scope).chain(more));
    if opens && open(&url) {
        tell(format_args!("reauth login: a browser opens; if it doesn't, go to\n{url}"));
    } else {
        tell(format_args!("reauth login: to log in, go to\n{url}"));
    }
    let expected = Expected {
        state,
        issuer: login.issuer.clone(),
        needs_issuer: metadata.is_some_and(ServerMetadata::says_issuer),
    };
    let code = listener.code(expected, limit).await?;
    let params = vec![
        ("code", Param::secret(code)),
        ("redirect_uri", Param::text(redirect_uri)),
        ("code_verifier", Param::secret(verifier)),
    ];
    redeem(registration, client, "authorization_code", params).await.map_err(Failure::Exchange)
}
