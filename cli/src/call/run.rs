//! From a command line to an exit status: checks everything, makes the call, and hands its answer on.

use std::{pin::pin, process::ExitCode, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt};
use tower_reauth::{PeekBody, RefreshPolicy, client::ClientBuilder};

use super::{
    args::Args,
    body::{Reading, attach},
    ending::{Ending, Failure},
    output::Output,
    progress::Progress,
    report::{self, Report},
};
use crate::{
    config::Whom, entire::Entire, idle::Idle, logged_in::hint, message::tell, mistake::Mistake,
    options::one_reader, settle::settle, vendor::Vendor,
};

/// How much of a request body is kept, so that the request can be sent again with a new token.
const KEPT: usize = 1024 * 1024;

/// Makes the call, and says how the program is to end.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Mistake> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("reauth call: {error}"));
            return Ok(Ending::Local.into());
        }
    };
    let call = runtime.block_on(async { Call::new(args) })?;
    let (tokens, login) = (call.vendor.layer.tokens(), call.vendor.login.clone());
    let (made, hint) = runtime.block_on(async {
        let made = call.make().await;
        settle("call", &tokens).await;
        let hint = match &made {
            Err(Failure::NoToken(_)) => hint(login.as_deref(), &tokens).await,
            _ => None,
        };
        (made, hint)
    });
    let ending = made.unwrap_or_else(|failure| {
        match hint {
            Some(hint) => tell(format_args!("reauth call: no token: {hint}")),
            None => tell(format_args!("reauth call: {failure}")),
        }
        failure.ending()
    });
    // A thread that reads standard input would otherwise be waited for, as long as nobody types anything.
    runtime.shutdown_background();
    Ok(ending.into())
}

/// A call that is ready to be made: everything on the command line makes sense.
struct Call<'a> {
    args: &'a Args,
    vendor: Vendor,
    client: ClientBuilder,
    url: Uri,
    headers: HeaderMap,
}

impl<'a> Call<'a> {
    fn new(args: &'a Args) -> Result<Self, Mistake> {
        let whom = Whom::new(&args.whom)?;
        let mut readers = whom.that_read_stdin();
        readers.extend(args.data.as_ref().filter(|data| data.reads_stdin()).map(|_| "--data"));
        one_reader(&readers)?;
        let client = whom.client()?;
        // It ends soon, and whoever begins to renew a token has to wait for that.
        let policy = RefreshPolicy::default().early(0.0, Duration::ZERO);
        let vendor = whom.vendor(client.clone().build()?, policy)?;
        let url = args.target.at(&vendor)?;
        let headers = args.headers(&vendor)?;
        Ok(Self { args, vendor, client, url, headers })
    }

    /// Makes the call, and hands its answer on while it comes.
    async fn make(self) -> Result<Ending, Failure> {
        let (idle, progress) = (Idle::new(self.args.timeout), Progress::new());
        let (reading, data) = (Reading::default(), self.args.data.clone());
        let made = self.make_watched(&idle, &progress, &reading).await;
        progress.end();
        // Whatever came of it, the vendor doesn't have the whole.
        match data.zip(reading.error()) {
            Some((data, error)) => Err(Failure::Sending(data, error)),
            None => made,
        }
    }

    async fn make_watched(
        self,
        idle: &Idle,
        progress: &Progress,
        reading: &Reading,
    ) -> Result<Ending, Failure> {
        let report = Report::new(self.args.verbose);
        let layer = self.vendor.layer.clone().record_bodies(KEPT);
        let tokens = layer.tokens();
        let client = self.client.build_for().map_err(Failure::local)?;
        let service = ServiceBuilder::new().layer(layer).map_response(Entire::answer).service(client);

        let mut request = Request::new(());
        *request.method_mut() = self.args.method();
        *request.uri_mut() = self.url;
        *request.headers_mut() = self.headers;
        report.request(&request);
        let output = Output::open(self.args.output.as_deref()).await?;
        let request = attach(request, self.args.data.as_ref(), idle, progress, reading).await?;
        let response = match idle.bound(pin!(service.oneshot(request))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(Failure::of(error)),
            Err(_) => return Err(Failure::TimedOut(self.args.timeout)),
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::AnotherProtocol);
        }
        progress.download(response.body().size_hint().exact());
        report.response(&response, &tokens);
        self.args.deliver(response, output, idle, progress).await
    }
}

impl Args {
    /// Writes an answer, piece by piece.
    async fn deliver(
        &self,
        response: Response<PeekBody<Entire>>,
        mut output: Output,
        idle: &Idle,
        progress: &Progress,
    ) -> Result<Ending, Failure> {
        let ending = Ending::of(response.status());
        output.clear().await?;
        let head = if self.include { report::head(&response) } else { Bytes::new() };
        let mut body = response.into_body();
        let mut piece = Some(head);
        while let Some(data) = piece {
            if !output.write(&data).await? {
                // Whoever reads has seen enough.
                return Ok(ending);
            }
            piece = match idle.bound(pin!(body.frame())).await {
                Ok(None) => None,
                // Trailers have no place in what is written.
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap_or_default();
                    progress.moved(data.len());
                    Some(data)
                }
                Ok(Some(Err(error))) => return Err(Failure::Broken(error)),
                Err(_) => return Err(Failure::TimedOut(self.timeout)),
            };
        }
        Ok(ending)
    }
}
