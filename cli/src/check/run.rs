//! Reads what is to be checked, and says what comes of it.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use bytes::Bytes;
use http::Response;
use tower_reauth::{BoxError, Trial};

use super::{
    answer,
    args::{Args, Source},
    file,
    play::{Expected, Place, play},
    recording, words,
};
use crate::{
    message::{chain, tell},
    mistake::Mistake,
};

/// An answer that somebody has.
struct Given {
    name: String,
    place: Place,
    response: Response<Bytes>,
    expected: Option<Expected>,
}

/// Checks the declaration, and says how the program is to end.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Mistake> {
    args.check()?;
    let trial = match (&args.file, &args.vendor) {
        (Some(source), _) => file::read(source)?,
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            Trial::named(name).map_err(|error| Mistake::new(format!("--vendor: {error}")))?
        }
    };
    let given = args.given()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let checked = runtime.map_err(BoxError::from).and_then(|runtime| runtime.block_on(check(&trial, &given)));
    Ok(match checked {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever reads has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("reauth check: {}", chain(&*error)));
            ExitCode::FAILURE
        }
    })
}

impl Args {
    /// All answers, in the order of a token's life.
    fn given(&self) -> Result<Vec<Given>, Mistake> {
        let mut all = Vec::new();
        let single = [
            (&self.token, Place::Token),
            (&self.refresh, Place::Refresh),
            (&self.api, Place::Api),
            (&self.head, Place::Head),
        ];
        for (sources, place) in single {
            for source in sources {
                let response = answer::parse(source.read()?).map_err(|why| wrong(source, &why))?;
                all.push(Given { name: source.to_string(), place, response, expected: None });
            }
        }
        for source in &self.recording {
            let recorded = recording::parse(&source.text()?).map_err(|why| wrong(source, &why))?;
            all.extend(recorded.into_iter().map(|recorded| Given {
                name: recorded.name,
                place: recorded.place,
                response: recorded.response,
                expected: Some(recorded.expected),
            }));
        }
        Ok(all)
    }
}

fn wrong(source: &Source, why: &str) -> Mistake {
    Mistake::new(format!("{source}, {why}"))
}

/// Says what the file does, and what becomes of each answer. Returns whether all of that makes sense.
async fn check(trial: &Trial, given: &[Given]) -> Result<bool, BoxError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", trial.name())?;
    for line in trial.outline() {
        writeln!(out, "  {line}")?;
    }
    let mut is_fine = true;
    for Given { name, place, response, expected } in given {
        let whose = match place {
            Place::Token => "the token endpoint answers",
            Place::Refresh => "the token endpoint answers a refresh with",
            Place::Api => "the API answers",
            Place::Head => "the API answers a HEAD with",
        };
        write!(out, "\n{name}: {whose} {}\n  ", response.status().as_u16())?;
        let found = match play(trial, *place, response).await {
            Ok(found) => found,
            Err(error) => {
                is_fine = false;
                writeln!(out, "{}", chain(&*error))?;
                continue;
            }
        };
        writeln!(out, "{}", words::found(trial, *place, response.status(), &found))?;
        if let Some(rule) = words::rule(trial, *place, response, &found) {
            writeln!(out, "    by {rule}")?;
        }
        match expected {
            Some(expected) if !found.is(*expected) => {
                is_fine = false;
                writeln!(out, "  {}", words::expected(*expected))?;
            }
            Some(_) => {}
            None => is_fine &= found.makes_sense(),
        }
    }
    Ok(is_fine)
}

fn is_broken_pipe(error: &BoxError) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
