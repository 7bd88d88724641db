//! A small server on a raw socket that answers as a test wants, and keeps a log of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) at: Duration,
    pub(crate) status: u16,
}

/// What a test answers: status, further header lines, body. Called with the path and how often it was asked before.
pub(crate) type Answer = dyn Fn(&str, usize) -> (u16, String, Vec<u8>) + Send + Sync;

/// Listens on a free port of loopback until the test process ends.
pub(crate) struct RawServer {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<Request>>>,
}

impl RawServer {
    pub(crate) fn start(
        answer: impl Fn(&str, usize) -> (u16, String, String) + Send + Sync + 'static,
    ) -> Self {
        Self::start_bytes(move |path, before| {
            let (status, headers, body) = answer(path, before);
            (status, headers, body.into_bytes())
        })
    }

    /// The same for bodies that are no text.
    pub(crate) fn start_bytes(
        answer: impl Fn(&str, usize) -> (u16, String, Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let answer: Arc<Answer> = Arc::new(answer);
        #[expect(clippy::disallowed_methods, reason = "a server's own clock")]
        let started = Instant::now();
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, started, &log, &*answer));
            }
        });
        Self { port, log }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, started: Instant, log: &Mutex<Vec<Request>>, answer: &Answer) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        let at = started.elapsed();
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
        let before = log.lock().unwrap().iter().filter(|request| request.path == path).count();
        let (status, headers, body) = answer(&path, before);
        log.lock().unwrap().push(Request { path, at, status });
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        if (&*stream).write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

/// An HTML page with links.
pub(crate) fn page(links: &[&str]) -> (u16, String, String) {
    let links: Vec<String> = links.iter().map(|link| format!("<a href='{link}'>x</a>")).collect();
    (200, "Content-Type: text/html\r\n".into(), format!("<title>t</title>{}", links.join("")))
}
