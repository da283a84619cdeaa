//! Listens, hands each request to the guard, to health or to the vendor, and ends when it is asked to.

use std::{
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use axum::{
    extract::{Request, State},
    handler::Handler,
    http::StatusCode,
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, time::timeout};
use tower_reauth::{RefreshPolicy, client::ClientBuilder};

use super::{args::Args, forward::Upstream, guard::Guard, headers, health::Health, signals::Signals};
use crate::{
    config::Whom, message::tell, mistake::Mistake, options::one_reader, settle::settle, vendor::Vendor,
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
    let (vendor, client) = runtime.block_on(async { configure(&args) })?;
    Ok(runtime.block_on(serve(args, vendor, client)).unwrap_or_else(fail))
}

/// Everything that can be known to be wrong before the first request comes.
fn configure(args: &Args) -> Result<(Vendor, ClientBuilder), Mistake> {
    args.check()?;
    let whom = Whom::new(&args.vendor, &args.store, &args.trust)?;
    one_reader(&whom.that_read_stdin())?;
    let client = whom.client()?;
    let vendor = whom.vendor(client.clone().build()?, RefreshPolicy::default())?;
    Ok((vendor, client))
}

/// What every request needs.
struct Proxy {
    guard: Guard,
    health: Health,
    upstream: Upstream,
}

async fn serve(args: Args, vendor: Vendor, client: ClientBuilder) -> io::Result<ExitCode> {
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("can't listen at {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let base_url = vendor.base_url();
    let upstream = Upstream::new(&args, vendor, client).map_err(io::Error::other)?;
    let tokens = upstream.tokens();
    let proxy = Proxy {
        guard: Guard::new(&args, address),
        health: Health::new(args.health_path.clone(), tokens.clone()),
        upstream,
    };
    let mut signals = Signals::new()?;
    announce(address, &base_url, &args.health_path);

    // Without it small answers wait for the client's delayed acknowledgement; failing that, they are only slow.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    // No router: paths are the vendor's, and nobody here looks into them.
    let service = answer.with_state(Arc::new(proxy)).into_make_service();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async { drop(stopped.await) });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => return ended?.map(|()| ExitCode::SUCCESS),
        () = signals.next() => drop(stop),
    }
    tell(format_args!("reauth proxy: ending; requests in flight have {:?}", args.grace));
    let ending = async {
        let ended = match timeout(args.grace, &mut server).await {
            Ok(ended) => ended?.map(|()| ExitCode::SUCCESS),
            Err(_) => {
                tell("reauth proxy: ended with requests in flight; see --grace");
                Ok(ExitCode::FAILURE)
            }
        };
        settle("proxy", &tokens).await;
        ended
    };
    tokio::select! {
        ended = ending => ended,
        () = signals.next() => {
            tell("reauth proxy: ended at once");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn answer(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    if let Err(problem) = proxy.guard.admit(&head) {
        return problem.answer();
    }
    if headers::stops_here(&head.method, &mut head.headers) {
        return StatusCode::NO_CONTENT.into_response();
    }
    if proxy.health.is_at(&head.uri) {
        return proxy.health.answer(&head.method);
    }
    match proxy.upstream.forward(Request::from_parts(head, body)).await {
        Ok(response) => response,
        Err(problem) => problem.answer(),
    }
}

/// The address goes to standard output, for other programs to read; everything else is for people.
fn announce(address: SocketAddr, base_url: &str, health_path: &str) {
    let _ = writeln!(io::stdout(), "http://{address}");
    tell(format_args!("reauth proxy: calls of http://{address} go to {base_url} with a token"));
    tell(format_args!("reauth proxy: {health_path} is answered here and never goes to the vendor"));
}
