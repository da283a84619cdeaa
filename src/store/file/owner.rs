//! Who holds a claim, as far as others on the same machine can tell whether it lives.
//!
//! A process is told from others by its number, by when it began, as numbers come again, and by the boot and the PID
//! namespace (containers have one each) in which that number means something.

use std::{fs, io::ErrorKind, sync::OnceLock};

use bytes::Bytes;

/// This process.
pub(super) fn this_process() -> Bytes {
    static OWNER: OnceLock<Option<Bytes>> = OnceLock::new();
    // A process that was forked from this one would be taken for it, and runs no runtime of it.
    let owner = OWNER.get_or_init(|| {
        let (begin, _) = begin_and_state(std::process::id())?;
        Some(format!("{} {} {begin}", world()?, std::process::id()).into())
    });
    owner.clone().unwrap_or_default()
}

/// Whether this is a process that has surely ended: one of this boot, and of this namespace, or it isn't known.
pub(super) fn is_dead(owner: &[u8]) -> bool {
    let parts = || {
        let mut parts = std::str::from_utf8(owner).ok()?.rsplitn(3, ' ');
        let (begin, process) = (parts.next()?, parts.next()?.parse::<u32>().ok()?);
        (parts.next()? == world()?).then_some((process, begin))
    };
    let Some((process, begin)) = parts() else { return false };
    match begin_and_state(process) {
        Some((its, state)) => its != begin || matches!(state, 'Z' | 'X'),
        None => {
            fs::metadata(format!("/proc/{process}")).is_err_and(|error| error.kind() == ErrorKind::NotFound)
        }
    }
}

/// The boot and the namespace.
fn world() -> Option<&'static str> {
    static WORLD: OnceLock<Option<String>> = OnceLock::new();
    let world = WORLD.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        Some(format!("{} {}", boot.trim(), namespace.to_str()?))
    });
    world.as_deref()
}

/// When a process began, and what it does: the 22nd and the third field of proc_pid_stat(5). The second is a name in
/// brackets, in which there may be anything.
fn begin_and_state(process: u32) -> Option<(String, char)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((fields.nth(18)?.to_owned(), state))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn of(process: u32) -> String {
        let (begin, _) = begin_and_state(process).expect("it lives");
        format!("{} {process} {begin}", world().expect("Linux"))
    }

    #[test]
    fn who_lives_is_alive_and_who_was_killed_is_dead_at_once() {
        assert!(!is_dead(&this_process()));
        assert_eq!(this_process(), of(std::process::id()));
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("a process");
        let owner = of(child.id());
        assert!(!is_dead(owner.as_bytes()));
        child.kill().expect("it is killed");
        // Nobody has asked for its end yet, so that it is still in the list.
        while !is_dead(owner.as_bytes()) {
            std::thread::yield_now();
        }
        child.wait().expect("its end");
        assert!(is_dead(owner.as_bytes()), "nor is it when it has gone from there");
    }

    #[test]
    fn another_process_of_the_same_number_is_another_one() {
        let this = of(std::process::id());
        let (rest, begin) = this.rsplit_once(' ').expect("a begin");
        let begin: u64 = begin.parse().expect("a number");
        assert!(is_dead(format!("{rest} {}", begin - 1).as_bytes()));
    }

    #[test]
    fn of_other_machines_and_namespaces_nothing_is_known() {
        let this = of(std::process::id());
        let dead = this.replace(&format!(" {} ", std::process::id()), " 4194303 ");
        assert!(is_dead(dead.as_bytes()), "no process has this number");
        for other in
            [dead.replacen(&dead[..4], "zzzz", 1), dead.replace("pid:[", "pid:[1"), String::new(), "x".into()]
        {
            assert!(!is_dead(other.as_bytes()), "{other}");
        }
    }
}
