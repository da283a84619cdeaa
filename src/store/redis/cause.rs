//! What an error of Redis means. Its text isn't passed on: it may repeat what it was sent.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::{StoreError, StoreErrorKind};

/// What Redis says where its user may run a script, and not what is in it: version 7, and others.
const SCRIPT_DENIED: &[&str] = &["The user executing the script can't", "ACL failure in script"];

/// Why a command has no answer, and what may get one.
pub(super) struct Refusal {
    pub(super) error: StoreError,
    pub(super) remedy: Remedy,
}

/// What may get an answer to a command that has none.
pub(super) enum Remedy {
    /// Nothing that could be done at once.
    Nothing,
    /// The whole script, as its hash isn't known.
    WholeScript,
    /// To ask the server that has the slot now.
    Moved(String),
    /// To ask the server that is about to have the slot, this once.
    Moving(String),
    /// The same again: the connection had ended, or the server isn't the primary any more.
    AnotherConnection,
}

impl Refusal {
    /// Whether it is due to the server that was asked, or to the way to it, so that another one may do better.
    pub(super) fn is_the_servers(&self) -> bool {
        use StoreErrorKind::{ReadOnly, TimedOut, Unavailable};
        !matches!(self.remedy, Remedy::WholeScript)
            && matches!(self.error.kind(), Unavailable | TimedOut | ReadOnly)
    }
}

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        let named = || error.redirect_node().map_or_else(String::new, |(place, _)| place.to_owned());
        let remedy = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => Remedy::Moved(named()),
            ErrorKind::Server(ServerErrorKind::Ask) => Remedy::Moving(named()),
            ErrorKind::Server(ServerErrorKind::NoScript) => Remedy::WholeScript,
            _ if code(&error) == Some("READONLY") => Remedy::AnotherConnection,
            _ if error.is_connection_dropped() => Remedy::AnotherConnection,
            _ => Remedy::Nothing,
        };
        Self { error: because(&error), remedy }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self { error, remedy: Remedy::Nothing }
    }
}

/// Why Redis didn't do what it was asked.
pub(super) fn because(error: &RedisError) -> StoreError {
    let (kind, words) = match error.kind() {
        _ if error.is_timeout() => return late(),
        ErrorKind::Io => {
            (StoreErrorKind::Unavailable, "redis can't be reached; check whether it runs, and its url")
        }
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => denied(),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => {
            (StoreErrorKind::Unavailable, "redis is still loading its data; wait for it")
        }
        ErrorKind::Server(
            ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain,
        ) => (StoreErrorKind::Unavailable, "redis has no primary for this slot at the moment; wait for one"),
        ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot) => {
            (StoreErrorKind::Config, "redis is a cluster; connect to it with `RedisStore::cluster`")
        }
        ErrorKind::InvalidClientConfig => {
            (StoreErrorKind::Config, "redis's url or tls can't be used; check both")
        }
        _ => match code(error) {
            Some("NOAUTH" | "WRONGPASS" | "NOPERM") => denied(),
            // What a script may not do has no code of its own.
            _ if error
                .detail()
                .is_some_and(|detail| SCRIPT_DENIED.iter().any(|words| detail.contains(words))) =>
            {
                denied()
            }
            Some("READONLY") => (
                StoreErrorKind::ReadOnly,
                "redis is a replica, which can't be written to; give the url of the primary, or wait for a failover to end",
            ),
            Some("OOM") => (StoreErrorKind::Full, "redis has no room; give it more, with `maxmemory`"),
            Some("WRONGTYPE") => (
                StoreErrorKind::Unreadable,
                "something else is kept under the record's key; give the store another prefix",
            ),
            Some("MISCONF") => {
                (StoreErrorKind::Full, "redis can't write to its disk, and so takes no writes; see its log")
            }
            Some("NOREPLICAS") => (
                StoreErrorKind::Unavailable,
                "redis has fewer replicas than it must have; see `min-replicas-to-write`",
            ),
            Some("BUSY") => {
                (StoreErrorKind::Unavailable, "redis is busy with somebody's script; see which it is")
            }
            Some(code) if is_plain(code) => {
                return StoreError::new(
                    StoreErrorKind::Unavailable,
                    format!("redis says {code}; see its log"),
                );
            }
            _ => (StoreErrorKind::Unavailable, "redis's answer makes no sense; check whether it is redis"),
        },
    };
    StoreError::new(kind, words)
}

