//! PEM (RFC 7468) as people keep it: [`text`] takes off what is around it, and [`blocks`] are what is in it. What is wanted of
//! these is for `private_key.rs` and `certificates.rs` to say. It is pure, and its errors never show what is in it.
//!
//! A variable may hold no line breaks, and a file from elsewhere others than ours. So these are all taken for the same:
//! lines; the two characters `\n` in their place; spaces, or nothing at all; a byte order mark before it; quotes around it;
//! and base64 of the whole.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use secrecy::zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) type Text = Zeroizing<String>;

/// The last two are older names of the first, which RFC 7468 §5.1 lets those read who have to.
pub(super) const CERTIFICATES: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"];
pub(super) const PUBLIC_KEYS: &[&str] = &["PUBLIC KEY", "RSA PUBLIC KEY", "SSH2 PUBLIC KEY"];
pub(super) const REQUESTS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// What stands between a line with `BEGIN` and one with `END`.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    /// `None` if there is no such end.
    pub(super) body: Option<&'a str>,
}

impl Block<'_> {
    pub(super) fn is(&self, labels: &[&str]) -> bool {
        labels.contains(&self.label)
    }

    /// The block as RFC 7468 has it, with `label`.
    pub(super) fn pem(&self, label: &str) -> Result<Text, &'static str> {
        let body = self.body.ok_or("its last line is missing, which begins with -----END")?;
        let body: Text = Zeroizing::new(body.split_whitespace().collect());
        let der = BASE64.decode(&*body).map(Zeroizing::new);
        let der = der.map_err(|_| "what is between its first and its last line is not base64")?;
        let body = Zeroizing::new(BASE64_STANDARD.encode(&*der));
        let mut pem = Zeroizing::new(format!("{BEGIN}{label}{DASHES}\n"));
        for line in body.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|&byte| char::from(byte)).chain(['\n']));
        }
        pem.push_str(&format!("-----END {label}{DASHES}\n"));
        Ok(pem)
    }
}

/// The blocks of a text, whatever is around and between them.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    text.split(BEGIN).skip(1).filter_map(|rest| {
        let (label, rest) = rest.split_once(DASHES)?;
        let body = rest.split_once(&format!("-----END {label}{DASHES}")).map(|(body, _)| body);
        Some(Block { label, body })
    })
}

/// The text with what stands for line breaks as such, and nothing around it.
pub(super) fn text(pem: &[u8]) -> Result<Text, &'static str> {
    let text = readable(pem)?;
    if text.contains(BEGIN) {
        return Ok(text);
    }
    // Base64 of the whole, as some write it into variables.
    let packed: Text = Zeroizing::new(text.split_whitespace().collect());
    let packed = Zeroizing::new(packed.replace('-', "+").replace('_', "/"));
    let unpacked = BASE64.decode(&*packed).map(Zeroizing::new);
    match unpacked.map(|bytes| readable(&bytes)) {
        Ok(Ok(text)) if text.contains(BEGIN) => Ok(text),
        _ => Ok(text),
    }
}

fn readable(pem: &[u8]) -> Result<Text, &'static str> {
    if pem.starts_with(&[0xff, 0xfe]) || pem.starts_with(&[0xfe, 0xff]) {
        return Err("it is utf-16, as windows powershell writes files; save it as utf-8");
    }
    let text = Zeroizing::new(String::from_utf8_lossy(pem).into_owned());
    // A sequence of ASN.1 (X.690 §8.9), which all these are.
    if pem.first() == Some(&0x30) && !text.contains(BEGIN) && std::str::from_utf8(pem).is_err() {
        return Err(
            "it is binary, not text; convert it: openssl pkey -inform der -in key.der -out key.pem for a key, \
                    openssl x509 -inform der -in a.der -out a.pem for a certificate",
        );
    }
    let text = text.trim_start_matches('\u{feff}').trim().trim_matches(['"', '\'']);
    let mut unescaped = Text::default();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            // Once more for each time that it was written as JSON.
            ('\\', Some('\\')) => {}
            ('\\', Some('n' | 'r')) => {
                chars.next();
                unescaped.push('\n');
            }
            _ => unescaped.push(char),
        }
    }
    Ok(unescaped)
}

/// Where there is no block that anybody knows.
pub(super) fn in_place_of_any(text: &str, expected: &'static str) -> &'static str {
    let is_base64 =
        |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '=') || char.is_whitespace();
    if text.is_empty() {
        "it is empty"
    } else if !text.contains(char::is_whitespace)
        && [".pem", ".key", ".crt", ".cer"].iter().any(|end| text.ends_with(end))
    {
        "it is the name of a file; read the file"
    } else if text.starts_with("MI") && text.chars().all(is_base64) {
        "its first and its last line are missing, the ones with -----BEGIN and -----END"
    } else {
        expected
    }
}

/// The ways in which people write a PEM.
#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::secret) fn forms(pem: &str) -> Vec<String> {
        let line = pem.trim().replace('\n', " ");
        let escaped = pem.replace('\n', "\\n");
        let base64 = BASE64_STANDARD.encode(pem);
        let folded: Vec<_> =
            base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        vec![
            pem.to_owned(),
            pem.trim().to_owned(),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\r"),
            pem.replace('\n', "\n\n"),
            pem.replace('\n', "\n    "),
            format!("\u{feff}{}", pem.replace('\n', "\r\n")),
            format!("# made by hand\nBag Attributes: none\n{pem}\nmore"),
            escaped.clone(),
            pem.replace('\n', "\\r\\n"),
            pem.replace('\n', "\\\\n"),
            format!("\"{escaped}\""),
            format!("'{}'\n", pem.trim()),
            format!("\u{feff}\"{escaped}\"\r\n"),
            line.clone(),
            line.replace("----- ", "-----").replace(" -----", "-----"),
            pem.trim().replace('\n', "\t"),
            format!("{{\"private_key\": \"{escaped}\"}}"),
            base64.clone(),
            format!("{}\n", base64.trim_end_matches('=')),
            base64.replace('+', "-").replace('/', "_"),
            folded.join("\n"),
            BASE64_STANDARD.encode(&escaped),
        ]
    }
}
