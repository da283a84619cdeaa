//! A small file system, which can be filled. It needs no root where users may have namespaces of their own.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::PathBuf,
    process::Stdio,
};

use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
};

use super::{soon, temporary::TemporaryDirectory};

pub(crate) struct Disk {
    /// Where it is, for other processes as well.
    pub(crate) path: PathBuf,
    _mount_point: TemporaryDirectory,
    /// As long as it runs, the file system is there.
    _keeper: Child,
}

impl Disk {
    /// One of 64 KiB that has room for so many files and directories, its own one and what fills it among them. There is none where
    /// nothing may be mounted, which is said. `name` must be used once only in all tests.
    #[allow(clippy::print_stderr, reason = "else nobody would know that nothing was tested")]
    pub(crate) async fn new(name: &str, files: usize) -> Option<Self> {
        let mount_point = TemporaryDirectory::new(name);
        fs::create_dir(mount_point.path()).unwrap();
        // Mounted where only this process and its children see it; others go by way of its own root.
        let mount = format!(
            "mount -t tmpfs -o size=64k,nr_inodes={files},mode=0700 none \"$0\" && echo ok && exec cat"
        );
        let keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount])
            .arg(mount_point.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let none = |why: &str| {
            eprintln!("SKIPPED, as there is no small disk: {why}");
            None
        };
        let Ok(mut keeper) = keeper else { return none("there is no unshare, which is in util-linux") };
        let mut said = [0; 3];
        if soon(keeper.stdout.as_mut().expect("piped").read_exact(&mut said)).await.is_err() {
            return none("this user may not mount anything, not even for itself");
        }
        let id = keeper.id().expect("it runs");
        let path = PathBuf::from(format!("/proc/{id}/root{}", mount_point.path().display()));
        Some(Self { path, _mount_point: mount_point, _keeper: keeper })
    }

    /// Takes what room is left.
    pub(crate) fn fill(&self) {
        let mut file = File::create(self.path.join("filler")).unwrap();
        let full = loop {
            if let Err(error) = file.write_all(&[0; 512]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    /// Leaves no room for another file, but some in those that are there.
    pub(crate) fn crowd(&self) {
        let mut files = (0..).map(|number| File::create(self.path.join(format!("crowd-{number}"))));
        let full = files.find_map(Result::err).unwrap();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    /// Gives back what `fill` or `crowd` has taken.
    pub(crate) fn free(&self) {
        for file in fs::read_dir(&self.path).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                fs::remove_file(file.path()).unwrap();
            }
        }
    }
}
