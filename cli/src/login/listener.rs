//! [`Listener`]: where the answer of a login in a browser comes to, on this machine alone (RFC 8252 §7.3).

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    handler::Handler,
    http::{Method, StatusCode, header::HOST},
    response::Response,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use super::{
    failure::{Failure, tame},
    page::page,
};

const PATH: &str = "/callback";

/// What has to be in an answer for it to be this login's.
pub(super) struct Expected {
    pub(super) state: SecretString,
    /// Who has to have given it, if that is known (RFC 9207).
    pub(super) issuer: Option<String>,
    /// Whether one without issuer is somebody else's.
    pub(super) needs_issuer: bool,
}

/// Listens before anybody is sent away.
pub(super) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// At this port, or at a free one if it is 0.
    pub(super) async fn bind(port: u16) -> Result<Self, Failure> {
        let tcp = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(tcp) => tcp,
            // On a machine without IPv4. Elsewhere the address would be another than the one that the server may know.
            Err(error) if is_occupied(&error) => return Err(Failure::Listen(port, error)),
            Err(error) => match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(tcp) => tcp,
                Err(_) => return Err(Failure::Listen(port, error)),
            },
        };
        let address = tcp.local_addr().map_err(|error| Failure::Listen(port, error))?;
        Ok(Self { tcp, address })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits for the answer to this login, and then listens no more. Others are refused, and end nothing.
    pub(super) async fn code(self, expected: Expected, limit: Duration) -> Result<SecretString, Failure> {
        let (tell, told) = oneshot::channel();
        let gate = Gate { host: self.address.to_string(), expected, tell: Mutex::new(Some(tell)) };
        let service = answer.with_state(Arc::new(gate)).into_make_service();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(self.tcp, service).with_graceful_shutdown(async { drop(stopped.await) });
        let server = tokio::spawn(server.into_future());
        let code = timeout(limit, told).await;
        drop(stop);
        // The page still has to be shown; whoever keeps a connection open isn't waited for.
        let _ = timeout(Duration::from_secs(1), server).await;
        code.map_err(|_| Failure::TimedOut)?.map_err(|_| Failure::TimedOut)?
    }
}

/// Whether the address is there, and somebody else has the port, or it isn't for this user.
fn is_occupied(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

/// Lets one answer in.
struct Gate {
    host: String,
    expected: Expected,
    tell: Mutex<Option<oneshot::Sender<Result<SecretString, Failure>>>>,
}

async fn answer(State(gate): State<Arc<Gate>>, request: Request<Body>) -> Response {
    let no = |status: StatusCode| page(status, "reauth", "This is not the answer to a login.");
    // A page that had its own name point here could otherwise ask for this.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if host != Some(&*gate.host) || request.uri().path() != PATH {
        return no(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return no(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Some(outcome) = gate.expected.read(request.uri().query().unwrap_or_default()) else {
        return no(StatusCode::BAD_REQUEST);
    };
    let Some(tell) = gate.tell.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return no(StatusCode::GONE);
    };
    let response = match &outcome {
        Ok(_) => page(StatusCode::OK, "Almost there", "Go back to the terminal. You can close this page."),
        Err(error) => page(StatusCode::OK, "Nobody is logged in", &error.to_string()),
    };
    let _ = tell.send(outcome);
    response
}

impl Expected {
    /// The code, or why there is none. `None` for what isn't an answer to this login.
    fn read(&self, query: &str) -> Option<Result<SecretString, Failure>> {
        let mut fields: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // RFC 6749 §3.1: none may be there twice.
        let mut take = |name: &str| -> Result<Option<String>, ()> {
            let at = fields.iter().position(|(known, _)| known == name);
            let value = at.map(|at| fields.swap_remove(at).1);
            if fields.iter().any(|(known, _)| known == name) { Err(()) } else { Ok(value) }
        };
        let state = take("state").ok()??;
        if state != self.state.expose_secret() {
            return None;
        }
        let (code, error) = (take("code").ok()?, take("error").ok()?);
        let (issuer, words) = (take("iss").ok()?, take("error_description").ok()?);
        let is_other = match (&issuer, &self.issuer) {
            (Some(said), Some(known)) => said != known,
            (None, _) => self.needs_issuer,
            (Some(_), None) => false,
        };
        if is_other {
            let words = "the answer is another authorization server's than the one that was asked (RFC 9207)";
            return Some(Err(Failure::Refused(words.to_owned())));
        }
        match (code, error) {
            (Some(code), None) if !code.is_empty() => Some(Ok(code.into())),
            (None, Some(error)) => {
                let words = words.map(|words| format!(": {}", tame(&words))).unwrap_or_default();
                Some(Err(Failure::Refused(format!("the server says {}{words}", tame(&error)))))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, needs_issuer: bool) -> Option<Result<String, String>> {
        let issuer = Some("https://a.example".to_owned());
        let expected = Expected { state: "s".into(), issuer, needs_issuer };
        let read = expected.read(query)?;
        Some(read.map(|code| code.expose_secret().to_owned()).map_err(|error| error.to_string()))
    }

    #[test]
    fn only_the_answer_to_this_login_is_one() {
        assert_eq!(read("code=c&state=s", false), Some(Ok("c".to_owned())));
        assert_eq!(read("code=c%20d&state=s&iss=https%3A%2F%2Fa.example", true), Some(Ok("c d".to_owned())));
        for query in [
            "",
            "code=c",
            "code=c&state=t",
            "code=c&state=",
            "state=s",
            "code=&state=s",
            "code=c&code=d&state=s",
            "code=c&state=s&state=s",
            "code=c&error=e&state=s",
            "code=c&state=s&iss=a&iss=a",
        ] {
            assert_eq!(read(query, false), None, "{query}");
        }
    }

    #[test]
    fn an_answer_of_another_server_ends_it() {
        for (query, needs) in [
            ("code=c&state=s&iss=https://b.example", false),
            ("code=c&state=s&iss=", false),
            ("code=c&state=s", true),
        ] {
            let why = read(query, needs).expect("an answer").expect_err(query);
            assert!(why.contains("another authorization server's"), "{why}");
        }
        let why = read("error=access_denied&error_description=no%0A%1B[0mway&state=s", false);
        assert_eq!(why, Some(Err("the server says access_denied: no  [0mway".to_owned())));
    }
}
