//! Takes connections off a listener, as many as may be open.

use std::{io, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    answer::{Answers, Arrival},
    connection::Protocols,
    ending::Ended,
    limits::Limits,
    link::Link,
    listener::Listener,
    places::{Open, Place, Places},
};
use crate::message::tell;

/// How long nothing is accepted when the system has no room for more.
const PAUSE: Duration = Duration::from_millis(200);

/// How often the same is said at most.
const SAID: Duration = Duration::from_secs(10);

/// Accepts connections until the end begins, and lets `answers` answer what comes over them. Returns when it listens no more.
/// Connections that it has accepted go on.
pub(crate) async fn accept<A: Answers>(
    listener: Listener,
    limits: Limits,
    places: Places,
    mut ended: Ended,
    answers: Arc<A>,
) {
    let protocols = Arc::new(Protocols::new(limits, Arrival { at: listener.tcp() }));
    let mut said = Said::default();
    loop {
        let place = tokio::select! {
            biased;
            () = ended.begins() => break,
            place = place(&places, &mut said) => place,
        };
        let Some(place) = place else { break };
        let link = tokio::select! {
            biased;
            () = ended.begins() => break,
            link = listener.accept() => link,
        };
        match link {
            Ok(link) => serve(link, places.take(place), &protocols, &ended, &answers),
            Err(error) if is_the_connections(&error) => {}
            Err(error) => {
                // Such as too many open files. Who waits is waited for; asking on and on would only keep others from ending.
                said.now_and_then(|| tell(format_args!("reauth proxy: nothing can be accepted: {error}")));
                drop(place);
                sleep(PAUSE).await;
            }
        }
    }
    for link in listener.rest() {
        match places.free() {
            Some(place) => serve(link, places.take(place), &protocols, &ended, &answers),
            // Whoever had to wait for a place gets none any more.
            None => break,
        }
    }
}

/// A place for one more connection.
async fn place(places: &Places, said: &mut Said) -> Option<Place> {
    if let Some(place) = places.free() {
        return Some(place);
    }
    said.now_and_then(|| {
        tell("reauth proxy: as many connections as --max-connections allows for; others wait until one ends");
    });
    places.next().await
}

fn serve<A: Answers>(link: Link, open: Open, protocols: &Arc<Protocols>, ended: &Ended, answers: &Arc<A>) {
    let (protocols, ended, answers) = (Arc::clone(protocols), ended.clone(), Arc::clone(answers));
    tokio::spawn(async move {
        protocols.speak(link, ended, answers).await;
        drop(open);
    });
}

/// Whether it is about the one connection that would have been next.
fn is_the_connections(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// When something was said last.
#[derive(Default)]
struct Said(Option<Instant>);

impl Said {
    fn now_and_then(&mut self, say: impl FnOnce()) {
        if self.0.is_none_or(|last| last.elapsed() >= SAID) {
            self.0 = Some(Instant::now());
            say();
        }
    }
}
