//! [`Krate`]: a crate in a folder that is gone at the end of the test.

use std::{fs, path::Path};

use layout::{House, Report};
use tempfile::TempDir;

pub(crate) struct Krate {
    folder: TempDir,
}

impl Krate {
    /// A crate with these files, by their names in `src/`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let krate = Self::empty();
        for (name, text) in files {
            krate.write(name, text);
        }
        krate
    }

    /// A copy of the real one.
    pub(crate) fn real() -> Self {
        Self::copied("../../src")
    }

    /// A copy of the real program.
    pub(crate) fn program() -> Self {
        Self::copied("../../cli/src")
    }

    fn copied(from: &str) -> Self {
        let krate = Self::empty();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(from), &krate.root().join("src"));
        krate
    }

    fn empty() -> Self {
        Self { folder: TempDir::new().expect("a folder can be made") }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.root().join("src").join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// Appends to a file, and returns the line at which that begins.
    pub(crate) fn append(&self, name: &str, text: &str) -> usize {
        let before = fs::read_to_string(self.root().join("src").join(name)).expect("it can be read");
        self.write(name, &format!("{before}{text}\n"));
        before.lines().count() + 1
    }

    /// What is found in it, where `high` is above `room` and that above `low`.
    #[track_caller]
    pub(crate) fn found(&self) -> Vec<String> {
        let house = House::parse("lib.rs\nhigh\nroom # in the middle\nlow");
        let report = Report::of(self.root(), &house).expect("it can be read");
        report.findings.iter().map(ToString::to_string).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the sources are there") {
        let entry = entry.expect("the sources can be read");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("the sources can be copied");
        }
    }
}
