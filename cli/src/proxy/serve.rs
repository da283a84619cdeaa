//! Listens, and ends when it is asked to.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    thread::available_parallelism,
};

use futures_util::future::join_all;
use tokio::{
    runtime::{Builder, Runtime},
    task::spawn_blocking,
    time::timeout,
};

use super::{
    args::Args,
    current::Current,
    front::{Ending, Listener, Places, accept, make_room},
    setup::Setup,
    signals::{Signal, Signals},
    site::Site,
    table::{Credentials, Entry, Route},
    upgrade::Upgrades,
};
use crate::{message::tell, mistake::Mistake, settle::settle};

/// How many tasks run before the kernel is asked again what has come. A request is four of them, of some microseconds each: with
/// Tokio's 61 it is asked in the midst of what a few hundred clients have sent, for 5 % of the processor time.
const TASKS: u32 = 255;

/// Serves until it is asked to end, and says how the program is to end.
pub(crate) fn run(args: Args) -> Result<ExitCode, Mistake> {
    let fail = |error| {
        tell(format_args!("reauth proxy: {error}"));
        ExitCode::FAILURE
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return Ok(fail(error)),
    };
    let ending = Arc::new(Ending::new(args.grace));
    let (most, idle) = (args.limits.max_upgrades as usize, args.limits.upgrade_timeout);
    let upgrades = Upgrades::new(args.protocols(), most, idle, Arc::clone(&ending));
    let places = Places::new(args.limits.max_connections);
    let setup = Arc::new(Setup::new(args, places.clone(), Arc::new(upgrades))?);
    let (site, credentials) = runtime.block_on(async { setup.site(&Credentials::default()) })?;
    Ok(runtime.block_on(serve(setup, site, credentials, places, &ending)).unwrap_or_else(fail))
}

/// With one core there is one thread for all, since nothing is gained by handing tasks to another.
fn runtime() -> io::Result<Runtime> {
    let mut builder = match available_parallelism() {
        Ok(cores) if cores.get() == 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().event_interval(TASKS).build()
}

async fn serve(
    setup: Arc<Setup>,
    site: Site,
    mut credentials: Credentials,
    places: Places,
    ending: &Ending,
) -> io::Result<ExitCode> {
    let args = &setup.args;
    make_room(&args.limits);
    let mut listeners = Vec::new();
    for address in &args.listen {
        listeners.push(Listener::bind(address).await?);
    }
    let mut signals = Signals::new()?;
    announce(&listeners, &site, &args.health_path);

    let current = Arc::new(Current::new(site));
    for listener in listeners {
        let (limits, places) = (args.limits.clone(), places.clone());
        tokio::spawn(accept(listener, limits, places, ending.listener(), Arc::clone(&current)));
    }
    while signals.next().await == Signal::Reload {
        let (setup, current, before) = (Arc::clone(&setup), Arc::clone(&current), credentials.clone());
        // Not on a thread that requests need: it reads files, and all certificates that are trusted.
        if let Ok(Some(later)) = spawn_blocking(move || reload(&setup, &current, &before)).await {
            credentials = later;
        }
    }
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
        let tokens: Vec<_> = credentials.all().map(|known| known.vendor.layer.tokens()).collect();
        join_all(tokens.iter().map(|tokens| settle("proxy", tokens))).await;
        ended
    };
    tokio::select! {
        ended = ended => Ok(ended),
        () = signals.end() => {
            tell("reauth proxy: ended at once");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Takes the configuration as it is now, if it can work, and else stays with the one that it has. Requests that have begun end
/// with the old one; credentials that are the same keep their tokens.
fn reload(setup: &Setup, current: &Current, before: &Credentials) -> Option<Credentials> {
    let (site, later) = match setup.site(before) {
        Ok(made) => made,
        Err(mistake) => {
            setup.metrics.reloaded(false);
            tell(format_args!(
                "reauth proxy: the new configuration is not taken, the old one stays: {mistake}"
            ));
            return None;
        }
    };
    current.replace(site);
    setup.metrics.reloaded(true);
    for known in before.without(&later) {
        let tokens = known.vendor.layer.tokens();
        // Such as a refresh token that is being rotated.
        tokio::spawn(async move { settle("proxy", &tokens).await });
    }
    tell("reauth proxy: the configuration was read again");
    Some(later)
}

/// The addresses go to standard output, for other programs to read; everything else is for people.
fn announce(listeners: &[Listener], site: &Site, health_path: &str) {
    let is_one = matches!(site.table.entries(), [entry] if entry.route == Route::default());
    for address in listeners.iter().map(Listener::address) {
        let _ = writeln!(io::stdout(), "{address}");
        for Entry { route, upstream, .. } in site.table.entries() {
            let which = if is_one { String::new() } else { format!(", {route},") };
            let base_url = upstream.base_url();
            tell(format_args!("reauth proxy: calls of {address}{which} go to {base_url} with a token"));
        }
    }
    tell(format_args!("reauth proxy: {health_path} is answered here and never goes to the vendor"));
}
