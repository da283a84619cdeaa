//! The four vendors on loopback, and a program that calls them and never sees an expired token.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! 1. [`stack`] is the program's HTTP stack: all that a real program needs.
//! 2. [`Vendor`] and the functions that make one are what differs between vendors, as data.
//! 3. [`Step`] is what happens to every vendor.
//! 4. [`main`] does every step with every vendor, and compares what the vendor's fake counted with what it must be.
//!    It ends with a table, and with a non-zero status if anything in it is wrong.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{
    collections::BTreeMap,
    fmt,
    future::{Ready, ready},
    ops::RangeInclusive,
    process::ExitCode,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::ACCEPT};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{task::JoinSet, time::Instant};
use tower::{ServiceBuilder, ServiceExt, retry::Policy, util::BoxCloneService};
use tower_reauth::{
    AccessToken, ApiVideo, AuthLayer, AuthOutcome, BoxError, Client, PeekBody, Verdict, Vervoe, Videsk,
    Vidizmo,
    client::Roots,
    from_fn,
    testing::{
        Controls, Counts, FakeApiVideo, FakeVervoe, FakeVidesk, FakeVidizmo, Fault, On, Revoked, Served,
        Times,
    },
};

// ------------------------------------------------------------------------------------------ 1. The stack

type Api = BoxCloneService<Request<Full<Bytes>>, Response<PeekBody<Incoming>>, BoxError>;

/// From the outside in: each caller's timeout, retries while the server is overloaded, the token, a limit, the
/// connections. A request that waits for a token takes no place under the limit.
fn stack(auth: AuthLayer, client: Client) -> Api {
    ServiceBuilder::new()
        .boxed_clone()
        .timeout(Duration::from_secs(10))
        .retry(WhileOverloaded { retries: 2 })
        .layer(auth)
        // Each connection takes two open files here, and some systems allow a process only 256.
        .concurrency_limit(80)
        .service(client)
}

/// Sends a request again after a 503. Rejected tokens are none of its business: the layer beneath sees to them.
#[derive(Clone)]
struct WhileOverloaded {
    retries: u32,
}

