//! The command line of `reauth call`.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, USER_AGENT},
    uri::{InvalidUri, PathAndQuery},
};

use super::data::Data;
use crate::{
    mistake::Mistake,
    number::number,
    options::{WhomOptions, seconds},
    vendor::Vendor,
};

const AFTER: &str = "\
Examples:
  reauth call --as videos /videos
  reauth call --as videos POST /videos -d '{\"title\": \"x\"}'
  reauth call --as videos POST /upload -d @film.mp4 -H 'Content-Type: video/mp4'
  reauth call --as videos GET /videos/x/source -o film.mp4
  reauth call --vendor zoom --set account_id=text:AbCd --set client_id=env:ID --set client_secret=file:secret GET /v2/users/me
  reauth call --vendor oauth2 --base-url https://api.example.com --token-url https://login.example.com/token \
      --client-id me --client-secret env:SECRET GET /things

Secrets:
  env:NAME   the environment variable NAME
  file:PATH  the file at PATH, without the newline at its end
  -          a line of standard input
  They are never on the command line itself, which other users of the machine can see.

The request has `Accept: application/json`, and with --data `Content-Type: application/json`. It is sent once
more if the vendor's answer says that the token has expired and a new one can be had, and if no more than 1 MiB
of its data had to be kept for that. Redirects are not followed.

Remembering tokens:
  With --store a token outlives the program, and all processes that name the same store, slot and subject, and have
  the same credentials, get one token together. If the store doesn't work, the call is made without it, and a line on
  standard error says why.

Exit status:
  0    the answer is a 2xx or 3xx
  1    something on this machine: a file can't be read, the output can't be written
  2    wrong usage, or a configuration that can't work
  3    there is no token: the vendor refused the credentials, or its token endpoint doesn't work
  4    the answer is a 4xx
  5    the answer is a 5xx
  6    there is no answer, or it broke off
  7    nothing moved for as long as --timeout says
  When nobody reads the output any more, it ends quietly, with the status of the answer.";

/// Calls a vendor's API with a token that it gets by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, allow_missing_positional = true)]
pub(crate) struct Args {
    /// GET, POST, or any other [default: GET, or POST with --data]
    #[arg(value_name = "METHOD", value_parser = method)]
    method: Option<Method>,

    /// The same as METHOD, for hands that know curl
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = method, conflicts_with = "method")]
    request: Option<Method>,

    /// Path and query, percent-encoded, without the path of --base-url, or a whole URL of the same vendor
    #[arg(value_name = "PATH")]
    pub(crate) target: Target,

    /// What to send: text, @FILE, or @- for standard input
    #[arg(short, long, value_name = "DATA")]
    pub(crate) data: Option<Data>,

    /// A header, as often as needed; `Name:` leaves a default one out
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<Header>,

    /// Write the answer to a file instead of standard output. It is opened before the call, and what is in it stays until the
    /// answer comes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print the answer's status and headers too
    #[arg(short, long)]
    pub(crate) include: bool,

    /// Say on standard error what was done about the token
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// How long to wait while nothing moves, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) whom: WhomOptions,
}

impl Args {
    pub(crate) fn method(&self) -> Method {
        let usual = if self.data.is_some() { Method::POST } else { Method::GET };
        self.method.as_ref().or(self.request.as_ref()).cloned().unwrap_or(usual)
    }

    /// The request's headers: the defaults, and then what was given.
    pub(crate) fn headers(&self, vendor: &Vendor) -> Result<HeaderMap, Mistake> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // In an encoded answer nobody could see that the token has expired.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, HeaderValue::from_static("tower-reauth-call"));
        if self.data.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let given = self.headers.iter().map(Header::parsed).collect::<Result<Vec<_>, _>>()?;
        for (name, _) in &given {
            if Some(name) == vendor.header.as_ref() {
                return Err(Mistake::new(format!(
                    "--header: {name} is where the token goes; leave it out, and give the secret by its option"
                )));
            }
            if *name == TRANSFER_ENCODING
                || *name == CONTENT_LENGTH && !self.data.as_ref().is_some_and(Data::is_read)
            {
                return Err(Mistake::new(format!(
                    "--header: {name} is said by the program, which knows how it sends the body; leave it out (Content-Length is \
                     taken where the body comes from standard input or a pipe)"
                )));
            }
            headers.remove(name);
        }
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            headers.append(name, value);
        }
        let lengths: Vec<_> = headers.get_all(CONTENT_LENGTH).iter().map(HeaderValue::as_bytes).collect();
        match lengths[..] {
            [] => Ok(headers),
            [length] if number(length).is_some_and(|bytes| bytes > 0) => Ok(headers),
            _ => Err(Mistake::new("--header: Content-Length is one number of bytes, more than 0")),
        }
    }
}

/// Those that people write in small letters elsewhere.
const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What to call at the vendor, not checked yet.
#[derive(Clone, Debug)]
pub(crate) struct Target(String);

impl Target {
    /// The URL to call.
    pub(crate) fn at(&self, vendor: &Vendor) -> Result<Uri, Mistake> {
        let wrong = |why: &str| Mistake::new(format!("PATH: {why}"));
        let url = if self.0.starts_with('/') {
            let path = PathAndQuery::from_str(&self.0).map_err(|error| wrong(&not_a_url(&error)))?;
            vendor.url(path)
        } else {
            vendor.own_url(&self.0).ok_or_else(|| {
                let only = vendor.base_url();
                if self.0.starts_with(&only)
                    && let Err(error) = Uri::from_str(&self.0)
                {
                    return wrong(&not_a_url(&error));
                }
                wrong(&format!(
                    "write a path that begins with /, or a URL at {only}; the token is for no other origin"
                ))
            })?
        };
        url.map_err(|error| wrong(&error.to_string()))
    }
}

fn not_a_url(error: &InvalidUri) -> String {
    format!("{error}; percent-encode what a URL can't have")
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

fn method(text: &str) -> Result<Method, String> {
    // Servers tell them apart (RFC 9110 §9.1), and nobody means another method by that.
    if let Some(known) = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(text) && *known != text) {
        return Err(format!("methods are in capitals: {known}"));
    }
    match Method::from_str(text) {
        Ok(Method::CONNECT) => Err("a tunnel isn't a call".to_owned()),
        Ok(Method::TRACE) => Err("the answer would show the token".to_owned()),
        Ok(method) => Ok(method),
        Err(_) => Err("not a method".to_owned()),
    }
}

/// A header, not checked yet: what is wrong with it is said without it, since it may be a secret.
#[derive(Clone)]
struct Header(String);

impl Header {
    fn parsed(&self) -> Result<(HeaderName, HeaderValue), Mistake> {
        let wrong = |why: String| Mistake::new(format!("--header: {why}"));
        let (name, value) = self.0.split_once(':').ok_or_else(|| wrong("write Name: value".to_owned()))?;
        let name = HeaderName::from_str(name.trim()).map_err(|error| wrong(error.to_string()))?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| {
            wrong(format!("the value of {name} has a line break or another character that none can have"))
        })?;
        Ok((name, value))
    }
}

impl FromStr for Header {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Header(..)")
    }
}
