//! A login on another device, by a code that is entered there (RFC 8628).

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tower_reauth::{
    AccessToken, AcquireError, AcquireErrorKind, Client, ErrorCode, Param,
    oauth2::{AuthorizationServer, DeviceAuthorization, DeviceCode, ServerMetadata},
};

use super::{
    failure::{Failure, tame},
    redeem::{endpoint, in_time, redeem},
    url::checked,
};
use crate::{message::tell, registration::Registration};

/// How much longer to wait after `slow_down` (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The longest wait between two requests, however often nothing came of them.
const SLOWEST: Duration = Duration::from_secs(60);

/// Has somebody log in, and waits until they have.
pub(super) async fn by_device(
    registration: &Registration,
    metadata: Option<&ServerMetadata>,
    client: &Client,
    limit: Duration,
) -> Result<AccessToken, Failure> {
    let code = begin(registration, metadata, client).await?;
    let until = Instant::now() + code.lifetime().map_or(limit, |lifetime| lifetime.min(limit));
    let mut interval = code.interval().clamp(Duration::from_secs(1), SLOWEST);
    // Whoever has logged in by then has done so in vain, if the server doesn't work.
    let mut broken = None;
    loop {
        let next = Instant::now() + interval;
        if next >= until {
            sleep_until(until).await;
            return Err(broken.map_or(Failure::TimedOut, Failure::Exchange));
        }
        sleep(interval).await;
        let param = ("device_code", Param::secret(code.device_code().clone()));
        let error = match redeem(registration, client, DeviceCode::GRANT_TYPE, vec![param]).await {
            Ok(token) => return Ok(token),
            Err(error) => error,
        };
        if error.code().is_some() {
            broken = None;
        }
        interval = match error.code() {
            Some(ErrorCode::AuthorizationPending) => interval,
            Some(ErrorCode::SlowDown) => interval + SLOWER,
            Some(ErrorCode::ExpiredToken) => return Err(Failure::TimedOut),
            Some(ErrorCode::AccessDenied) => {
                return Err(Failure::Refused("somebody said no at the other device".to_owned()));
            }
            // No answer, or one that makes no sense: less often (RFC 8628 §3.5).
            _ if may_pass(&error) => {
                broken = Some(error);
                (interval * 2).min(SLOWEST)
            }
            _ => return Err(Failure::Exchange(error)),
        };
    }
}

async fn begin(
    registration: &Registration,
    metadata: Option<&ServerMetadata>,
    client: &Client,
) -> Result<DeviceCode, Failure> {
    let login = &registration.login;
    let found = metadata.and_then(ServerMetadata::device_authorization_endpoint);
    let url = endpoint(login.device_url.as_deref(), found, "device-url")?;
    // An assertion is made out to the server, and not to one of its endpoints.
    let audience = login.issuer.as_ref().or(registration.token_url.as_ref());
    let server = AuthorizationServer::new(url);
    let server = match audience {
        Some(audience) => server.issuer(audience.clone()),
        None => server,
    };
    let server = if registration.is_plain { server.allow_plaintext_secrets() } else { server };
    let request = DeviceAuthorization::new(server, registration.authentication.clone().with_id_in_body());
    let request = match &registration.scope {
        Some(scope) => request.scope(scope.clone()),
        None => request,
    };
    let params = login.params.iter().cloned();
    let request = params.fold(request, |request, (name, value)| request.param(name, Param::text(value)));
    let code = in_time(registration, request.request(client.clone())).await.map_err(Failure::Exchange)?;
    checked(code.verification_uri(), "verification url")?;
    let (url, user_code) = (code.verification_uri(), tame(code.user_code()));
    tell(format_args!("reauth login: on any device, go to\n{url}\nand enter the code\n{user_code}"));
    if let Some(whole) = code.verification_uri_complete() {
        checked(whole, "verification url")?;
        tell(format_args!("or go to\n{whole}"));
    }
    Ok(code)
}

fn may_pass(error: &AcquireError) -> bool {
    matches!(
        error.kind(),
        AcquireErrorKind::Transient
            | AcquireErrorKind::NoSecret
            | AcquireErrorKind::TimedOut
            | AcquireErrorKind::Unintelligible
    )
}
