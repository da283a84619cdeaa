//! Requests over hyper on loopback, with and without the layer: time, and the client's own CPU time.
//!
//! The server is a process of its own, made by starting this program once more, so the client's CPU time is the client's
//! alone. Both have one thread.

mod support;

use std::{
    env,
    error::Error,
    fmt::Debug,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, SamplingMode};
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use support::{Counted, Work, floor, signatures, warmed};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::Instant,
};
use tower::{Layer, Service, ServiceExt};
use tower_reauth::{AuthLayer, Origin};

/// Says that this process is the server.
const SERVE: &str = "TOWER_REAUTH_BENCH_SERVE";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    if env::var_os(SERVE).is_some() {
        return runtime.block_on(serve());
    }
    let server = Server::start()?;
    let mut criterion = Criterion::default().configure_from_args();
    requests(&mut criterion, &runtime, server.address, "end to end", elapsed);
    if cpu_time().is_some() {
        requests(&mut criterion, &runtime, server.address, "end to end, CPU", cpu);
    }
    criterion.final_summary();
    Ok(())
}

/// What a run takes.
type Meter = fn(&dyn Fn()) -> Duration;

fn elapsed(run: &dyn Fn()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

fn cpu(run: &dyn Fn()) -> Duration {
    let before = cpu_time().expect("it could be read before");
    run();
    cpu_time().expect("it could be read before").saturating_sub(before)
}

/// The CPU time of this thread, on Linux.
fn cpu_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

fn requests(criterion: &mut Criterion, runtime: &Runtime, address: SocketAddr, group: &str, meter: Meter) {
    let work =
        Arc::new(Work::to(Uri::try_from(format!("http://{address}/v1/things?page=1")).expect("valid")));
    let mut group = criterion.benchmark_group(group);
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    for (version, http2) in [("HTTP/1.1", false), ("HTTP/2", true)] {
        // As the crate's own client does: a small request waits for no acknowledgement.
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build(connector);
        let credential = Counted::default();
        let origin = Origin::parse(&format!("http://{address}")).expect("an origin");
        let auth = AuthLayer::new(origin, credential.clone()).signatures(signatures());
        let auth = warmed(runtime, auth);
        for in_flight in [16, 64] {
            let id = |who| BenchmarkId::new(who, format!("{version}, {in_flight} in flight"));
            let mut add = |who, send: &dyn Fn(u64)| {
                group.bench_function(id(who), |b| {
                    b.iter_custom(|count| meter(&|| send(count)));
                });
            };
            let run = Run { runtime, work: &work, in_flight };
            add("no layer", &|count| run.send(&client, count));
            add("AddAuthorization", &|count| run.send(&floor(client.clone()), count));
            add("Auth", &|count| run.send(&auth.layer(client.clone()), count));
        }
        assert_eq!(credential.calls(), 1, "the token was cached");
    }
}

struct Run<'a> {
    runtime: &'a Runtime,
    work: &'a Arc<Work>,
    in_flight: usize,
}

impl Run<'_> {
    /// Sends `count` requests, so many of them at once.
    fn send<S, R>(&self, service: &S, count: u64)
    where
        S: Service<Request<Full<Bytes>>, Response = Response<R>, Future: Send, Error: Debug>
            + Clone
            + Send
            + 'static,
        R: Body<Data: Send, Error: Debug> + Send + 'static,
    {
        let left = Arc::new(AtomicU64::new(count));
        self.runtime.block_on(async {
            let mut callers = JoinSet::new();
            for _ in 0..self.in_flight {
                callers.spawn(caller(service.clone(), self.work.clone(), left.clone()));
            }
            while let Some(caller) = callers.join_next().await {
                caller.expect("no panic");
            }
        });
    }
}

async fn caller<S, R>(mut service: S, work: Arc<Work>, left: Arc<AtomicU64>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error: Debug>,
    R: Body<Error: Debug>,
{
    while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
        let service = service.ready().await.expect("ready");
        let response = service.call(work.request()).await.expect("an answer");
        assert!(response.status().is_success());
        response.into_body().collect().await.expect("all of the body");
    }
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env::current_exe()?)
            .env(SERVE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut address)?;
        Ok(Self { process, address: address.trim().parse()? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // There is nothing to do about one that has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers every request with 200 and a few bytes of JSON, once it has read it, until the process is ended.
#[allow(clippy::print_stdout, reason = "the other process reads it")]
async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        tokio::spawn(async move {
            let answer = async |request: Request<Incoming>| {
                request.into_body().collect().await?;
                let json = Full::<Bytes>::from(r#"{"id":"b7f5","name":"a thing"}"#);
                Ok::<_, hyper::Error>(Response::new(json))
            };
            let builder = auto::Builder::new(TokioExecutor::new());
            // How a connection ended is not this server's business.
            let _ = builder.serve_connection(TokioIo::new(tcp), service_fn(answer)).await;
        });
    }
}
