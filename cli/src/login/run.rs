//! From a command line to a login that is remembered.

use std::{process::ExitCode, time::Duration};

use tower_reauth::{AccessToken, Client, RefreshPolicy, oauth2::AuthorizationServer};

use super::{args::LoginArgs, browser::by_browser, device::by_device, failure::Failure, redeem::in_time};
use crate::{
    config::Whom,
    message::tell,
    mistake::Mistake,
    options::{StoreOptions, Way, one_reader},
    registration::Registration,
};

/// Has somebody log in, and says how the program is to end.
pub(crate) fn login(args: &LoginArgs) -> Result<ExitCode, Mistake> {
    let whom = Whom::named(&args.name, args.file.as_deref(), &StoreOptions::none(), &args.trust)?;
    let registration = whom.registration()?.ok_or_else(|| {
        let name = &args.name;
        Mistake::new(format!("nobody logs in for {name}; it needs a table [credentials.{name}.login]"))
    })?;
    one_reader(&whom.that_read_stdin())?;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("reauth login: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let (vendor, client) = runtime.block_on(async {
        let client = whom.client()?.build()?;
        Ok::<_, Mistake>((whom.vendor(client.clone(), RefreshPolicy::default())?, client))
    })?;
    let done = runtime.block_on(async {
        // Nobody logs in for what can't be remembered.
        vendor.layer.tokens().stored().await.map_err(Failure::Store)?;
        let token = obtain(args, &registration, &client).await?;
        let has_refresh_token = token.refresh_token().is_some();
        let left = token.lifetime();
        vendor.layer.tokens().put(token).await.map_err(Failure::Store)?;
        Ok::<_, Failure>((has_refresh_token, left))
    });
    Ok(match done {
        Ok((has_refresh_token, left)) => {
            tell(format_args!("reauth login: you are logged in as {}", args.name));
            if !has_refresh_token {
                let until = left.map(|left| format!(" in {} s", left.as_secs())).unwrap_or_default();
                tell(format_args!(
                    "reauth login: no refresh token came, so that it ends{until}; many servers want the scope offline_access"
                ));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            tell(format_args!("reauth login: {failure}"));
            failure.status()
        }
    })
}

async fn obtain(
    args: &LoginArgs,
    registration: &Registration,
    client: &Client,
) -> Result<AccessToken, Failure> {
    let way = args.by.unwrap_or(registration.login.by);
    let metadata = match &registration.login.issuer {
        Some(issuer) => {
            let server = AuthorizationServer::discover(issuer.clone());
            let server = if registration.is_plain { server.allow_plaintext_secrets() } else { server };
            match in_time(registration, server.metadata(client.clone())).await {
                Ok(metadata) => Some(metadata),
                // There is none where all that is needed is given.
                Err(_) if is_given(registration, way) => None,
                Err(error) => return Err(Failure::Metadata(issuer.clone(), error)),
            }
        }
        None => None,
    };
    let limit: Duration = args.timeout;
    match way {
        Way::Browser => by_browser(registration, metadata.as_ref(), client, !args.no_browser, limit).await,
        Way::Device => by_device(registration, metadata.as_ref(), client, limit).await,
    }
}

/// Whether nothing has to be looked up.
fn is_given(registration: &Registration, way: Way) -> bool {
    let login = &registration.login;
    let begin = match way {
        Way::Browser => &login.authorization_url,
        Way::Device => &login.device_url,
    };
    registration.token_url.is_some() && begin.is_some()
}
