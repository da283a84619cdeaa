//! [`Data`]: what a request sends. Files and standard input are streamed, however long they are.

use std::{io, path::PathBuf, str::FromStr};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, Request, header::CONTENT_LENGTH};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use tokio::{fs::File, io::AsyncRead};
use tokio_util::io::ReaderStream;

use super::{ending::Failure, progress::Progress};
use crate::idle::Idle;

/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Text(Bytes),
    File(PathBuf),
    Stdin,
}

impl Data {
    /// Whether it may be a pipe, whose length is known to nobody but whoever writes to it.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Stdin | Self::File(_))
    }

    pub(crate) fn reads_stdin(&self) -> bool {
        matches!(self, Self::Stdin)
    }
}

impl FromStr for Data {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        Ok(match text.strip_prefix('@') {
            Some("") => return Err("write @FILE, or @- for standard input"),
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.into()),
            None => Self::Text(Bytes::copy_from_slice(text.as_bytes())),
        })
    }
}

/// The request with its body. `idle` and `progress` are told of each piece that is read.
pub(crate) async fn attach(
    mut request: Request<()>,
    data: Option<&Data>,
    idle: &Idle,
    progress: &Progress,
) -> Result<Request<Body>, Failure> {
    let body = match data {
        None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        Some(Data::Text(text)) => Full::new(text.clone()).map_err(|never| match never {}).boxed_unsync(),
        Some(Data::Stdin) => {
            progress.upload(None);
            stream(tokio::io::stdin(), idle, progress)
        }
        Some(Data::File(path)) => {
            let failed = |error| Failure::Data(path.clone(), error);
            let file = File::open(path).await.map_err(failed)?;
            let about = file.metadata().await.map_err(failed)?;
            if about.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            // Many servers take no upload whose length they don't know. A pipe has none.
            if about.is_file() {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(about.len()));
            }
            progress.upload(about.is_file().then_some(about.len()));
            stream(file, idle, progress)
        }
    };
    Ok(request.map(|()| body))
}

fn stream(from: impl AsyncRead + Send + 'static, idle: &Idle, progress: &Progress) -> Body {
    let (idle, progress) = (idle.clone(), progress.clone());
    let pieces = ReaderStream::with_capacity(from, PIECE).inspect(move |piece| {
        idle.moved();
        progress.moved(piece.as_ref().map_or(0, Bytes::len));
    });
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
}
