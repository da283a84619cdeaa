//! Undoes the content codings of a token endpoint's answer (RFC 9110 §8.4). Nobody has asked for any, but some servers
//! encode all the same. Other responses are not decoded.

use std::io::{self, Read as _};

use brotli_decompressor::{Allocator, BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use http::{
    HeaderMap, Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};

use super::super::erased::{MAX_ANSWER, Read, too_long};
use crate::error::AcquireError;

/// More in a row are a mistake, or worse.
const MAX_CODINGS: usize = 3;

/// How much is decoded at a time, in bytes.
const PIECE: usize = 8 * 1024;

/// What memory a brotli stream may have for what it looks back at, in bytes: as much as the longest answer, and a
/// little that every stream wants. Who wants more has announced a longer answer.
const MAX_WINDOW: usize = MAX_ANSWER + 4096;

/// `response` without its content codings. Where they can't be undone, the answer to a request that was refused is left
/// as it is, since its status says enough.
pub(super) fn decoded(response: Response<Bytes>) -> Read {
    let codings = match codings(response.headers()) {
        Ok(codings) if codings.is_empty() => return Ok(response),
        codings => codings,
    };
    let decoded = match response.body().is_empty() {
        true => Ok(Bytes::new()),
        false => codings.and_then(|codings| {
            let body = response.body().clone();
            codings.into_iter().rev().try_fold(body, |body, coding| coding.decode(&body))
        }),
    };
    match decoded {
        Ok(body) => {
            let (mut head, _) = response.into_parts();
            head.headers.remove(CONTENT_ENCODING);
            head.headers.remove(CONTENT_LENGTH);
            Ok(Response::from_parts(head, body))
        }
        Err(error) if response.status().is_success() => Err(error.with_status(response.status())),
        Err(_) => Ok(response),
    }
}

/// The codings of an answer, in the order in which they were applied.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, AcquireError> {
    let mut codings = Vec::new();
    let values = headers.get_all(CONTENT_ENCODING).into_iter();
    let names = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    for name in names.map(<[u8]>::trim_ascii) {
        if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        if codings.len() == MAX_CODINGS {
            return Err(AcquireError::transient(format!(
                "the token endpoint's answer is encoded more than {MAX_CODINGS} times"
            )));
        }
        codings.push(Coding::named(name)?);
    }
    Ok(codings)
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

/// Why a body can't be decoded.
enum Broken {
    CutOff,
    Corrupt,
    TooLong,
}

impl Coding {
    fn named(name: &[u8]) -> Result<Self, AcquireError> {
        const NAMES: [(&str, Coding); 4] = [
            ("gzip", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Brotli),
        ];
        // The registered ones are safe to show: the others are whatever the server has put there.
        const UNKNOWN: [&str; 6] = ["aes128gcm", "compress", "dcb", "dcz", "x-compress", "zstd"];
        let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
        if let Some((_, coding)) = NAMES.into_iter().find(|(known, _)| is(known)) {
            return Ok(coding);
        }
        let words = "the token endpoint's answer has a content coding that can't be decoded here";
        Err(match UNKNOWN.into_iter().find(|known| is(known)) {
            Some(known) => AcquireError::transient(format!("{words}: {known}")),
            None => {
                let name: String = String::from_utf8_lossy(name).chars().take(32).collect();
                AcquireError::transient(words).with_source(format!("content-encoding: {name:?}"))
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
        }
    }

    fn decode(self, body: &[u8]) -> Result<Bytes, AcquireError> {
        let decoded = match self {
            Self::Gzip => gzip(body),
            Self::Deflate => deflate(body),
            Self::Brotli => brotli(body),
        };
        let how = match decoded {
            Ok(decoded) => return Ok(decoded.0.into()),
            Err(Broken::TooLong) => return Err(too_long()),
            Err(Broken::CutOff) => "cut off",
            Err(Broken::Corrupt) => "corrupt",
        };
        let name = self.name();
        Err(AcquireError::transient(format!("the token endpoint's answer is encoded as {name}, and {how}")))
    }
}

/// What has been decoded so far.
#[derive(Default)]
struct Decoded(Vec<u8>);

impl Decoded {
    /// Never has room for more than the longest answer, and soon for all of it, since room that grows is there twice.
    fn add(&mut self, piece: &[u8]) -> Result<(), Broken> {
        let length = self.0.len() + piece.len();
        if length > MAX_ANSWER {
            return Err(Broken::TooLong);
        }
        if length > self.0.capacity() {
            let room = if length > MAX_ANSWER / 4 { MAX_ANSWER } else { 2 * length };
            self.0.reserve_exact(room - self.0.len());
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

/// RFC 1952. Several members make one body (§2.2).
fn gzip(body: &[u8]) -> Result<Decoded, Broken> {
    let mut decoder = MultiGzDecoder::new(body);
    let (mut decoded, mut piece) = (Decoded::default(), [0; PIECE]);
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return Ok(decoded),
            Ok(length) => decoded.add(&piece[..length])?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(Broken::CutOff),
            Err(_) => return Err(Broken::Corrupt),
        }
    }
}

/// RFC 1950, or RFC 1951 alone: what the name means was misunderstood so often that all clients read both.
fn deflate(body: &[u8]) -> Result<Decoded, Broken> {
    // RFC 1950 §2.2.
    let has_header = matches!(*body, [method, flags, ..]
        if method & 0xf == 8 && u16::from_be_bytes([method, flags]) % 31 == 0);
    if !has_header {
        return inflate(Decompress::new(false), body);
    }
    match inflate(Decompress::new(true), body) {
        Err(Broken::Corrupt) => inflate(Decompress::new(false), body),
        decoded => decoded,
    }
}

fn inflate(mut decoder: Decompress, body: &[u8]) -> Result<Decoded, Broken> {
    let (mut decoded, mut piece) = (Decoded::default(), [0; PIECE]);
    let (mut read, mut written) = (0, 0);
    loop {
        let status = decoder
            .decompress(&body[read..], &mut piece, FlushDecompress::None)
            .map_err(|_| Broken::Corrupt)?;
        let progress = (decoder.total_in() as usize, decoder.total_out() as usize);
        decoded.add(&piece[..progress.1 - written])?;
        if status == Status::StreamEnd {
            return Ok(decoded);
        }
        if progress == (read, written) {
            return Err(Broken::CutOff);
        }
        (read, written) = progress;
    }
}

/// RFC 7932.
fn brotli(body: &[u8]) -> Result<Decoded, Broken> {
    let (mut decoded, mut piece) = (Decoded::default(), [0; PIECE]);
    let mut state = BrotliState::new(Bounded { is_refused: false }, StandardAlloc {}, StandardAlloc {});
    let (mut unread, mut read, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut written) = (PIECE, 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut read,
            body,
            &mut room,
            &mut written,
            &mut piece,
            &mut total,
            &mut state,
        );
        decoded.add(&piece[..written])?;
        match result {
            BrotliResult::ResultSuccess => return Ok(decoded),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err(Broken::CutOff),
            BrotliResult::ResultFailure if state.alloc_u8.is_refused => return Err(Broken::TooLong),
            BrotliResult::ResultFailure => return Err(Broken::Corrupt),
        }
    }
}

/// Hands out no more memory at once than a stream of the longest answer can want, whatever it says that it wants.
struct Bounded {
    is_refused: bool,
}

impl Allocator<u8> for Bounded {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, length: usize) -> Self::AllocatedMemory {
        if length > MAX_WINDOW {
            self.is_refused = true;
            return Self::AllocatedMemory::default();
        }
        StandardAlloc {}.alloc_cell(length)
    }

    fn free_cell(&mut self, _: Self::AllocatedMemory) {}
}

#[cfg(test)]
mod tests;