impl<B: Clone, R> Policy<Request<B>, Response<R>, BoxError> for WhileOverloaded {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        result: &mut Result<Response<R>, BoxError>,
    ) -> Option<Self::Future> {
        let response = result.as_ref().ok()?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        self.retries = self.retries.checked_sub(1)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

// ---------------------------------------------------------------------------------------- 2. The vendors

/// A vendor's fake on loopback, a stack to call it with, and what must come of it.
struct Vendor {
    name: &'static str,
    about: &'static str,
    controls: Controls,
    served: Served,
    auth: AuthLayer,
    path: &'static str,
    /// What becomes of a token that is revoked.
    revoked: Revoked,
    expected: [Expected; STEPS.len()],
}

async fn api_video(client: Client) -> Result<Vendor, BoxError> {
    let fake = FakeApiVideo::new("an-api-key");
    let served = fake.serve().await?;
    Ok(Vendor {
        name: "api.video",
        about: "A key is exchanged for a token. A refresh replaces the token and its refresh token.",
        controls: fake.controls().clone(),
        auth: ApiVideo::sandbox("an-api-key").base_url(served.origin()).layer(client)?,
        served,
        path: "/videos",
        // The refresh token dies as well. So the refresh is refused, and the key is exchanged again.
        revoked: Revoked::Invalid,
        expected: renewed(TokenCalls { all: 1, refreshes: 1 }, TokenCalls { all: 2, refreshes: 1 }),
    })
}

async fn videsk_static() -> Result<Vendor, BoxError> {
    let fake = FakeVidesk::new();
    let served = fake.serve().await?;
    Ok(Vendor {
        name: "Videsk",
        about: "The key is the token, and nothing renews it: refusals are handed over, marked.",
        controls: fake.controls().clone(),
        auth: Videsk::new(fake.key()).base_url(served.origin()).layer()?,
        served,
        path: "/public/video-contact-center/segments",
        revoked: Revoked::Removed,
        expected: [
            answered(NO_TOKEN_CALL, 1..=1),
            answered(NO_TOKEN_CALL, 50..=50),
            answered(NO_TOKEN_CALL, 2..=2),
            handed_over(1, StatusCode::UNAUTHORIZED, Verdict::Expired),
            handed_over(1, StatusCode::FORBIDDEN, Verdict::Denied),
            handed_over(200, StatusCode::UNAUTHORIZED, Verdict::Expired),
        ],
    })
}

async fn videsk_minting() -> Result<Vendor, BoxError> {
    let fake = FakeVidesk::new();
    let served = fake.serve().await?;
    let controls = fake.controls().clone();
    let mint = from_fn(move |_reason, _previous| ready(AccessToken::new(fake.mint()).map_err(Into::into)));
    Ok(Vendor {
        name: "Videsk minting",
        about: "The same, in a program that can make new keys.",
        controls,
        auth: Videsk::minting(mint).base_url(served.origin()).layer()?,
        served,
        path: "/public/video-contact-center/segments",
        revoked: Revoked::Invalid,
        expected: renewed(ONE_TOKEN_CALL, ONE_TOKEN_CALL),
    })
}

async fn vidizmo(client: Client) -> Result<Vendor, BoxError> {
    let fake = FakeVidizmo::client_secret("john.doe@gmail.com", "a-client-secret");
    let served = fake.serve().await?;
    Ok(Vendor {
        name: "VIDIZMO",
        about: "A user logs in. Expiry is a 400 that only its body tells from other 400s.",
        controls: fake.controls().clone(),
        auth: Vidizmo::client_secret("portal.example.com", "john.doe@gmail.com", "a-client-secret")
            .base_url(served.origin())
            .layer(client)?,
        served,
        path: "/api/v1/user/esther.fray%40gmail.com?userPartsToFetch=BasicInfo",
        // The body says that the token is dead. So no refresh is tried, and the user logs in again.
        revoked: Revoked::Invalid,
        expected: renewed(TokenCalls { all: 1, refreshes: 1 }, ONE_TOKEN_CALL),
    })
}

async fn vervoe(client: Client) -> Result<Vendor, BoxError> {
    let fake = FakeVervoe::new("an-api-key", "a-secret-key");
    let served = fake.serve().await?;
    Ok(Vendor {
        name: "Vervoe",
        about: "A key and its secret are exchanged for a token of ten minutes. There is no refresh.",
        controls: fake.controls().clone(),
        auth: Vervoe::new("an-api-key", "a-secret-key").base_url(served.origin()).layer(client)?,
        served,
        path: "/jobs",
        revoked: Revoked::Invalid,
        expected: renewed(ONE_TOKEN_CALL, ONE_TOKEN_CALL),
    })
}

/// What must come of a step.
#[derive(Clone)]
struct Expected {
    token_calls: TokenCalls,
    /// Requests that reach the API.
    sends: RangeInclusive<usize>,
    /// What every caller sees.
    status: StatusCode,
    /// What the layer says of it in the response's extension; nothing where the token was accepted.
    verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq)]
struct TokenCalls {
    all: usize,
    refreshes: usize,
}

const NO_TOKEN_CALL: TokenCalls = TokenCalls { all: 0, refreshes: 0 };
const ONE_TOKEN_CALL: TokenCalls = TokenCalls { all: 1, refreshes: 0 };

/// With tokens that can be renewed no caller ever sees a refusal.
fn renewed(expired: TokenCalls, revoked: TokenCalls) -> [Expected; STEPS.len()] {
    [
        answered(ONE_TOKEN_CALL, 1..=1),
        answered(NO_TOKEN_CALL, 50..=50),
        answered(NO_TOKEN_CALL, 2..=2),
        answered(expired, 2..=2),
        answered(revoked, 2..=2),
        // Calls that are sent when the new token is there already are sent once.
        answered(expired, 201..=400),
    ]
}

