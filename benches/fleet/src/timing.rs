//! How long a start takes, and a renewal, with a store and without.

use std::{
    fmt::{self, Write},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use processes::{
    BoxError,
    child::http,
    counted::Commands,
    place::Place,
    provider::Provider,
    sharing::open,
    stored::{Kind, Stored},
};
use tokio::time::Instant;
use tower_reauth::{
    AccessToken, Acquire, AcquireError, AuthLayer, Credential, Origin, Transport,
    oauth2::{ClientAuthentication, Password},
};

const HOUR: Duration = Duration::from_secs(3600);

const STARTS: u32 = 50;
const RENEWALS: u32 = 200;

pub async fn table() -> Result<String, BoxError> {
    let head = "| | start with a stored token | start without one | renewal |\n|---|---:|---:|---:|\n";
    let mut table = head.to_owned();
    let provider = Provider::start(HOUR)?;
    let (alone, renewals) = (starts(&provider, &Place::Nowhere, 1).await?, renewals(&Place::Nowhere).await?);
    writeln!(table, "| without a store | – | {alone} | {renewals} |")?;
    for kind in Kind::all() {
        let stored = Stored::new(kind).await?;
        let place = stored.place();
        let without = starts(&provider, &place, 1).await?;
        let with = starts(&provider, &place, 0).await?;
        writeln!(table, "| {kind} | {with} | {without} | {} |", self::renewals(&place).await?)?;
    }
    Ok(table)
}

/// Each with another slot if `step` is 1, and all with the same one if it is 0.
async fn starts(provider: &Provider, place: &Place, step: u64) -> Result<Median, BoxError> {
    let mut times = Vec::new();
    for number in 0..STARTS {
        let began = Instant::now();
        let client = ClientAuthentication::secret_basic("service", "secret");
        let token_endpoint = format!("{}/token", provider.issuer);
        let layer = Password::new(token_endpoint, client, "johndoe", "password")
            .scope("offline_access")
            .layer(&provider.issuer, Transport::new(http(number)))?;
        let slot = open(place, u64::from(number) * step, &Commands::default())?;
        let layer = match slot {
            Some(slot) => layer.shared(slot)?,
            None => layer,
        };
        let tokens = layer.tokens();
        tokens.get(Duration::ZERO).await?;
        times.push(began.elapsed());
        tokens.settled().await;
    }
    Ok(Median::of(times))
}

async fn renewals(place: &Place) -> Result<Median, BoxError> {
    let layer = AuthLayer::new(Origin::parse("http://127.0.0.1")?, Prompt::default());
    let layer = match open(place, u64::MAX, &Commands::default())? {
        Some(slot) => layer.shared(slot)?,
        None => layer,
    };
    let tokens = layer.tokens();
    tokens.get(Duration::ZERO).await?;
    let mut times = Vec::new();
    for _ in 0..RENEWALS {
        tokens.settled().await;
        tokens.invalidate();
        let began = Instant::now();
        tokens.get(Duration::ZERO).await?;
        times.push(began.elapsed());
    }
    Ok(Median::of(times))
}

/// Answers at once, with a refresh token.
#[derive(Default)]
struct Prompt(AtomicU32);

impl Credential for Prompt {
    async fn acquire(&self, _: Acquire<'_>) -> Result<AccessToken, AcquireError> {
        let number = self.0.fetch_add(1, Relaxed);
        let token = AccessToken::new(format!("token-{number}"))?;
        Ok(token.with_refresh_token(format!("refresh-{number}")).with_lifetime(HOUR))
    }
}

/// The one in the middle.
struct Median(Duration);

impl Median {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times[times.len() / 2])
    }
}

impl fmt::Display for Median {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_secs_f64() * 1e3;
        if millis < 0.1 { write!(f, "{:.0} µs", millis * 1e3) } else { write!(f, "{millis:.2} ms") }
    }
}
