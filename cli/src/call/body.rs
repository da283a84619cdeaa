//! The body of a request, of [`Data`]. Files and standard input are streamed, however long they are.

use std::{
    io::{self, Cursor},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderValue, Request, header::CONTENT_LENGTH};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt},
};
use tokio_util::io::ReaderStream;

use super::{data::Data, ending::Failure, progress::Progress, whole::Whole};
use crate::{idle::Idle, number::number};

/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What went wrong with what is read while it is sent. HTTP/2 tells nobody.
#[derive(Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Option<io::Error>>>);

impl Reading {
    /// What went wrong, once.
    pub(crate) fn error(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps the error, and passes one on that only ends the request.
    fn failed(&self, error: io::Error) -> io::Error {
        let ending = error.kind().into();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        ending
    }
}

/// The request with its body. `idle` and `progress` are told of each piece that is read, and `reading` of what goes wrong.
pub(crate) async fn attach(
    mut request: Request<()>,
    data: Option<&Data>,
    idle: &Idle,
    progress: &Progress,
    reading: &Reading,
) -> Result<Request<Body>, Failure> {
    let told = request.headers().get(CONTENT_LENGTH).and_then(|length| number(length.as_bytes()));
    let body = match data {
        None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        Some(Data::Text(text)) => Full::new(text.clone()).map_err(|never| match never {}).boxed_unsync(),
        Some(Data::Stdin) => {
            progress.upload(told);
            stream(tokio::io::stdin(), told, idle, progress, reading)
        }
        Some(Data::File(path)) => {
            let failed = |error| Failure::Data(path.clone(), error);
            let mut file = File::open(path).await.map_err(failed)?;
            let about = file.metadata().await.map_err(failed)?;
            if about.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            let mut first = [0];
            // Many servers take no upload whose length they don't know. A pipe has none, and what is in /proc seems to be empty.
            let (told, first) = match (about.is_file(), about.len()) {
                (true, 0) => match file.read(&mut first).await.map_err(failed)? {
                    0 => (Some(0), &[][..]),
                    _ => (None, &first[..]),
                },
                (true, length) => (Some(length), &[][..]),
                (false, _) => (told, &[][..]),
            };
            match told {
                Some(length) => request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length)),
                None => request.headers_mut().remove(CONTENT_LENGTH),
            };
            progress.upload(told);
            stream(Cursor::new(first.to_vec()).chain(file), told, idle, progress, reading)
        }
    };
    Ok(request.map(|()| body))
}

fn stream(
    from: impl AsyncRead + Send + 'static,
    told: Option<u64>,
    idle: &Idle,
    progress: &Progress,
    reading: &Reading,
) -> Body {
    let (idle, progress, reading) = (idle.clone(), progress.clone(), reading.clone());
    let pieces = ReaderStream::with_capacity(from, PIECE).inspect(move |piece| {
        idle.moved();
        progress.moved(piece.as_ref().map_or(0, Bytes::len));
    });
    match told {
        Some(told) => framed(Whole::new(Box::pin(pieces), told), reading),
        None => framed(pieces, reading),
    }
}

fn framed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static, reading: Reading) -> Body {
    let frames = pieces.map(move |piece| piece.map(Frame::data).map_err(|error| reading.failed(error)));
    StreamBody::new(frames).boxed_unsync()
}
