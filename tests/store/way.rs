//! A way to a server that can be slow, fall silent, or be cut.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A port that leads to another one. Connections through it end with it.
pub(crate) struct Way {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    delay: AtomicU64,
    /// Connections of earlier ages carry nothing any more.
    age: AtomicU64,
    streams: Mutex<Vec<TcpStream>>,
}

impl Way {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let way = Self { port: listener.local_addr().unwrap().port(), state: Arc::default() };
        let state = way.state.clone();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to, state) =
                        (from.try_clone().unwrap(), to.try_clone().unwrap(), state.clone());
                    let age = state.age.load(Ordering::SeqCst);
                    thread::spawn(move || state.carry(age, from, to));
                }
                state.streams.lock().unwrap().extend([near, far]);
            }
        });
        way
    }

    /// What is sent from now on arrives so much later.
    pub(crate) fn delay(&self, delay: Duration) {
        self.state.delay.store(delay.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// The connections that there are stay open, and nothing arrives: as with a machine that has lost its power. New ones
    /// are as good as ever.
    pub(crate) fn silence(&self) {
        self.state.age.fetch_add(1, Ordering::SeqCst);
    }

    /// The connections that there are end, and what is under way is lost.
    pub(crate) fn cut(&self) {
        self.silence();
        for stream in self.state.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.cut();
    }
}

impl State {
    fn carry(&self, age: u64, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 65_536];
        while let Ok(length) = from.read(&mut bytes) {
            thread::sleep(Duration::from_millis(self.delay.load(Ordering::SeqCst)));
            if self.age.load(Ordering::SeqCst) != age {
                continue;
            }
            if length == 0 || to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }
}
