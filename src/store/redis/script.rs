//! The scripts: one for each step, which Redis takes as a whole.

use std::sync::LazyLock;

use redis::{Script, Value, cmd};
use tokio::time::Instant;

use super::{
    cause::{Refusal, Remedy},
    servers::Servers,
};
use crate::error::StoreError;

/// A script, with the hash that Redis knows it by.
pub(super) struct Step {
    code: &'static str,
    script: Script,
}

impl Step {
    fn new(code: &'static str) -> Self {
        Self { code, script: Script::new(code) }
    }

    /// Runs it on one record. It is sent whole where Redis doesn't know it, or has forgotten it. What was sent on a connection
    /// that turns out to have ended, or to a server that isn't the primary any more, is sent once more, on a new one.
    pub(super) async fn run(
        &self,
        servers: &Servers,
        key: &str,
        arguments: &[&[u8]],
        deadline: Instant,
    ) -> Result<Value, StoreError> {
        let call = |command: &str, script: &str| {
            let mut call = cmd(command);
            call.arg(script).arg(1).arg(key).arg(arguments);
            call
        };
        match servers.ask(key, &call("EVALSHA", self.script.get_hash()), deadline).await {
            // Steps may be repeated. One that had its first answer meanwhile is told the same again.
            Err(Refusal { remedy: Remedy::WholeScript | Remedy::AnotherConnection, .. }) => {
                servers.ask(key, &call("EVAL", self.code), deadline).await
            }
            done => done,
        }
        .map_err(|refusal| refusal.error)
    }
}

macro_rules! step {
    ($file:literal) => {
        LazyLock::new(|| Step::new(concat!(include_str!("common.lua"), include_str!($file))))
    };
}

pub(super) static LOOK: LazyLock<Step> = step!("look.lua");
pub(super) static CLAIM: LazyLock<Step> = step!("claim.lua");
pub(super) static SAVE: LazyLock<Step> = step!("save.lua");
pub(super) static RELEASE: LazyLock<Step> = step!("release.lua");
