//! [`Output`]: where an answer goes, piece by piece.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncWriteExt, Stdout, stdout},
};

use super::ending::Failure;

/// Standard output, or a file.
pub(super) enum Output {
    Standard(Stdout),
    File(PathBuf, File),
}

impl Output {
    /// Opens it, before there is anything to write: whoever can't keep an answer needn't ask. What is in a file stays until
    /// then.
    pub(super) async fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Standard(stdout()));
        };
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path).await;
        match opened {
            Ok(file) => Ok(Self::File(path.to_owned(), file)),
            Err(error) => Err(Failure::Output(Some(path.to_owned()), error)),
        }
    }

    /// Takes out what was in it. A pipe or a device has nothing.
    pub(super) async fn clear(&mut self) -> Result<(), Failure> {
        let Self::File(_, file) = self else { return Ok(()) };
        let cleared = async { if file.metadata().await?.is_file() { file.set_len(0).await } else { Ok(()) } };
        cleared.await.map_err(|error| self.failure(error))
    }

    /// Writes a piece, and waits until it is written. `false` if nobody reads any more.
    pub(super) async fn write(&mut self, data: &[u8]) -> Result<bool, Failure> {
        let written = async {
            match self {
                Self::Standard(output) => {
                    output.write_all(data).await?;
                    output.flush().await
                }
                Self::File(_, output) => {
                    output.write_all(data).await?;
                    output.flush().await
                }
            }
        };
        match written.await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(self.failure(error)),
        }
    }

    fn failure(&self, error: io::Error) -> Failure {
        let path = match self {
            Self::Standard(_) => None,
            Self::File(path, _) => Some(path.clone()),
        };
        Failure::Output(path, error)
    }
}
