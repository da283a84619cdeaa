//! Whether a directory is on another machine. The numbers are those of statfs(2).

use std::path::Path;

/// The file system's name, if it is one of another machine's.
pub(super) fn of_another_machine(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type;
    // As wide as the machine's words, signed or not; the numbers have 32 bits.
    name_of(kind as u32)
}

fn name_of(file_system: u32) -> Option<&'static str> {
    match file_system {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x564c => Some("NCP"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x00c3_6400 => Some("Ceph"),
        0x0102_1997 => Some("9P"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_known_by_their_numbers() {
        assert_eq!(name_of(0x6969), Some("NFS"));
        assert_eq!(name_of(0xff53_4d42), Some("SMB"));
        for local in [0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0x794c_7630] {
            assert_eq!(name_of(local), None, "{local:x}");
        }
        assert_eq!(of_another_machine(Path::new("/proc")), None);
    }
}
