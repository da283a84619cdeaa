//! A local reverse proxy that puts a vendor's token on requests, so that any program can call the vendor without
//! knowing of tokens.
//!
//! ```text
//! cargo run --manifest-path cli/Cargo.toml --bin proxy -- --vendor api-video --sandbox --key env:API_VIDEO_KEY
//! curl http://127.0.0.1:8080/videos
//! cargo run --manifest-path cli/Cargo.toml --bin proxy -- --help
//! ```
//!
//! A request goes through [`guard`], which says whether it may be made at all, then [`headers`], which takes out what
//! is not for the vendor, then [`forward`], which sends it.

mod args;
mod forward;
mod guard;
mod headers;
mod health;
mod problem;
mod signals;
#[path = "../support/mod.rs"]
mod support;

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
use clap::{CommandFactory, Parser};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use self::{
    args::Args,
    forward::Upstream,
    guard::Guard,
    health::Health,
    signals::Signals,
    support::{Mistake, Vendor, one_reader, tell},
};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let vendor = configure(&args).unwrap_or_else(|mistake| mistake.exit(Args::command()));
    match serve(args, vendor).await {
        Ok(code) => code,
        Err(error) => {
            tell(format_args!("proxy: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Everything that can be known to be wrong before the first request comes.
fn configure(args: &Args) -> Result<Vendor, Mistake> {
    args.check()?;
    one_reader(&args.vendor.that_read_stdin())?;
    Vendor::new(args.vendor.clone(), args.trust.client().build()?)
}

/// What every request needs.
struct Proxy {
    guard: Guard,
    health: Health,
    upstream: Upstream,
}

async fn serve(args: Args, vendor: Vendor) -> io::Result<ExitCode> {
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("can't listen at {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let base_url = vendor.base_url();
    let upstream = Upstream::new(&args, vendor).map_err(io::Error::other)?;
    let proxy = Proxy {
        guard: Guard::new(&args, address),
        health: Health::new(args.health_path.clone(), upstream.tokens()),
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
    tell(format_args!("proxy: ending; requests in flight have {:?}", args.grace));
    tokio::select! {
        ended = timeout(args.grace, &mut server) => match ended {
            Ok(ended) => ended?.map(|()| ExitCode::SUCCESS),
            Err(_) => {
                tell("proxy: ended with requests in flight; see --grace");
                Ok(ExitCode::FAILURE)
            }
        },
        () = signals.next() => {
            tell("proxy: ended at once");
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
    tell(format_args!("proxy: calls of http://{address} go to {base_url} with a token"));
    tell(format_args!("proxy: {health_path} is answered here and never goes to the vendor"));
}
