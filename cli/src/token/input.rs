//! What a helper reads from standard input.

use std::io::{self, Read};

use super::helper::Senseless;

/// The most that is read, in bytes.
const MAX_LEN: u64 = 64 * 1024;

/// All there is on standard input.
pub(super) fn read() -> Result<String, Senseless> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(MAX_LEN + 1).read_to_end(&mut bytes);
    read.map_err(|_| Senseless("standard input can't be read"))?;
    if bytes.len() as u64 > MAX_LEN {
        return Err(Senseless("what was asked is longer than 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| Senseless("what was asked isn't utf-8"))
}

/// Reads what nobody is going to look at, so that whoever writes it isn't cut off.
pub(super) fn ignore() {
    let _ = io::copy(&mut io::stdin().lock().take(MAX_LEN), &mut io::sink());
}
