//! [`Listener`]: takes connections at one address.

use std::{io, net::SocketAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

#[cfg(unix)]
use super::socket_file::SocketFile;
use super::{address::Address, link::Link};

/// How long a client's machine may say nothing before it is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Listens at one address.
pub(crate) struct Listener {
    socket: Socket,
    address: Address,
}

enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        _file: SocketFile,
    },
}

impl Listener {
    /// Begins to listen.
    pub(crate) async fn bind(address: &Address) -> io::Result<Self> {
        let listener = match address {
            Address::Tcp(address) => match TcpListener::bind(address).await {
                Ok(listener) => listener
                    .local_addr()
                    .map(|address| Self { socket: Socket::Tcp(listener), address: Address::Tcp(address) }),
                Err(error) => Err(error),
            },
            #[cfg(unix)]
            Address::Unix(path) => SocketFile::listen(path).map(|(listener, file)| Self {
                socket: Socket::Unix { listener, _file: file },
                address: address.clone(),
            }),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        listener.map_err(|error| {
            let address = match address {
                Address::Tcp(address) => address.to_string(),
                address @ Address::Unix(_) => address.to_string(),
            };
            io::Error::new(error.kind(), format!("can't listen at {address}: {error}"))
        })
    }

    /// Where it listens, with the port that it got.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The address, if it isn't a Unix socket.
    pub(crate) fn tcp(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        }
    }

    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> io::Result<Link> {
        match &self.socket {
            Socket::Tcp(listener) => listener.accept().await.map(|(stream, _)| over_tcp(stream)),
            #[cfg(unix)]
            Socket::Unix { listener, .. } => listener.accept().await.map(|(stream, _)| Link::Unix(stream)),
        }
    }

    /// Listens no more. Those who were connected by then, as far as they know, are still accepted.
    pub(super) fn rest(self) -> Vec<Link> {
        let mut rest = Vec::new();
        match self.socket {
            Socket::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else { return rest };
                while let Ok((stream, _)) = listener.accept() {
                    let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                    rest.extend(stream.map(over_tcp));
                }
            }
            #[cfg(unix)]
            Socket::Unix { listener, .. } => {
                let Ok(listener) = listener.into_std() else { return rest };
                while let Ok((stream, _)) = listener.accept() {
                    let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
                    rest.extend(stream.map(Link::Unix));
                }
            }
        }
        rest
    }
}

fn over_tcp(stream: TcpStream) -> Link {
    // Without it small answers wait for the client's delayed acknowledgement; failing that, they are only slow.
    let _ = stream.set_nodelay(true);
    // A machine that has gone without a word would be connected for ever.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE));
    Link::Tcp(stream)
}
