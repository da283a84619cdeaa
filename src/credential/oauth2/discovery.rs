//! Reads an authorization server's metadata (RFC 8414, OpenID Connect Discovery 1.0), and believes no more of it
//! than it may.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header::ACCEPT};
use serde_json::Value;

use super::endpoints::Endpoints;
use crate::{
    credential::endpoint::{checked_origin, retry_after::retry_after},
    error::AcquireError,
    transport::Transport,
};

/// Looks up the endpoints of `issuer`, which was checked when the credential was built.
///
/// Failures are transient: nothing was refused, and whoever deploys the server may mend it.
pub(super) async fn discover(issuer: &str, transport: &Transport) -> Result<Endpoints, AcquireError> {
    for url in metadata_urls(issuer) {
        if let Some(metadata) = fetch(&url, transport).await? {
            return read(issuer, &metadata);
        }
    }
    Err(failed("has no metadata (RFC 8414); check the issuer, or give the token endpoint"))
}

/// Where an issuer's metadata may be. RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID
/// Connect behind it.
fn metadata_urls(issuer: &str) -> [String; 2] {
    let issuer = issuer.trim_end_matches('/');
    let authority_at = issuer.find("://").map_or(0, |at| at + 3);
    let path_at = issuer[authority_at..].find('/').map_or(issuer.len(), |at| authority_at + at);
    let (origin, path) = issuer.split_at(path_at);
    [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{issuer}/.well-known/openid-configuration"),
    ]
}

/// The JSON object at `url`, or `None` if there is none.
async fn fetch(url: &str, transport: &Transport) -> Result<Option<Value>, AcquireError> {
    let uri: Uri =
        url.parse().map_err(|error| failed("has an issuer that makes no url").with_source(error))?;
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let response = transport.send(request).await?;
    match response.status() {
        StatusCode::OK => {
            // Where a page answers every path, it answers this one.
            let metadata: Option<Value> = serde_json::from_slice(response.body()).ok();
            Ok(metadata.filter(Value::is_object))
        }
        status if is_absent(status) => Ok(None),
        status => {
            let error = failed("did not answer with its metadata").with_status(status);
            Err(match retry_after(response.headers(), &[]) {
                Some(after) => error.with_retry_after(after),
                None => error,
            })
        }
    }
}

fn read(issuer: &str, metadata: &Value) -> Result<Endpoints, AcquireError> {
    let text = |name: &str| metadata.get(name).and_then(Value::as_str);
    // RFC 8414 §3.3: identical, or the metadata must not be used. What it names instead is not shown.
    if text("issuer") != Some(issuer) {
        return Err(failed(
            "has metadata of another issuer; configure the issuer exactly as the metadata has it",
        ));
    }
    let endpoint = |name: &str| match text(name) {
        Some(url) => checked_origin(url).map(|_| Some(url.to_owned())).map_err(|error| {
            failed("has metadata with an endpoint that secrets can't be sent to").with_source(error)
        }),
        None => Ok(None),
    };
    let token = endpoint("token_endpoint")?.ok_or_else(|| failed("has metadata without a token endpoint"))?;
    Ok(Endpoints { token, revocation: endpoint("revocation_endpoint")?, audience: issuer.to_owned() })
}

/// Whether there is nothing, by the status.
fn is_absent(status: StatusCode) -> bool {
    let passes =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    (status.is_redirection() || status.is_client_error()) && !passes
}

fn failed(why: &str) -> AcquireError {
    AcquireError::transient(format!("the authorization server {why}"))
}
