//! A server that sends half a page and then nothing, until it is told to send whole ones.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub(crate) struct HalfPage {
    port: u16,
    shared: Arc<Shared>,
    halves: Receiver<()>,
}

struct Shared {
    whole: AtomicBool,
    requests: AtomicUsize,
    /// How long each client that got half a page stayed.
    stayed: Mutex<Vec<Duration>>,
}

impl HalfPage {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            whole: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            stayed: Mutex::default(),
        });
        let (half, halves) = channel();
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, half) = (Arc::clone(&ours), half.clone());
                std::thread::spawn(move || serve(&stream, &shared, &half));
            }
        });
        Self { port, shared, halves }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn wait_until_half_is_sent(&self) {
        self.halves.recv_timeout(Duration::from_secs(60)).expect("somebody asks");
    }

    pub(crate) fn send_whole_pages(&self) {
        self.shared.whole.store(true, Ordering::SeqCst);
    }

    /// Requests for the page.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How long each client stayed that got half a page and has gone.
    pub(crate) fn stayed(&self) -> Vec<Duration> {
        self.shared.stayed.lock().unwrap().clone()
    }
}

fn serve(mut stream: &TcpStream, shared: &Shared, half: &Sender<()>) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        if first.contains("/robots.txt") {
            if stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
            continue;
        }
        shared.requests.fetch_add(1, Ordering::SeqCst);
        let body = format!("<title>half a page</title>{}", "x".repeat(20_000));
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", body.len());
        let page = head + &body;
        if shared.whole.load(Ordering::SeqCst) {
            if stream.write_all(page.as_bytes()).is_err() {
                return;
            }
            continue;
        }
        if stream.write_all(&page.as_bytes()[..page.len() / 2]).is_err() {
            return;
        }
        _ = half.send(());
        #[expect(clippy::disallowed_methods, reason = "a server's own clock")]
        let sent = Instant::now();
        // It has nothing more to say: the end of this is that the client has gone.
        while stream.read(&mut [0; 1_000]).is_ok_and(|bytes| bytes > 0) {}
        shared.stayed.lock().unwrap().push(sent.elapsed());
        return;
    }
}
