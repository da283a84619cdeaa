//! What is decoded, what is refused, and what a body that grows without end takes.

use std::io::Write;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::StatusCode;

use super::*;
use crate::error::AcquireErrorKind;

const MIB: usize = 1024 * 1024;

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn brotli(body: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut encoded, 4096, 3, 24);
    encoder.write_all(body).unwrap();
    drop(encoder);
    encoded
}

type Encode = fn(&[u8]) -> Vec<u8>;

const ENCODERS: [(&str, Encode); 4] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", deflate), ("br", brotli)];

fn response(status: u16, codings: &[&str], body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let mut response = Response::builder().status(status).header(CONTENT_LENGTH, body.len());
    for coding in codings {
        response = response.header(CONTENT_ENCODING, *coding);
    }
    response.body(body).unwrap()
}

fn decode(coding: &str, body: impl Into<Bytes>) -> Result<Bytes, AcquireError> {
    decoded(response(200, &[coding], body)).map(Response::into_body)
}

#[track_caller]
fn assert_fails(answer: Result<Bytes, AcquireError>, text: &str) {
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.status()), (AcquireErrorKind::Transient, Some(StatusCode::OK)));
    assert_eq!(error.to_string(), format!("the token endpoint's answer {text} (status 200)"));
}

#[test]
fn a_coding_is_undone_and_the_headers_that_were_about_it_are_gone() {
    for body in ["x", r#"{"access_token":"t"}"#, &"long ".repeat(10_000)] {
        for (coding, encode) in ENCODERS {
            let plain = decoded(response(200, &[coding], encode(body.as_bytes()))).unwrap();
            assert!(plain.headers().is_empty(), "{coding}");
            assert_eq!(plain.body(), body, "{coding}");
        }
    }
    for (names, encoded) in [
        (&["X-GZIP"][..], gzip(b"x")),
        (&[" gzip ,"], gzip(b"x")),
        (&["identity, GZip"], gzip(b"x")),
        (&["gzip", "br"], brotli(&gzip(b"x"))),
        (&["br, deflate", "gzip"], gzip(&zlib(&brotli(b"x")))),
        (&["gzip"], [gzip(b""), gzip(b"x")].concat()),
    ] {
        assert_eq!(decoded(response(200, names, encoded)).unwrap().body(), "x", "{names:?}");
    }
}

#[test]
fn what_is_not_encoded_stays_as_it_is() {
    for names in [&[][..], &["identity"], &["", " , "]] {
        let same = decoded(response(200, names, "plain")).unwrap();
        assert_eq!((same.body(), same.headers().len()), (&Bytes::from("plain"), 1 + names.len()));
    }
    for coding in ["gzip", "deflate", "br", "zstd"] {
        assert_eq!(decode(coding, "").unwrap(), "", "nothing needs no decoding");
    }
}

#[test]
fn a_body_that_is_cut_off_or_corrupt_is_said_to_be() {
    let body: Vec<u8> = (0..5000_u32).flat_map(|number| (number * 7919).to_string().into_bytes()).collect();
    for (coding, encode) in ENCODERS {
        let encoded = encode(&body);
        for length in [1, 2, 10, encoded.len() / 2, encoded.len() - 1] {
            let text = format!("is encoded as {coding}, and cut off");
            assert_fails(decode(coding, encoded[..length].to_vec()), &text);
        }
        assert_fails(decode(coding, vec![0xff; 20]), &format!("is encoded as {coding}, and corrupt"));
        // One that isn't encoded at all.
        let error = decode(coding, r#"{"access_token":"s3cret"}"#).unwrap_err();
        assert!(!crate::credential::scripted::printed(&error).contains("s3cret"), "{error:?}");
    }
    for (coding, encode) in [ENCODERS[0], ENCODERS[1]] {
        let mut encoded = encode(&body);
        // In the checksum.
        *encoded.iter_mut().rev().nth(5 * usize::from(coding == "gzip")).unwrap() ^= 1;
        assert_fails(decode(coding, encoded), &format!("is encoded as {coding}, and corrupt"));
    }
}

#[test]
fn a_coding_that_is_not_known_is_named() {
    let text = "has a content coding that can't be decoded here";
    for name in ["zstd", "compress"] {
        assert_fails(decode(name, "x"), &format!("{text}: {name}"));
        assert_fails(decode(&format!("gzip, {name}"), "x"), &format!("{text}: {name}"));
    }
    let error = decode("s3cret", "x").unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "content-encoding: \"s3cret\"");
    assert_fails(Err(error), text);
    assert_fails(decode("gzip,gzip,gzip,gzip", "x"), "is encoded more than 3 times");
}

#[test]
fn a_refusal_that_cannot_be_decoded_is_left_to_its_status() {
    for status in [302, 400, 401, 429, 503] {
        for (coding, body) in [("gzip", "x"), ("zstd", "x"), ("br,br,br,br", "x")] {
            let same = decoded(response(status, &[coding], body)).unwrap();
            assert_eq!((same.status().as_u16(), same.body()), (status, &Bytes::from(body)));
            assert_eq!(same.headers()[CONTENT_ENCODING], coding);
        }
        let refused = decoded(response(status, &["gzip"], gzip(b"no"))).unwrap();
        assert_eq!((refused.status().as_u16(), refused.body()), (status, &Bytes::from("no")));
    }
}

#[test]
fn a_mebibyte_is_read_and_no_byte_more() {
    for (coding, encode) in ENCODERS {
        assert_eq!(decode(coding, encode(&vec![b'x'; MIB])).unwrap().len(), MIB, "{coding}");
        assert_fails(decode(coding, encode(&vec![b'x'; MIB + 1])), "is longer than 1 MiB");
    }
}

#[test]
fn a_bomb_takes_little_more_than_what_is_read_of_it() {
    // A gibibyte each, of pieces that are valid one after the other.
    let piece = || {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; MIB]).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    };
    let mut bombs = vec![("gzip", gzip(&vec![0; MIB]).repeat(1024)), ("deflate", piece().repeat(1024))];
    // Brotli says beforehand how much there will be.
    bombs.push(("br", brotli(&vec![0; 4 * MIB])));
    bombs.push(("br,gzip", gzip(&bombs[2].1)));
    for (coding, bomb) in bombs {
        let response = response(200, &[coding], bomb);
        let mut answer = None;
        let taken = allocation_counter::measure(|| answer = Some(decoded(response).map(Response::into_body)));
        assert_fails(answer.unwrap(), "is longer than 1 MiB");
        let most = 2 * MIB as u64;
        assert!(taken.bytes_max < most, "{coding}: {} bytes", taken.bytes_max);
    }
}
