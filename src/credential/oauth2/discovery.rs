//! Reads an authorization server's metadata (RFC 8414, OpenID Connect Discovery 1.0), and believes no more of it
//! than it may.

use super::endpoints::{Aliases, Endpoints};
use crate::{
    auth::Plaintext,
    credential::endpoint::{checked_origin, retry_after::retry_after},
    error::{AcquireError, AcquireErrorKind},
    text::{Document, Node, Scalar, decode},
    transport::Transport,
};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header::ACCEPT};

/// Looks up the endpoints of `issuer`, which was checked when the credential was built.
///
/// No failure refuses the credentials. That there is no metadata, or that it can't be used, is about the server, which
/// whoever deploys it may mend at any time.
pub(super) async fn discover(
    issuer: &str,
    plaintext: Plaintext,
    transport: &Transport,
) -> Result<Endpoints, AcquireError> {
    let urls = metadata_urls(issuer);
    for url in &urls {
        if let Some(endpoints) = fetch(issuer, url, plaintext, transport).await? {
            return Ok(endpoints);
        }
    }
    let [first, second] = urls;
    let words = format!(
        "the authorization server has no metadata (RFC 8414) at {first} and {second}; check the issuer, or give the \
         token endpoint"
    );
    Err(AcquireError::new(AcquireErrorKind::Missing, words))
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

/// What the JSON object at `url` says, or `None` if there is none.
async fn fetch(
    issuer: &str,
    url: &str,
    plaintext: Plaintext,
    transport: &Transport,
) -> Result<Option<Endpoints>, AcquireError> {
    let uri: Uri =
        url.parse().map_err(|error| failed("has an issuer that makes no url").with_source(error))?;
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let response = transport.send(request).await?;
    match response.status() {
        StatusCode::OK => {
            // Where a page answers every path, it answers this one.
            let metadata = Document::parse(decode(response.body(), response.headers()));
            metadata
                .filter(|metadata| metadata.root().is_object())
                .map(|metadata| read(issuer, plaintext, metadata.root()))
                .transpose()
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

fn read(issuer: &str, plaintext: Plaintext, metadata: Node<'_>) -> Result<Endpoints, AcquireError> {
    let text = |name: &str| metadata.member(name).and_then(Node::text);
    // RFC 8414 §3.3: identical, or the metadata must not be used. What it names instead is not shown.
    if text("issuer").as_deref() != Some(issuer) {
        return Err(unusable(
            "has metadata of another issuer; configure the issuer exactly as the metadata has it",
        ));
    }
    let endpoint = |name: &str| match text(name) {
        Some(url) => checked_origin(&url, plaintext).map(|_| Some(url.into_owned())).map_err(|error| {
            unusable("has metadata with an endpoint that secrets can't be sent to").with_source(error)
        }),
        None => Ok(None),
    };
    let token =
        endpoint("token_endpoint")?.ok_or_else(|| unusable("has metadata without a token endpoint"))?;
    let aliases = metadata.member("mtls_endpoint_aliases");
    // Looked at only if they are used.
    let alias = |name: &str| Some(aliases?.member(name)?.text()?.into_owned());
    let aliases = Aliases { token: alias("token_endpoint"), revocation: alias("revocation_endpoint") };
    Ok(Endpoints {
        token,
        revocation: endpoint("revocation_endpoint")?,
        authorization: text("authorization_endpoint").map(Into::into),
        device_authorization: text("device_authorization_endpoint").map(Into::into),
        says_issuer: metadata
            .member("authorization_response_iss_parameter_supported")
            .is_some_and(|says| says.scalar() == Some(Scalar::Bool(true))),
        audience: issuer.to_owned(),
        aliases,
    })
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

/// There is metadata, and it is no good.
fn unusable(why: &str) -> AcquireError {
    AcquireError::new(AcquireErrorKind::Unintelligible, format!("the authorization server {why}"))
}
