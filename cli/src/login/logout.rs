//! Forgets somebody's tokens, and has the server revoke them.

use std::process::ExitCode;

use tower_reauth::{AuthError, AuthErrorKind, RefreshPolicy};

use super::{args::LogoutArgs, failure::of_store};
use crate::{
    config::Whom,
    message::{chain, tell},
    mistake::Mistake,
    options::{StoreOptions, one_reader},
};

/// Forgets the tokens, and says how the program is to end.
pub(crate) fn logout(args: &LogoutArgs) -> Result<ExitCode, Mistake> {
    let whom = Whom::named(&args.name, args.file.as_deref(), &StoreOptions::none(), &args.trust)?;
    let name = &args.name;
    let nowhere = || Mistake::new(format!("nothing is remembered of {name}; it has no store"));
    if !whom.store.is_given() {
        return Err(nowhere());
    }
    one_reader(&whom.that_read_stdin())?;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format_args!("reauth logout: {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let vendor = runtime.block_on(async {
        let client = whom.client()?.build()?;
        whom.vendor(client, RefreshPolicy::default())
    })?;
    let tokens = vendor.layer.tokens();
    if !tokens.state().is_shared() {
        return Err(nowhere());
    }
    let still_here = |why: String| {
        tell(format_args!("reauth logout: {name} isn't logged out: {why}"));
        ExitCode::FAILURE
    };
    let was_there = match runtime.block_on(tokens.stored()) {
        Ok(stored) => stored.is_some(),
        Err(error) => return Ok(still_here(of_store(&error))),
    };
    Ok(match runtime.block_on(tokens.revoke()) {
        Ok(()) if was_there => {
            tell(format_args!("reauth logout: {name} is logged out, and its tokens are revoked"));
            ExitCode::SUCCESS
        }
        Ok(()) => {
            tell(format_args!("reauth logout: nobody was logged in as {name}"));
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == AuthErrorKind::NotRevocable => {
            tell(format_args!(
                "reauth logout: {name} is logged out here; the server can't be told, and takes its tokens until they expire"
            ));
            ExitCode::SUCCESS
        }
        // What it has isn't known here, so that the server hasn't been told either.
        Err(error) if error.kind() == AuthErrorKind::StoreLost => {
            still_here(tokens.state().store_error().map_or_else(|| chain(&error), of_store))
        }
        Err(error) => {
            tell(format_args!(
                "reauth logout: {name} is logged out here, but the server couldn't be told, and may take its tokens until they \
                 expire: {}",
                why(&error)
            ));
            ExitCode::from(3)
        }
    })
}

/// Why the server couldn't be told. What is to be done about a token that can't be had is of no use here: there is none any more to
/// be revoked.
fn why(error: &AuthError) -> String {
    match error.acquire_error() {
        Some(said) => chain(said),
        None if error.kind() == AuthErrorKind::TimedOut => "it did not answer in time".to_owned(),
        None => chain(error),
    }
}
