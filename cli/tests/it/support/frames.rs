//! Frames of HTTP/2 (RFC 9113 §4.1), byte for byte.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::soon;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Empty.
pub(crate) const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Whether a ping is the answer to one.
    pub(crate) fn is_ack(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Whether an answer's body is at its end.
    pub(crate) fn is_end(&self) -> bool {
        self.kind == DATA && self.flags & 1 != 0
    }

    /// Why a stream or a connection ends, of `RST_STREAM` and `GOAWAY`.
    pub(crate) fn error(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        number(&self.payload[at..at + 4])
    }
}

/// SETTINGS of a client that takes in no body of an answer until it says so (RFC 9113 §6.5.2).
pub(crate) fn shut() -> Vec<u8> {
    frame(4, 0, 0, &[0, 4, 0, 0, 0, 0])
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The whole of a GET of `/` (RFC 7541, appendix A, has the numbers).
pub(crate) fn get(stream: u32, authority: &str) -> Vec<u8> {
    let length = u8::try_from(authority.len()).expect("short");
    let block = [&[0x82, 0x86, 0x84, 0x01, length], authority.as_bytes()].concat();
    // END_STREAM and END_HEADERS.
    frame(HEADERS, 0x05, stream, &block)
}

/// END_HEADERS.
pub(crate) const END_HEADERS: u8 = 4;

/// The head of a POST of `/`, whose body is to come.
pub(crate) fn post(stream: u32, flags: u8, authority: &str) -> Vec<u8> {
    let mut whole = get(stream, authority);
    // Flags, and the method (RFC 7541, appendix A).
    (whole[4], whole[9]) = (flags, 0x83);
    whole
}

/// The whole of a request with these fields, each of them written out (RFC 7541 §6.2.2).
pub(crate) fn request(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("short");
    let block = fields.iter().flat_map(|(name, value)| {
        [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
    });
    frame(HEADERS, 0x05, stream, &block.collect::<Vec<_>>())
}

/// The frames that are whole.
pub(crate) fn split(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while bytes.len() >= 9 {
        let length = number(&[0, bytes[0], bytes[1], bytes[2]]) as usize;
        let Some(payload) = bytes.get(9..9 + length) else { break };
        let stream = number(&bytes[5..9]) & 0x7fff_ffff;
        frames.push(Frame { kind: bytes[3], flags: bytes[4], stream, payload: payload.to_vec() });
        bytes = &bytes[9 + length..];
    }
    frames
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("four bytes"))
}

/// A server's connection on which the head of a request has come.
pub(crate) async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut tcp, _) = soon(listener.accept()).await.unwrap();
    tcp.write_all(&SETTINGS).await.unwrap();
    let mut seen = Vec::new();
    while !split(seen.get(PREFACE.len()..).unwrap_or_default()).iter().any(|frame| frame.kind == HEADERS) {
        assert!(soon(tcp.read_buf(&mut seen)).await.unwrap() > 0, "it closes");
    }
    tcp
}