fn answered(token_calls: TokenCalls, sends: RangeInclusive<usize>) -> Expected {
    Expected { token_calls, sends, status: StatusCode::OK, verdict: Verdict::Accepted }
}

fn handed_over(calls: usize, status: StatusCode, verdict: Verdict) -> Expected {
    Expected { token_calls: NO_TOKEN_CALL, sends: calls..=calls, status, verdict }
}

// ------------------------------------------------------------------------------------------ 3. The steps

/// What happens to every vendor, in this order.
#[derive(Clone, Copy)]
enum Step {
    FirstCall,
    CachedCalls,
    Overload,
    Expired,
    Revoked,
    Crowd,
}

const STEPS: [Step; 6] =
    [Step::FirstCall, Step::CachedCalls, Step::Overload, Step::Expired, Step::Revoked, Step::Crowd];

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::FirstCall => "first call",
            Self::CachedCalls => "50 cached calls",
            Self::Overload => "a 503, once",
            Self::Expired => "token expired",
            Self::Revoked => "token revoked",
            Self::Crowd => "expired, 200 calls",
        }
    }

    /// Brings the vendor into the state that the step is about.
    fn prepare(self, vendor: &Vendor) {
        let controls = &vendor.controls;
        match self {
            Self::FirstCall | Self::CachedCalls => {}
            Self::Overload => {
                controls.fail(On::Api, Times::Next(1), Fault::status(StatusCode::SERVICE_UNAVAILABLE));
            }
            Self::Expired => controls.revoke(Revoked::Expired),
            Self::Revoked => controls.revoke(vendor.revoked),
            Self::Crowd => {
                controls.revoke(Revoked::Expired);
                // Most refusals arrive late, when there is a new token already.
                controls.spread(On::Api, Times::Next(200), Duration::from_millis(200));
            }
        }
    }

    /// Calls the vendor's API. Returns what each caller saw.
    async fn perform(self, api: &Api, url: &str) -> Result<Vec<Seen>, BoxError> {
        match self {
            Self::CachedCalls => {
                let mut seen = Vec::new();
                for _ in 0..50 {
                    seen.push(call(api.clone(), url.into()).await?);
                }
                Ok(seen)
            }
            Self::Crowd => {
                let calls: JoinSet<_> = (0..200).map(|_| call(api.clone(), url.into())).collect();
                calls.join_all().await.into_iter().collect()
            }
            _ => Ok(vec![call(api.clone(), url.into()).await?]),
        }
    }
}

/// What a caller saw of an answer.
struct Seen {
    status: StatusCode,
    outcome: AuthOutcome,
}

/// One call, as a program makes it: nothing in it knows of tokens.
async fn call(api: Api, url: String) -> Result<Seen, BoxError> {
    let request = Request::get(url).header(ACCEPT, "application/json").body(Full::default())?;
    let (mut head, body) = api.oneshot(request).await?.into_parts();
    // Read to its end, so that the connection can be used again.
    body.collect().await?;
    let outcome = head.extensions.remove().unwrap_or_default();
    Ok(Seen { status: head.status, outcome })
}

// -------------------------------------------------------------------------------------------- 4. The run

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let started = Instant::now();
    // The fakes are served without TLS, so this must run where there are no system certificates as well.
    let client = Client::builder().roots(Roots::Bundled).build()?;
    let vendors = [
        api_video(client.clone()).await?,
        videsk_static().await?,
        videsk_minting().await?,
        vidizmo(client.clone()).await?,
        vervoe(client.clone()).await?,
    ];
    let mut rows = Vec::new();
    for vendor in vendors {
        println!("\n{}, at {}\n{}", vendor.name, vendor.served.origin(), vendor.about);
        let api = stack(vendor.auth.clone(), client.clone());
        for (step, expected) in STEPS.into_iter().zip(vendor.expected.clone()) {
            let row = run(step, &vendor, &api, expected).await?;
            row.tell();
            rows.push(row);
        }
    }
    print_table(&rows);
    let wrong = rows.iter().filter(|row| !row.is_as_expected()).count();
    println!("\n{} of {} as expected, in {:.1?}", rows.len() - wrong, rows.len(), started.elapsed());
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Does one step with one vendor.
async fn run(step: Step, vendor: &Vendor, api: &Api, expected: Expected) -> Result<Row, BoxError> {
    step.prepare(vendor);
    vendor.controls.reset_counts();
    let started = Instant::now();
    let seen = step.perform(api, &vendor.served.url(vendor.path)).await?;
    Ok(Row {
        vendor: vendor.name,
        step,
        took: started.elapsed(),
        seen,
        counts: vendor.controls.counts(),
        expected,
    })
}

