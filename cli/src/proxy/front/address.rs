//! [`Address`]: where the proxy listens.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

const UNIX: &str = "unix:";

/// An address of this machine, or a socket in its file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(UNIX) {
            Some("") => Err("write the path of the socket after unix:".to_owned()),
            Some(path) if cfg!(unix) => Ok(Self::Unix(path.into())),
            Some(_) => Err("there are no Unix sockets on this system".to_owned()),
            None => text.parse().map(Self::Tcp).map_err(|_| {
                "write IP:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:PATH for a Unix socket"
                    .to_owned()
            }),
        }
    }
}

/// As a client needs it: a URL, or where the socket is.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}
