//! Listens, and ends when it is asked to.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use tokio::{runtime::Runtime, sync::Semaphore, time::timeout};
use tower_reauth::{RefreshPolicy, client::ClientBuilder};

use super::{
    args::Args,
    forward::Upstream,
    front::{Ending, Listener, accept, make_room},
    guard::Guard,
    health::Health,
    keys::Keys,
    signals::Signals,
    site::Site,
    upgrade::Upgrades,
};
use crate::{
    config::Whom,
    message::tell,
    mistake::Mistake,
    options::{Secret, one_reader},
    settle::settle,
    vendor::Vendor,
};

/// Serves until it is asked to end, and says how the program is to end.
pub(crate) fn run(args: Args) -> Result<ExitCode, Mistake> {
    let fail = |error| {
        tell(format_args!("reauth proxy: {error}"));
        ExitCode::FAILURE
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(fail(error)),
    };
    let (keys, vendor, client) = runtime.block_on(async { configure(&args) })?;
    Ok(runtime.block_on(serve(args, keys, vendor, client)).unwrap_or_else(fail))
}

/// Everything that can be known to be wrong before the first request comes.
fn configure(args: &Args) -> Result<(Keys, Vendor, ClientBuilder), Mistake> {
    args.check()?;
    let whom = Whom::new(&args.vendor, &args.store, &args.trust)?;
    let mut readers = whom.that_read_stdin();
    readers.extend(args.allow_key.iter().filter(|key| **key == Secret::Stdin).map(|_| "--allow-key"));
    one_reader(&readers)?;
    let client = whom.client()?;
    let vendor = whom.vendor(client.clone().build()?, RefreshPolicy::default())?;
    Ok((Keys::read(&args.allow_key, "--allow-key")?, vendor, client))
}

async fn serve(args: Args, keys: Keys, vendor: Vendor, client: ClientBuilder) -> io::Result<ExitCode> {
    make_room(&args.limits);
    let mut listeners = Vec::new();
    for address in &args.listen {
        listeners.push(Listener::bind(address).await?);
    }
    let base_url = vendor.base_url();
    let upstream = Upstream::new(&args, vendor, client).map_err(io::Error::other)?;
    let tokens = upstream.tokens();
    let health = Health::new(args.health_path.clone(), tokens.clone());
    let ending = Arc::new(Ending::new(args.grace));
    let (most, idle) = (args.limits.max_upgrades as usize, args.limits.upgrade_timeout);
    let upgrades = Upgrades::new(args.protocols(), most, idle, Arc::clone(&ending));
    let site = Arc::new(Site { guard: Guard::new(&args), keys, health, upgrades, upstream });
    let mut signals = Signals::new()?;
    announce(&listeners, &base_url, &args.health_path);

    let places = Arc::new(Semaphore::new(args.limits.max_connections as usize));
    for listener in listeners {
        let (limits, places) = (args.limits.clone(), Arc::clone(&places));
        tokio::spawn(accept(listener, limits, places, ending.listener(), Arc::clone(&site)));
    }
    signals.next().await;
    tell(format_args!("reauth proxy: ending; requests in flight have {:?}", args.grace));
    ending.begin();
    let ended = async {
        let ended = match timeout(args.grace, ending.over()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => {
                tell("reauth proxy: ended with requests in flight; see --grace");
                ExitCode::FAILURE
            }
        };
        settle("proxy", &tokens).await;
        ended
    };
    tokio::select! {
        ended = ended => Ok(ended),
        () = signals.next() => {
            tell("reauth proxy: ended at once");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The addresses go to standard output, for other programs to read; everything else is for people.
fn announce(listeners: &[Listener], base_url: &str, health_path: &str) {
    for address in listeners.iter().map(Listener::address) {
        let _ = writeln!(io::stdout(), "{address}");
        tell(format_args!("reauth proxy: calls of {address} go to {base_url} with a token"));
    }
    tell(format_args!("reauth proxy: {health_path} is answered here and never goes to the vendor"));
}
