//! [`Metrics`]: what the proxy does, in the text that Prometheus reads. Labels are names of upstreams and classes of statuses, so
//! there are as many as the configuration has. Holds no path, no secret, and no client.

use std::{
    array,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use tower_reauth::TokenCache;

use super::{body::Body, front::Places, upgrade::Upgrades};

/// Where the buckets of durations end, in milliseconds.
const BUCKETS: [u64; 12] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/// 1xx to 5xx.
const CLASSES: usize = 5;

/// What has been counted of one upstream. It only grows.
#[derive(Debug)]
pub(crate) struct Counts {
    answered: [AtomicU64; CLASSES],
    /// Each has those of its own bucket alone; the last one has what took longer than all of them.
    took: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
    replays: AtomicU64,
}

impl Default for Counts {
    fn default() -> Self {
        let (answered, took) = (array::from_fn(|_| AtomicU64::new(0)), array::from_fn(|_| AtomicU64::new(0)));
        Self { answered, took, micros: AtomicU64::new(0), replays: AtomicU64::new(0) }
    }
}

impl Counts {
    /// A request was answered, after so long until the head was there.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration, replayed: bool) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        self.answered[class].fetch_add(1, Relaxed);
        let bucket = BUCKETS.iter().position(|end| took <= Duration::from_millis(*end));
        self.took[bucket.unwrap_or(BUCKETS.len())].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        if replayed {
            self.replays.fetch_add(1, Relaxed);
        }
    }
}

/// What is counted of the whole.
pub(crate) struct Metrics {
    /// Requests that got to no upstream.
    pub(crate) refused: Counts,
    /// New configurations that were taken, and that were not.
    reloads: [AtomicU64; 2],
    places: Places,
    upgrades: Arc<Upgrades>,
}

/// An upstream, as metrics have it.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) counts: &'a Counts,
    pub(crate) tokens: TokenCache,
    pub(crate) is_ready: bool,
}

impl Metrics {
    pub(crate) fn new(places: Places, upgrades: Arc<Upgrades>) -> Self {
        let reloads = array::from_fn(|_| AtomicU64::new(0));
        Self { refused: Counts::default(), reloads, places, upgrades }
    }

    /// A new configuration was taken, or it wasn't.
    pub(crate) fn reloaded(&self, taken: bool) {
        self.reloads[usize::from(!taken)].fetch_add(1, Relaxed);
    }

    pub(crate) fn answer(&self, upstreams: &[Line<'_>]) -> Response<Body> {
        let mut response = Response::new(Body::from(self.text(upstreams)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn text(&self, upstreams: &[Line<'_>]) -> String {
        let mut page = Page::default();
        page.family("reauth_requests_total", "counter", "Requests that were answered, by class of status.");
        for Line { name, counts, .. } in upstreams {
            for (class, count) in (1..).zip(&counts.answered) {
                page.line(&format!("{{upstream=\"{name}\",status=\"{class}xx\"}}"), count.load(Relaxed));
            }
        }
        page.family(
            "reauth_request_duration_seconds",
            "histogram",
            "Until the head of the answer was there.",
        );
        for Line { name, counts, .. } in upstreams {
            let mut sum = 0;
            for (end, count) in BUCKETS.iter().zip(&counts.took) {
                sum += count.load(Relaxed);
                let end = Duration::from_millis(*end).as_secs_f64();
                page.line(&format!("_bucket{{upstream=\"{name}\",le=\"{end}\"}}"), sum);
            }
            sum += counts.took[BUCKETS.len()].load(Relaxed);
            page.line(&format!("_bucket{{upstream=\"{name}\",le=\"+Inf\"}}"), sum);
            let seconds = Duration::from_micros(counts.micros.load(Relaxed)).as_secs_f64();
            page.line(&format!("_sum{{upstream=\"{name}\"}}"), seconds);
            page.line(&format!("_count{{upstream=\"{name}\"}}"), sum);
        }
        page.family("reauth_replays_total", "counter", "Requests that were sent again with a new token.");
        for Line { name, counts, .. } in upstreams {
            page.line(&format!("{{upstream=\"{name}\"}}"), counts.replays.load(Relaxed));
        }
        page.family(
            "reauth_token_generation",
            "gauge",
            "The number of the token, which grows with each new one.",
        );
        for Line { name, tokens, .. } in upstreams {
            page.line(&format!("{{upstream=\"{name}\"}}"), tokens.state().generation().unwrap_or_default());
        }
        page.family(
            "reauth_upstream_ready",
            "gauge",
            "1 where the next request can be expected to get a token.",
        );
        for Line { name, is_ready, .. } in upstreams {
            page.line(&format!("{{upstream=\"{name}\"}}"), u8::from(*is_ready));
        }
        page.family("reauth_refused_requests_total", "counter", "Requests that got to no upstream.");
        for (class, count) in (4..).zip(&self.refused.answered[3..]) {
            page.line(&format!("{{status=\"{class}xx\"}}"), count.load(Relaxed));
        }
        page.family("reauth_connections", "gauge", "Connections that are open.");
        page.line("", self.places.open());
        page.family("reauth_connections_limit", "gauge", "How many may be open.");
        page.line("", self.places.most());
        page.family("reauth_upgraded_connections", "gauge", "Connections that were upgraded and are open.");
        page.line("", self.upgrades.open());
        page.family("reauth_reloads_total", "counter", "New configurations, by whether they were taken.");
        for (result, count) in ["taken", "refused"].iter().zip(&self.reloads) {
            page.line(&format!("{{result=\"{result}\"}}"), count.load(Relaxed));
        }
        page.text
    }
}

#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Nothing that is written to a string fails.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, rest: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{}{rest} {value}", self.family);
    }
}
