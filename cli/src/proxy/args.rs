//! The command line of `reauth proxy`.

use std::time::Duration;

use clap::builder::Resettable;
use http::uri::{Authority, PathAndQuery};

use super::front::{Address, Limits};
use crate::{
    mistake::Mistake,
    options::{Secret, WhomOptions, seconds},
};

const AFTER: &str = "\
Secrets:
  env:NAME   the environment variable NAME
  file:PATH  the file at PATH, without the newline at its end
  -          a line of standard input
  They are never on the command line itself, which other users of the machine can see.

Who may call:
  Whoever can connect calls the vendor in your name: every program and every user of this machine. So can web
  pages in a browser on it; they are refused with 403. A request whose Host is not this proxy's comes from a page
  that had its own name point here (see --allow-host). One with an Origin comes from a page's script (see
  --allow-origin), and one with Sec-Fetch-Site: cross-site or same-site from a page that is not this proxy's own
  (see --allow-cross-site). Browsers send Sec-Fetch-Site to their own machine, and to others over TLS only, so with
  --allow-remote it keeps nobody out.
  A Unix socket (--listen unix:PATH) is for the user of this process alone, with permissions 0600, and for no page; there
  the Host may be any. The file of a process that has gone is replaced.

  With --allow-key a client must show one of these keys besides, as Proxy-Authorization: Bearer KEY, or as the password of
  Basic with any name. Who shows none is answered with 407, but for health. The header goes no further.

What is forwarded:
  Method, path and query byte for byte, bodies as they come, trailers. The origin is always the vendor's; if it has a
  path of its own, that comes first, and a path that may lead out of it is refused. What is
  meant for one connection only stays here (RFC 9110, section 7.6.1), as do the client's own credentials and
  cookies, and cookies that the vendor sets: a browser would send them to every server on this machine. Answers
  are asked for without content coding, since in an encoded one nobody could see that the token has expired.
  Via is added. CONNECT and TRACE are refused with 501.

  WebSocket goes through over HTTP/1.1: the handshake gets the token, and is made once more with a new one if that had
  expired; what comes then is carried both ways, until nothing has moved for --upgrade-timeout. Pages may open one under the
  same rules as they may call. Upgrades to other protocols than those of --upgrades are refused with 501.

  If the vendor says that the token has expired, it is renewed, and the request sent once more if no more than
  --replay-limit bytes of its body had to be kept for that.

The proxy's own answers have Proxy-Status (RFC 9209), and a problem in JSON (RFC 9457):
  400, 403, 501  the request isn't one or broke off, or may not be made, as said above
  404            there is no upstream for it
  405            only GET is for health
  407            the key is missing, or is none of --allow-key
  408            the client stopped in the middle of its body for as long as --timeout says
  417            something is expected that is not 100-continue
  421            the target's scheme is not http, or https by a name of --allow-host
  502            the vendor can't be reached, or broke off
  503            there is no token, perhaps with Retry-After
  504            nothing moved for as long as --timeout says
  508            the proxy calls itself

Limits:
  Connections beyond --max-connections wait until one ends. A connection is closed that has no request for as long as
  --idle-timeout says, whose request's head takes longer than --head-timeout, or that takes in nothing of an answer for
  --stall-timeout; over HTTP/2 such an answer is reset, and the client's others go on. A head longer than --max-head, or with more fields than --max-fields, is answered with 431. Bodies may
  be of any length: what one side hasn't taken in, the other can't send. A vendor that takes in nothing more of one,
  and says nothing, is disconnected after --timeout and --stall-timeout together. Over HTTP/2 a client may have
  --max-streams requests under way; whoever resets them faster than they are looked at is disconnected, as is whoever
  doesn't answer pings. Requests whose length could be read in two ways are refused with 400 (RFC 9112, section 11.2);
  of chunks beside a length, the chunks count, the length goes no further, and the connection is closed after the
  answer (section 6.1). If the system has no room for another connection, such as too many open files, it is waited
  for.

