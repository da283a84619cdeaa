//! A tenant's credential, and the token endpoint's side of it: what it does is the tenant's nature.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::time::sleep;
use tower_reauth::{AccessToken, Acquire, AcquireError, Credential, Description, ErrorCode, Grants};

use super::{
    event::Event,
    world::{Nature, World},
};

/// A login by a refresh token that is good once.
pub(crate) struct Login {
    pub(crate) world: World,
    pub(crate) tenant: usize,
    /// What the program had when the tenant was built.
    pub(crate) initial: u64,
}

/// Somebody asks the token endpoint, until this is dropped.
struct Asking<'a>(&'a Login);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.world.with(|world| {
            let endpoint = world.tenants[self.0.tenant].endpoint;
            world.asking[endpoint] -= 1;
            world.tenants[self.0.tenant].asking -= 1;
        });
    }
}

impl Credential for Login {
    async fn acquire(&self, acquire: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let known = acquire.previous().and_then(AccessToken::refresh_token);
        let sent = known.map_or(self.initial, |token| token.expose_secret().parse().expect("a number"));
        let (nature, takes) = self.world.with(|world| world.asked(self.tenant, sent));
        let _asking = Asking(self);
        match nature {
            Nature::Hangs => {
                self.world.saw(Event::Hung);
                std::future::pending().await
            }
            Nature::IsDown => {
                sleep(Duration::from_millis(takes)).await;
                self.world.saw(Event::WasDown);
                Err(AcquireError::transient("down"))
            }
            Nature::IsDead => {
                sleep(Duration::from_millis(takes)).await;
                Err(AcquireError::rejected("dead").with_code(ErrorCode::InvalidGrant))
            }
            Nature::IsWell | Nature::BuildHangs | Nature::BuildFails | Nature::BuildPanics => {
                sleep(Duration::from_millis(takes)).await;
                let (access, refresh) = self.world.with(|world| world.spend(self.tenant, sent))?;
                let token = AccessToken::new(access)?.with_refresh_token(refresh);
                Ok(token.with_lifetime(Duration::from_secs(60)))
            }
        }
    }

    fn describe(&self) -> Description {
        let (grants, endpoint) = self.world.with(|world| {
            let tenant = &world.tenants[self.tenant];
            (if tenant.is_reusable { Grants::Reusable } else { Grants::SingleUse }, tenant.endpoint)
        });
        Description::new("login").grants(grants).endpoint(format!("endpoint {endpoint}"))
    }
}
