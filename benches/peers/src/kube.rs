//! kube-client's auth layer, with a token from a file, which it reads again after 50 s.

use std::{env, error::Error, fs, process};

use kube_client::{Config, client::ConfigExt};
use tower::Layer;

use crate::{
    Peers,
    support::{Inner, TOKEN, Work},
    tower::{Checked, through},
};

pub(crate) fn add(peers: &mut Peers<'_, '_>) -> Result<(), Box<dyn Error>> {
    let path = env::temp_dir().join(format!("tower-reauth-bench-token-{}", process::id()));
    fs::write(&path, TOKEN)?;
    let mut config = Config::new("https://api.example.com".parse()?);
    config.auth_info.token_file = path.to_str().map(Into::into);
    let layer = config.auth_layer()?.ok_or("a token file makes a layer")?;
    through(&mut layer.layer(Checked), Work::new().request());
    peers.add("kube-client auth layer (no replay, no refresh on a 401)", layer.layer(Inner), through);
    fs::remove_file(path)?;
    Ok(())
}
