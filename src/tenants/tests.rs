//! Tenants over an in-memory client, in paused time.

mod bounds;
mod building;
mod grants;
mod lately;
mod requests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::*;
use crate::{
    auth::{AuthLayer, Origin, Placement},
    error::{AcquireError, AuthError, AuthErrorKind, BoxError, ErrorCode},
    keep::Exempt,
    signature::{Rule, Signatures},
    token::{AccessToken, Acquire, Credential, Description, Grants},
    transport::Outward,
};

const SECOND: Duration = Duration::from_secs(1);

/// What has happened, by tenant.
#[derive(Clone, Default)]
struct World {
    built: Arc<Mutex<HashMap<String, u32>>>,
    asked: Arc<Mutex<HashMap<String, u32>>>,
    /// The authorizations that were sent.
    sent: Arc<Mutex<Vec<Option<String>>>>,
    dead: Arc<Mutex<Vec<String>>>,
}

/// A tenant's credential. What it does is in the id: `hangs`, `is down`, `is dead`, or else it brings a token.
struct Fake {
    id: String,
    world: World,
    grants: Grants,
}

impl Credential for Fake {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let count = count(&self.world.asked, &self.id);
        sleep(Duration::from_millis(10)).await;
        match &*self.id {
            id if id.contains("hangs") => std::future::pending().await,
            id if id.contains("down") => Err(AcquireError::transient("down")),
            id if id.contains("dead") => {
                Err(AcquireError::rejected("dead").with_code(ErrorCode::InvalidGrant))
            }
            id => {
                let token = AccessToken::new(format!("{id}-{count}"))?.with_lifetime(3600 * SECOND);
                Ok(if self.grants == Grants::SingleUse {
                    token.with_refresh_token(format!("r-{id}-{count}"))
                } else {
                    token
                })
            }
        }
    }

    fn describe(&self) -> Description {
        let endpoint = self.id.split('.').nth(1).unwrap_or("a").to_owned();
        Description::new("fake").grants(self.grants).endpoint(endpoint)
    }
}

impl World {
    /// Tenants by whatever id, but for those that are `unknown`, or whose building `panics` or `sticks`. Ids are hosts.
    fn tenants(&self, grants: Grants) -> TenantsBuilder<String> {
        let (world, told) = (self.clone(), self.clone());
        Tenants::builder(move |id: String| {
            let world = world.clone();
            count(&world.built, &id);
            async move {
                sleep(Duration::from_millis(10)).await;
                match &*id {
                    id if id.contains("unknown") => return Err("no such customer".into()),
                    id if id.contains("panics") => panic!("a bug"),
                    id if id.contains("sticks") => std::future::pending().await,
                    _ => {}
                }
                let origin = Origin::parse(&format!("https://{id}.test"))?;
                Ok(Tenant::new(Fake { id, world, grants }).origin(origin))
            }
        })
        .on_dead_grant(move |id, _| told.dead.lock().unwrap().push(id.clone()))
    }

    /// Sends a request for `id` to its own host. The server rejects tokens that end with `-1` of ids that are `stale`.
    async fn call(&self, tenants: &Tenants<String>, id: &str) -> Result<StatusCode, AuthErrorKind> {
        self.send(tenants, get(id).extension(id.to_owned())).await
    }

    async fn send(
        &self,
        tenants: &Tenants<String>,
        request: http::request::Builder,
    ) -> Result<StatusCode, AuthErrorKind> {
        let sent = self.sent.clone();
        let client = service_fn(move |request: Request<Full<Bytes>>| {
            let value =
                request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
            let is_stale =
                value.as_ref().is_some_and(|value| value.contains("stale") && value.ends_with("-1"));
            sent.lock().unwrap().push(value);
            let is_admitted = request.extensions().get::<Exempt>().is_none();
            assert_eq!(request.extensions().get::<Outward>().is_some(), is_admitted, "each is marked");
            let status = if is_stale { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
            let response = Response::builder().status(status).body(Full::<Bytes>::default()).unwrap();
            std::future::ready(Ok::<_, BoxError>(response))
        });
        let signatures = Signatures::new().rule(Rule::expired().status(StatusCode::UNAUTHORIZED));
        let layer = AuthLayer::tenants(tenants.clone()).signatures(signatures);
        let mut service = layer.layer(client);
        let request = request.body(Full::default()).unwrap();
        let answer = service.ready().await.unwrap().call(request).await;
        answer.map(|response| response.status()).map_err(|error| AuthError::find(&*error).unwrap().kind())
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|value| value.clone().unwrap_or_default().replace("Bearer ", "")).collect()
    }
}

fn get(host: &str) -> http::request::Builder {
    Request::get(format!("https://{host}.test/things"))
}

fn count(counts: &Mutex<HashMap<String, u32>>, id: &str) -> u32 {
    let mut counts = counts.lock().unwrap();
    let count = counts.entry(id.to_owned()).or_default();
    *count += 1;
    *count
}

fn of(counts: &Mutex<HashMap<String, u32>>, id: &str) -> u32 {
    counts.lock().unwrap().get(id).copied().unwrap_or_default()
}