Several vendors:
  With --upstreams the configuration file says whom requests are for (docs/program.md has all keys):
    [[proxy.upstreams]]
    as = 'videos'            # a credential of the file
    path = '/videos'         # GET /videos/x is GET /x there
    [[proxy.upstreams]]
    as = 'billing'
    host = 'billing.internal'
  One by host comes before one without, and the longer path before the shorter one; without either, all else is for it.
  What is for none is answered with 404.

Health:
  --health-path answers GET with JSON about the token, none of it secret: 200 if the next request can be expected to
  get a token, and 503 if the last attempt to get one failed and there is no valid one, or if the vendor keeps
  rejecting new ones. A proxy that nobody has used yet is ready. So is one with a key that can't be renewed, such as
  Videsk's: whether that is still good, only the vendor's answers tell. With --upstreams it has all of them, and is 503 if one
  of them isn't ready; with the name of one after it, such as /.tower-reauth/health/videos, it has that one alone.
  --live-path answers with 200 for as long as the proxy works, whatever vendors do.

Metrics:
  --metrics-path answers with text that Prometheus reads: requests by upstream and class of status, how long they took until
  the head of the answer was there, requests that were sent again, the number of the token, whether the next request can be
  expected to get one, connections. There is no path in it, no client and nothing secret. Like health it needs no key.

Remembering tokens:
  With --store a token outlives the program, and all processes that name the same store, slot and subject, and have
  the same credentials, get one token together: several proxies, and calls. If the store doesn't work, tokens are used
  from memory, and health says why.

Signals:
  SIGHUP has it read the configuration again: the configuration file, what it declares, and keys of clients that are in files.
  It is checked as a whole first, and if it can't work the old one stays. Requests that have begun end with the old one;
  credentials that are the same keep their tokens. Other options are as they were, so another --listen needs another process.
  SIGTERM and SIGINT have it end: it listens no more, answers what has begun and what is on its way on connections that it
  has, and closes each of them with an answer that says so, or by GOAWAY over HTTP/2. WebSocket's clients are told, too.

Exit status:
  0  ended by SIGINT or SIGTERM, all requests answered
  1  it can't listen, or requests were cut off after --grace or a second signal
  2  wrong usage, or a configuration that can't work

Examples:
  One vendor, with its key in the environment:
    reauth proxy --vendor api-video --sandbox --key env:API_VIDEO_KEY
    curl http://127.0.0.1:8080/videos

  A credential of the configuration file, at another port, which says how each request was answered:
    reauth proxy --as videos --listen 127.0.0.1:9000 --verbose

  All vendors of the configuration file, each by its path:
    reauth proxy --upstreams &
    curl http://127.0.0.1:8080/videos/x
    curl http://127.0.0.1:8080/.tower-reauth/health
    kill -HUP $!    # after a change of the file

  For this user's programs alone, and for no web page:
    reauth proxy --as videos --listen unix:/run/user/1000/reauth.sock
    curl --unix-socket /run/user/1000/reauth.sock http://localhost/videos

  For other machines, which call it reauth and show a key:
    reauth proxy --upstreams --listen 0.0.0.0:8080 --allow-remote --allow-host reauth:8080 --allow-key file:client.key
    curl -H \"Proxy-Authorization: Bearer $KEY\" http://reauth:8080/videos/x

  Uploads of up to 10 MB are sent once more after an expiry, and a token outlives the program:
    reauth proxy --vendor api-video --key env:KEY --replay-limit 10000000 --store file:tokens --subject my-account";

/// A local reverse proxy that puts a vendor's token on requests, and renews it.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, mut_arg("file", |file| file.requires(Resettable::Reset)))]
pub(crate) struct Args {
    /// Where to listen, as often as needed: IP:PORT, of which port 0 is a free one, or unix:PATH. The URL of each is printed on
    /// standard output
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: Vec<Address>,

    /// Listen at an address that other machines can reach. They all call the vendor in your name, in plain text
    #[arg(long)]
    allow_remote: bool,

    /// Another name by which this proxy is called, as often as needed
    #[arg(long, value_name = "HOST[:PORT]", value_parser = host)]
    pub(crate) allow_host: Vec<Authority>,

