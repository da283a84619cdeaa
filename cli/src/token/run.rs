//! From a command line to a token on standard output, and an exit status.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use tower_reauth::{AuthError, Lease, RefreshPolicy, TokenCache};

use super::{
    args::{Args, Helper},
    docker, git,
    helper::{Reply, Senseless},
    input,
    issued::Issued,
    kubectl,
};
use crate::{
    config::Whom,
    logged_in::hint,
    message::{chain, tell},
    mistake::Mistake,
    options::one_reader,
    settle::settle,
    vendor::Vendor,
};

const LOCAL: u8 = 1;
const NO_TOKEN: u8 = 3;

/// The only operation that a helper answers.
const GET: &str = "get";

/// Prints the token, and says how the program is to end.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Mistake> {
    let words = args.words().map_err(Mistake::new)?;
    if let Some(operation) = words.operation.filter(|operation| operation != GET) {
        if words.name.is_none() && args.whom.vendor.is_nobody() {
            return Err(Mistake::new(format!(
                "{operation:?} is the operation, so that no name is there; git and Docker add get, store or erase behind it"
            )));
        }
        input::ignore();
        return Ok(other(args.helper, &operation));
    }
    let mut options = args.whom.clone();
    options.vendor.name = words.name.or(options.vendor.name);
    let whom = Whom::new(&options)?;
    let mut readers = whom.that_read_stdin();
    readers.extend(matches!(args.helper, Some(Helper::Git | Helper::Docker)).then_some("--for"));
    one_reader(&readers)?;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("reauth token: {error}"));
            return Ok(LOCAL.into());
        }
    };
    let vendor = runtime.block_on(async {
        // It ends soon, and whoever begins to renew a token has to wait for that: early is what lives too short. A cache
        // takes between half and all of what it is given for early.
        let policy = RefreshPolicy::default().early(0.9, args.min_ttl.saturating_mul(2));
        whom.vendor(whom.client()?.build()?, policy)
    })?;
    let answer = match question(args, &vendor) {
        Ok(Reply::Asked(answer)) => answer,
        Ok(Reply::Nothing) => return Ok(nothing(args.helper)),
        Err(Senseless(why)) => {
            say(args.helper, why);
            return Ok(LOCAL.into());
        }
    };
    let tokens = vendor.layer.tokens();
    let lease = runtime.block_on(async {
        let lease = valid(&tokens, args.min_ttl).await;
        settle("token", &tokens).await;
        match lease {
            Ok(lease) => Ok(lease),
            Err(error) => {
                let hint = hint(vendor.login.as_deref(), &tokens).await;
                Err(hint.unwrap_or_else(|| chain(&error)))
            }
        }
    });
    Ok(match lease {
        Ok(lease) => {
            let printed = io::stdout().write_all(answer.text(&Issued::new(lease), &vendor).as_bytes());
            match printed.and_then(|()| io::stdout().flush()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tell(format_args!("reauth token: the output can't be written: {error}"));
                    LOCAL.into()
                }
            }
        }
        Err(why) => {
            say(args.helper, &format!("no token: {why}"));
            NO_TOKEN.into()
        }
    })
}

/// A token that is valid for so long, if such a token can be had.
async fn valid(tokens: &TokenCache, min_ttl: Duration) -> Result<Lease, AuthError> {
    let lease = tokens.get(min_ttl).await?;
    match lease.remaining() {
        // What was in the store is taken as it is, and a new one is asked for after that.
        Some(left) if left < min_ttl => tokens.get(min_ttl).await,
        _ => Ok(lease),
    }
}

/// In which form the token is wanted.
enum Answer<'a> {
    Bare,
    Json,
    Git { username: String },
    Docker { url: String, username: &'a str },
    Kubectl { version: &'static str },
}

impl Answer<'_> {
    fn text(&self, issued: &Issued, vendor: &Vendor) -> String {
        match self {
            Self::Bare => format!("{}\n", issued.token()),
            Self::Json => issued.json(vendor),
            Self::Git { username } => git::answer(username, issued),
            Self::Docker { url, username } => docker::answer(url, username, issued),
            Self::Kubectl { version } => kubectl::answer(version, issued),
        }
    }
}

/// What is wanted, if a helper may say it.
fn question<'a>(args: &'a Args, vendor: &Vendor) -> Result<Reply<Answer<'a>>, Senseless> {
    Ok(match args.helper {
        None => Reply::Asked(if args.json { Answer::Json } else { Answer::Bare }),
        Some(Helper::Git) => match git::asked(&input::read()?, vendor)? {
            Reply::Asked(username) => {
                Reply::Asked(Answer::Git { username: username.unwrap_or_else(|| args.username.clone()) })
            }
            Reply::Nothing => Reply::Nothing,
        },
        Some(Helper::Docker) => match docker::asked(&input::read()?, vendor)? {
            Reply::Asked(url) => Reply::Asked(Answer::Docker { url, username: &args.username }),
            Reply::Nothing => Reply::Nothing,
        },
        Some(Helper::Kubectl) => match kubectl::asked(vendor)? {
            Reply::Asked(version) => Reply::Asked(Answer::Kubectl { version }),
            Reply::Nothing => Reply::Nothing,
        },
    })
}

/// The end of a helper that was asked for something else than a token.
fn other(helper: Option<Helper>, operation: &str) -> ExitCode {
    if helper == Some(Helper::Docker) && operation == docker::LIST {
        let _ = writeln!(io::stdout(), "{{}}");
    }
    ExitCode::SUCCESS
}

/// The end of a helper that may not say anything.
fn nothing(helper: Option<Helper>) -> ExitCode {
    match helper {
        Some(Helper::Docker) => {
            let _ = writeln!(io::stdout(), "{}", docker::NOTHING);
            LOCAL.into()
        }
        Some(Helper::Kubectl) => {
            tell("reauth token: the cluster isn't at the credential's own host, so it gets no token");
            LOCAL.into()
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Says what is wrong, where the program that has called reads it.
fn say(helper: Option<Helper>, why: &str) {
    if helper == Some(Helper::Docker) {
        let _ = writeln!(io::stdout(), "reauth: {why}");
    } else {
        tell(format_args!("reauth token: {why}"));
    }
}
