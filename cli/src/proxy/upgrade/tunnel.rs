//! Carries bytes both ways, until both sides have enough or nothing moves.

use std::{io, pin::pin, time::Duration};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::sleep,
};

use super::close::{Edges, GOING_AWAY};
use crate::{idle::Idle, proxy::front::Ended};

/// How much is read at once, in bytes. So much waits for the other side to take it in, for each direction.
const PIECE: usize = 16 * 1024;

/// How long both sides have to end when the proxy does.
const ENDING: Duration = Duration::from_secs(5);

/// What may be done when the proxy ends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Speech {
    /// WebSocket: the client can be told.
    Frames,
    /// Nobody here knows it, so it is cut off.
    Unknown,
}

/// Carries bytes between client and vendor. Each may end its own direction, and still get what comes in the other one.
pub(super) async fn run(client: Upgraded, vendor: Upgraded, speech: Speech, idle: Duration, ended: Ended) {
    let (idle, mut ending) = (Idle::new(idle), ended.clone());
    let (from_client, to_client) = split(TokioIo::new(client));
    let (from_vendor, to_vendor) = split(TokioIo::new(vendor));
    let both = pin!(async {
        let up = pump(from_client, to_vendor, &idle);
        let down = async {
            match speech {
                Speech::Frames => pump_frames(from_vendor, to_client, &idle, ended).await,
                Speech::Unknown => pump(from_vendor, to_client, &idle).await,
            }
        };
        tokio::try_join!(up, down)
    });
    let out = async {
        ending.begins().await;
        if speech == Speech::Frames {
            sleep(ENDING).await;
        }
    };
    tokio::select! {
        // What broke it off, or that nothing moved, is of use to nobody here: both are closed.
        _ = idle.bound(both) => {}
        () = out => {}
    }
}

/// Carries bytes one way, and then their end.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    idle: &Idle,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).await?;
        idle.moved();
        if read == 0 {
            return to.shutdown().await;
        }
        write(&mut to, &piece[..read], idle).await?;
    }
}

/// The same for the frames of a server of WebSocket. When the proxy is to end, the client is told after the frame that is under
/// way, and gets no other any more; it answers, and the vendor gets that.
async fn pump_frames(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    idle: &Idle,
    mut ended: Ended,
) -> io::Result<()> {
    let (mut edges, mut piece) = (Edges::default(), vec![0; PIECE]);
    let mut ends = false;
    loop {
        let read = tokio::select! {
            biased;
            () = ended.begins(), if !ends => {
                ends = true;
                if edges.at_edge() {
                    break;
                }
                continue;
            }
            read = from.read(&mut piece) => read?,
        };
        // Who waits is told one after the other, and the vendor may be faster.
        ends |= ended.has_begun();
        idle.moved();
        if read == 0 {
            return to.shutdown().await;
        }
        let mut known = 0;
        while known < read && !(ends && known > 0 && edges.at_edge()) {
            known += edges.next(&piece[known..read]);
        }
        write(&mut to, &piece[..known], idle).await?;
        if ends && edges.at_edge() {
            break;
        }
    }
    write(&mut to, &GOING_AWAY, idle).await?;
    while from.read(&mut piece).await? > 0 {
        idle.moved();
    }
    to.shutdown().await
}

async fn write(to: &mut (impl AsyncWrite + Unpin), mut bytes: &[u8], idle: &Idle) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = to.write(bytes).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        idle.moved();
        bytes = &bytes[written..];
    }
    to.flush().await
}