    /// An origin whose pages may call, such as http://localhost:3000, as often as needed
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,

    /// Let pages of other sites call where the browser says no Origin
    #[arg(long)]
    pub(crate) allow_cross_site: bool,

    /// A key that clients must show in Proxy-Authorization, as often as needed: whoever shows one of them may call
    #[arg(long, value_name = "SECRET", value_parser = Secret::parser())]
    pub(crate) allow_key: Vec<Secret>,

    /// Forward Authorization and the token's header as the client sends them; a request that has the latter gets no token
    #[arg(long)]
    pub(crate) forward_credentials: bool,

    /// Forward cookies both ways
    #[arg(long)]
    pub(crate) forward_cookies: bool,

    /// The protocols that a connection may be upgraded to, with commas between them; none for none
    #[arg(long, value_name = "PROTOCOLS", value_delimiter = ',', default_value = "websocket", value_parser = protocol)]
    pub(crate) upgrades: Vec<String>,

    /// Call the vendors of the configuration file's [proxy], each by its path or its host, and not one alone
    #[arg(long, conflicts_with_all = ["vendor", "config", "name"])]
    pub(crate) upstreams: bool,

    /// The path that is answered here and not by the vendor, with how the token is doing
    #[arg(long, value_name = "PATH", default_value = "/.tower-reauth/health", value_parser = path)]
    pub(crate) health_path: String,

    /// The path that is answered here for as long as the proxy works at all
    #[arg(long, value_name = "PATH", default_value = "/.tower-reauth/live", value_parser = path)]
    pub(crate) live_path: String,

    /// The path that is answered here with metrics for Prometheus
    #[arg(long, value_name = "PATH", default_value = "/.tower-reauth/metrics", value_parser = path)]
    pub(crate) metrics_path: String,

    /// How much of a request body is kept for sending it again, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65536)]
    pub(crate) replay_limit: usize,

    /// How long nothing may move until the vendor answers, in seconds. An answer may then take as long as it likes
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,

    /// How long requests in flight have when the program is asked to end, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) grace: Duration,

    /// Say of each request, on standard error, how it was answered and what was done about the token
    #[arg(short, long)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) limits: Limits,

    #[command(flatten)]
    pub(crate) whom: WhomOptions,
}

impl Args {
    /// What connections may be upgraded to.
    pub(crate) fn protocols(&self) -> Vec<String> {
        self.upgrades.iter().filter(|protocol| *protocol != "none").cloned().collect()
    }

    /// What concerns more than one option.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        if self.listen.len() > self.limits.max_connections as usize {
            return Err(Mistake::new("--max-connections: each --listen needs one at least"));
        }
        let is_local = |address: &Address| match address {
            Address::Tcp(address) => address.ip().is_loopback(),
            Address::Unix(_) => true,
        };
        let Some(Address::Tcp(remote)) = self.listen.iter().find(|address| !is_local(address)) else {
            return Ok(());
        };
        if self.allow_remote {
            return Ok(());
        }
        Err(Mistake::new(format!(
            "--listen: other machines could reach {remote} and call the vendor in your name; use 127.0.0.1 or [::1], or \
             say --allow-remote if that is what you want"
        )))
    }
}

fn host(text: &str) -> Result<Authority, String> {
    match text.parse::<Authority>() {
        Ok(host) if !host.as_str().contains('@') => Ok(host),
        _ => Err("write a host, or host:port".to_owned()),
    }
}

fn protocol(text: &str) -> Result<String, String> {
    // RFC 9110 §5.6.2: a token, perhaps with a version behind a slash.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_token) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("write names of protocols, such as websocket, with commas between them".to_owned()),
    }
}

fn path(text: &str) -> Result<String, String> {
    match text.parse::<PathAndQuery>() {
        Ok(path) if text.starts_with('/') && path.query().is_none() => Ok(text.to_owned()),
        _ => Err("write a path that begins with /, without a query".to_owned()),
    }
}
