//! Who is logged in, by what the store has.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde_json::{Value, json};
use tower_reauth::{RefreshPolicy, Stored};

use super::{args::StatusArgs, failure::tame};
use crate::{
    config::Whom,
    message::{chain, tell},
    mistake::Mistake,
    options::{StoreOptions, TrustOptions},
};

/// Says how credentials are doing, and how the program is to end.
pub(crate) fn status(args: &StatusArgs) -> Result<ExitCode, Mistake> {
    let (file, none) = (args.file.as_deref(), (StoreOptions::none(), TrustOptions::default()));
    let all = match &args.name {
        Some(name) => vec![(name.clone(), Whom::named(name, file, &none.0, &none.1)?)],
        None => Whom::all(file)?,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("reauth status: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut seen = Vec::new();
    for (name, whom) in all {
        seen.push(runtime.block_on(Seen::of(name, &whom)));
    }
    let mut text = String::new();
    for seen in &seen {
        text.push_str(&if args.json { seen.json().to_string() } else { seen.line() });
        text.push('\n');
    }
    let worst = seen.iter().map(|seen| seen.state.status()).max().unwrap_or_default();
    Ok(match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough, and may ask how it ended all the same.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tell(format_args!("reauth status: the output can't be written: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::from(worst),
    })
}

/// What is seen of a credential.
struct Seen {
    name: String,
    state: State,
    stored: Option<Stored>,
    why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LoggedIn,
    InDoubt,
    Dead,
    LoggedOut,
    Token,
    None,
    NoStore,
    Unknown,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged-in",
            Self::InDoubt => "in-doubt",
            Self::Dead => "dead",
            Self::LoggedOut => "logged-out",
            Self::Token => "token",
            Self::None => "none",
            Self::NoStore => "no-store",
            Self::Unknown => "unknown",
        }
    }

    fn status(self) -> u8 {
        match self {
            Self::Dead | Self::LoggedOut => 3,
            Self::Unknown => 1,
            _ => 0,
        }
    }

    fn of(is_login: bool, stored: Option<&Stored>) -> Self {
        match (is_login, stored) {
            (true, None) => Self::LoggedOut,
            (false, None) => Self::None,
            (false, Some(_)) => Self::Token,
            (true, Some(stored)) if stored.is_dead() && !stored.is_usable() => Self::Dead,
            (true, Some(stored)) if !stored.has_refresh_token() && !stored.is_usable() => Self::LoggedOut,
            (true, Some(stored)) if stored.is_in_doubt() => Self::InDoubt,
            (true, Some(_)) => Self::LoggedIn,
        }
    }
}

impl Seen {
    async fn of(name: String, whom: &Whom) -> Self {
        if !whom.store.is_given() {
            return Self { name, state: State::NoStore, stored: None, why: None };
        }
        let unknown = |name, why| Self { name, state: State::Unknown, stored: None, why: Some(why) };
        // Nobody can type for each of them.
        if let [option, ..] = whom.that_read_stdin()[..] {
            return unknown(name, format!("{option} is on standard input"));
        }
        let client = whom.client().and_then(|client| Ok(client.build()?));
        let vendor = match client.and_then(|client| whom.vendor(client, RefreshPolicy::default())) {
            Ok(vendor) => vendor,
            Err(mistake) => return unknown(name, mistake.to_string()),
        };
        if !vendor.layer.tokens().state().is_shared() {
            return Self { name, state: State::NoStore, stored: None, why: None };
        }
        match vendor.layer.tokens().stored().await {
            Ok(stored) => {
                let state = State::of(vendor.login.is_some(), stored.as_ref());
                let why = stored.as_ref().and_then(Stored::failure).map(str::to_owned);
                Self { name, state, stored, why }
            }
            Err(error) => unknown(name, chain(&error)),
        }
    }

    /// In how many seconds the access token expires, if there is one of which that is known.
    fn expires_in(&self) -> Option<u64> {
        Some(self.stored.as_ref()?.remaining()?.as_secs())
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "state": self.state.name(),
            "expires_in": self.expires_in(),
            "renewable": self.stored.as_ref().map(|stored| stored.has_refresh_token() && !stored.is_dead()),
            "why": self.why,
        })
    }

    fn line(&self) -> String {
        let mut line = format!("{}: {}", tame(&self.name), self.state.name());
        match self.expires_in() {
            Some(0) => line.push_str(", its token has expired"),
            Some(left) => line.push_str(&format!(", its token expires in {left} s")),
            None => {}
        }
        if let Some(why) = &self.why {
            line.push_str(&format!("; {why}"));
        }
        line
    }
}