/// What came of a step, and what must have.
struct Row {
    vendor: &'static str,
    step: Step,
    took: Duration,
    seen: Vec<Seen>,
    counts: Counts,
    expected: Expected,
}

impl Row {
    fn is_as_expected(&self) -> bool {
        let Expected { token_calls, sends, status, verdict } = &self.expected;
        self.token_calls() == *token_calls
            && self.counts.most_token_calls_at_once <= 1
            && sends.contains(&self.counts.api_calls)
            // The fakes refuse whatever the vendor's contract doesn't allow.
            && self.counts.refused == 0
            && self.seen.iter().all(|seen| seen.status == *status && seen.outcome.verdict() == *verdict)
    }

    fn token_calls(&self) -> TokenCalls {
        TokenCalls { all: self.counts.token_calls(), refreshes: self.counts.refreshes }
    }

    /// Prints what callers saw, and when.
    fn tell(&self) {
        print!("  {:18} {:>5} ms: {}", self.step.name(), self.took.as_millis(), tally(&self.seen));
        let replayed = self.seen.iter().filter(|seen| seen.outcome.replayed()).count();
        if replayed > 0 {
            print!(", {replayed} by a replay");
        }
        if let Some(reason) = self.seen.iter().find_map(|seen| seen.outcome.reason()) {
            print!(" because of {reason:?}");
        }
        println!();
    }
}

/// The statuses that callers saw, and how many saw them.
fn tally(seen: &[Seen]) -> String {
    let mut tally = BTreeMap::<String, usize>::new();
    for Seen { status, outcome } in seen {
        *tally.entry(label(*status, outcome.verdict())).or_default() += 1;
    }
    let parts: Vec<_> = tally.iter().map(|(label, callers)| format!("{callers} x {label}")).collect();
    parts.join(", ")
}

fn print_table(rows: &[Row]) {
    let print = |[vendor, step, calls, refreshes, sends, refused, saw, expected, ok]: [&str; 9]| {
        println!(
            "{vendor:14}  {step:18}  {calls:>11} {refreshes:>9} {sends:>9} {refused:>7}  {saw:17}  {expected:22}  {ok}"
        );
    };
    println!();
    print([
        "vendor",
        "step",
        "token calls",
        "refreshes",
        "API sends",
        "refused",
        "callers saw",
        "expected",
        "ok",
    ]);
    for row in rows {
        let Counts { refreshes, api_calls, refused, .. } = row.counts;
        print([
            row.vendor,
            row.step.name(),
            &row.counts.token_calls().to_string(),
            &refreshes.to_string(),
            &api_calls.to_string(),
            &refused.to_string(),
            &tally(&row.seen),
            &row.expected.to_string(),
            if row.is_as_expected() { "ok" } else { "WRONG" },
        ]);
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token_calls, sends, status, verdict } = self;
        write!(f, "{}, {}, ", token_calls.all, token_calls.refreshes)?;
        write!(f, "{}", sends.start())?;
        if sends.start() < sends.end() {
            write!(f, "-{}", sends.end())?;
        }
        write!(f, ", {}", label(*status, *verdict))
    }
}

/// A status that callers see, with the layer's mark where there is one.
fn label(status: StatusCode, verdict: Verdict) -> String {
    match verdict {
        Verdict::Accepted => status.as_str().to_owned(),
        verdict => format!("{} {verdict:?}", status.as_str()),
    }
}
