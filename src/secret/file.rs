//! Reading a secret's file, which others replace at any time.

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

/// The longest file that is taken for a secret, in bytes.
pub(super) const MAX_LEN: u64 = 64 * 1024;

/// A file that was written so lately may still be being written. Some file systems count whole seconds, or two.
const FRESH: Duration = Duration::from_secs(3);

/// Between two readings of such a file, which have to be alike.
const BETWEEN: Duration = Duration::from_millis(25);

/// How often it is read at most.
const READINGS: u32 = 8;

/// What the file has at this moment, or one byte more than there may be.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    Ok(look(path)?.0)
}

/// What the file has when whoever writes it has done so: not the half of it, nor nothing, between being emptied and being
/// written. One that is replaced by a rename, as Kubernetes does it with a link's target, is whole at once.
///
/// Blocks for 25 ms if the file was written in the last 3 seconds, and for up to 200 ms while it goes on changing.
pub(super) fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    settled(path, || thread::sleep(BETWEEN))
}

fn settled(path: &Path, mut wait: impl FnMut()) -> io::Result<Vec<u8>> {
    let (mut bytes, metadata) = look(path)?;
    if !is_fresh(&metadata) && metadata.len() == bytes.len() as u64 {
        return Ok(bytes);
    }
    for _ in 1..READINGS {
        wait();
        let again = read(path)?;
        if again == bytes && !again.is_empty() {
            break;
        }
        bytes = again;
    }
    Ok(bytes)
}

fn look(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?;
    (&mut file).take(MAX_LEN + 1).read_to_end(&mut bytes)?;
    Ok((bytes, file.metadata()?))
}

/// Also one of the future: then a clock can't be trusted. Where nothing is known, that is no news.
fn is_fresh(metadata: &Metadata) -> bool {
    let Ok(written) = metadata.modified() else { return false };
    SystemTime::now().duration_since(written).map_or(true, |age| age < FRESH)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::PathBuf, process};

    use super::*;

    fn path(name: &str) -> PathBuf {
        env::temp_dir().join(format!("tower-reauth-{}-{name}", process::id()))
    }

    #[test]
    fn a_file_that_is_being_written_is_read_when_that_is_done() {
        let path = path("in-place");
        // As an editor or a shell writes it: emptied, then piece by piece.
        let steps = ["one", "", "t", "tw", "two"];
        for begin in 0..steps.len() {
            let mut rest = steps[begin..].iter();
            let mut write = || rest.next().into_iter().for_each(|text| fs::write(&path, text).unwrap());
            write();
            assert_eq!(settled(&path, write).unwrap(), b"two", "from {:?} on", steps[begin]);
        }
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn one_that_goes_on_changing_is_taken_as_it_is_after_a_while() {
        let path = path("restless");
        fs::write(&path, "0").unwrap();
        let mut number = 0;
        let write = || {
            number += 1;
            fs::write(&path, number.to_string()).unwrap();
        };
        assert_eq!(settled(&path, write).unwrap(), b"7");
        fs::write(&path, "").unwrap();
        let mut waits = 0;
        assert_eq!(settled(&path, || waits += 1).unwrap(), b"");
        assert_eq!(waits, READINGS - 1);
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_old_file_is_read_once() {
        let path = path("old");
        fs::write(&path, "s").unwrap();
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        assert_eq!(settled(&path, || panic!("it is waited for")).unwrap(), b"s");
        // A clock that was set back.
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        let mut waits = 0;
        assert_eq!(settled(&path, || waits += 1).unwrap(), b"s");
        assert_eq!(waits, 1);
        fs::remove_file(&path).unwrap();
        assert_eq!(read_whole(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
