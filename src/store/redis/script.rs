//! The scripts: one for each step, which Redis takes as a whole.

use std::sync::LazyLock;

use redis::{Cmd, Script, Value, aio::ConnectionManager, cmd};

use super::cause::{self, because};
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
    /// that turns out to have ended is sent once more, on a new one.
    pub(super) async fn run(
        &self,
        connection: &ConnectionManager,
        key: &str,
        arguments: &[&[u8]],
    ) -> Result<Vec<Value>, StoreError> {
        let run = |command: &str, script: &str| {
            let mut call: Cmd = cmd(command);
            call.arg(script).arg(1).arg(key).arg(arguments);
            let mut connection = connection.clone();
            async move { call.query_async(&mut connection).await }
        };
        match run("EVALSHA", self.script.get_hash()).await {
            Err(error) if cause::is_unknown_script(&error) => run("EVAL", self.code).await,
            // Steps may be repeated. One that had its first answer meanwhile is told the same again.
            Err(error) if error.is_connection_dropped() => run("EVAL", self.code).await,
            done => done,
        }
        .map_err(|error| because(&error))
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