/// That there was no answer in time.
pub(super) fn late() -> StoreError {
    let words = "redis didn't answer within 500 ms; check whether it is overloaded, and the way to it";
    StoreError::new(StoreErrorKind::TimedOut, words)
}

/// That a cluster's servers don't agree who has a slot.
pub(super) fn unsettled() -> StoreError {
    let words = "redis's cluster sends from one server to the next; wait until they agree who has this slot";
    StoreError::new(StoreErrorKind::Unavailable, words)
}

/// That the program ends.
pub(super) fn stopped() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the runtime ended while redis was being connected to")
}

fn denied() -> (StoreErrorKind, &'static str) {
    (StoreErrorKind::Denied, "redis doesn't let this user in, or do this; check user, password and acl")
}

/// The word that an error begins with. Before version 7 one that is met in a script is behind what the script's place is.
fn code(error: &RedisError) -> Option<&str> {
    let within = error.detail().filter(|detail| detail.starts_with("Error running script"));
    let Some((_, within)) = within.and_then(|detail| detail.rsplit_once("@user_script:")) else {
        return error.code();
    };
    let place = |letter: char| letter.is_ascii_digit() || matches!(letter, ' ' | ':');
    let word = within.trim_start_matches(place).trim_start_matches('-').split(' ').next();
    word.filter(|word| is_plain(word)).or(error.code())
}

/// Whether it is a word that Redis begins its errors with, and nothing else.
fn is_plain(code: &str) -> bool {
    code.len() <= 16 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn kind(says: &str) -> StoreErrorKind {
        let error = parse_redis_value(format!("-{says}\r\n").as_bytes()).and_then(Value::extract_error);
        let refusal = Refusal::from(error.expect_err("an error"));
        assert!(!refusal.error.to_string().contains("user_script"), "{}", refusal.error);
        refusal.error.kind()
    }

    #[test]
    fn what_a_script_has_met_is_told_as_of_any_command_by_old_servers_too() {
        // As Redis 6.2 and 7.0 say it.
        for (words, expected) in [
            ("READONLY You can't write against a read only replica.", StoreErrorKind::ReadOnly),
            ("OOM command not allowed when used memory > 'maxmemory'.", StoreErrorKind::Full),
            ("NOREPLICAS Not enough good replicas to write.", StoreErrorKind::Unavailable),
        ] {
            let script = "Error running script (call to f_e6a86a): @user_script:1: @user_script: 12:";
            assert_eq!(kind(&format!("ERR {script} -{words}")), expected);
            assert_eq!(kind(&format!("{words} script: e6a86a, on @user_script:12.")), expected);
        }
        let script = "Error running script (call to f_2e9dc1): @user_script:1:";
        let words = "WRONGTYPE Operation against a key holding the wrong kind of value";
        assert_eq!(kind(&format!("ERR {script} {words}")), StoreErrorKind::Unreadable);
        let denied = "@user_script: 1: The user executing the script can't run this command or subcommand";
        assert_eq!(kind(&format!("ERR {script} {denied}")), StoreErrorKind::Denied);
        assert_eq!(kind(&format!("ERR {script} attempt to index a nil value")), StoreErrorKind::Unavailable);
        assert_eq!(kind("MOVED 12182 127.0.0.1:7001"), StoreErrorKind::Config);
        assert_eq!(kind("CLUSTERDOWN Hash slot not served"), StoreErrorKind::Unavailable);
    }
}
