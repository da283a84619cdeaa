//! kube-client's auth layer, with a token from a file, which it reads again after 50 s.

use std::{convert::Infallible, env, fs, process};

use kube_client::{Config, client::ConfigExt};
use tower::{BoxError, Layer, ServiceExt};

use crate::{
    Peers,
    baseline::{Checked, through},
    support::{Inner, TOKEN, Work},
    timing::Posted,
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), BoxError> {
    let path = env::temp_dir().join(format!("tower-reauth-bench-token-{}", process::id()));
    fs::write(&path, TOKEN)?;
    let mut config = Config::new("https://api.example.com".parse()?);
    config.auth_info.token_file = path.to_str().map(Into::into);
    let layer = config.auth_layer()?.ok_or("a token file makes a layer")?;
    // An inner service fails with a boxed error there.
    let error: fn(Infallible) -> BoxError = |never| match never {};
    through(&mut layer.layer(ServiceExt::<Posted>::map_err(Checked, error)), Work::new().request());
    let service = layer.layer(ServiceExt::<Posted>::map_err(Inner, error));
    peers.add("kube-client auth layer (no replay, no refresh on a 401)", service, through);
    fs::remove_file(path)?;
    Ok(())
}
