//! Servers of ours on raw sockets, with or without TLS: what they do is up to the test, octet by octet.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A connection, plain or not.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    /// The whole head.
    pub(crate) head: String,
    pub(crate) at: Instant,
}

/// Listens on a free port of loopback until the test process ends.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    counts: Arc<Counts>,
}

/// What a site has seen.
#[derive(Default)]
struct Counts {
    log: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    /// Connections that have not ended.
    open: AtomicUsize,
    /// Octets that the client took, or its system did for it.
    taken: AtomicU64,
}

/// One connection of a client.
pub(crate) struct Peer {
    pub(crate) stream: Box<dyn Stream>,
    /// Whether the connection stays open for another request.
    pub(crate) stays: bool,
    /// Requests that came on it so far, this one included.
    pub(crate) requests: usize,
    port: u16,
    counts: Arc<Counts>,
}

type Play = dyn Fn(&mut Peer, &str) + Send + Sync;

impl Site {
    /// Has no robots.txt; every other request is answered by `play`, with its path. Its connection is closed then, unless
    /// it is to stay.
    pub(crate) fn start(play: impl Fn(&mut Peer, &str) + Send + Sync + 'static) -> Self {
        Self::whole(move |peer, path| if path == "/robots.txt" { peer.none() } else { play(peer, path) })
    }

    /// The same, robots.txt included.
    pub(crate) fn whole(play: impl Fn(&mut Peer, &str) + Send + Sync + 'static) -> Self {
        Self::listen("http", |stream| Some(Box::new(stream)), Arc::new(play))
    }

    /// The same over TLS.
    pub(crate) fn tls(
        config: rustls::ServerConfig,
        play: impl Fn(&mut Peer, &str) + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config);
        let secure = move |stream| {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            Some(Box::new(rustls::StreamOwned::new(session, stream)) as Box<dyn Stream>)
        };
        let play = move |peer: &mut Peer, path: &str| {
            if path == "/robots.txt" { peer.none() } else { play(peer, path) }
        };
        Self::listen("https", secure, Arc::new(play))
    }

    /// Answers the path `/0` with the first of `answers`, and so on.
    pub(crate) fn of(answers: Vec<Vec<u8>>) -> Self {
        Self::start(move |peer, path| {
            match path[1..].parse::<usize>().ok().and_then(|number| answers.get(number)) {
                Some(octets) => _ = peer.send(octets),
                None => peer.none(),
            }
        })
    }

    /// A connection is all that there is: nothing is read before `play`.
    pub(crate) fn raw(play: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let play = move |stream| {
            play(stream);
            None
        };
        Self::listen("https", play, Arc::new(|_: &mut Peer, _: &str| ()))
    }

    /// The same on [`::1`], where the machine has it, for nobody to come: each connection is counted and dropped.
    pub(crate) fn inside() -> Self {
        let listener = TcpListener::bind("[::1]:0").or_else(|_| TcpListener::bind("127.0.0.1:0")).unwrap();
        Self::listen_on(listener, "http", |_| None, Arc::new(|_: &mut Peer, _: &str| ()))
    }

    fn listen(
        scheme: &'static str,
        secure: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
        play: Arc<Play>,
    ) -> Self {
        Self::listen_on(TcpListener::bind("127.0.0.1:0").unwrap(), scheme, secure, play)
    }

    fn listen_on(
        listener: TcpListener,
        scheme: &'static str,
        secure: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
        play: Arc<Play>,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let counts = Arc::<Counts>::default();
        let site = Self { address, scheme, counts: Arc::clone(&counts) };
        let secure = Arc::new(secure);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counts.connections.fetch_add(1, Ordering::SeqCst);
                counts.open.fetch_add(1, Ordering::SeqCst);
                _ = stream.set_nodelay(true);
                let (secure, play, counts) = (Arc::clone(&secure), Arc::clone(&play), Arc::clone(&counts));
                std::thread::spawn(move || {
                    if let Some(stream) = secure(stream) {
                        let counts = Arc::clone(&counts);
                        Peer { stream, stays: true, requests: 0, port: address.port(), counts }.serve(&*play);
                    }
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        site
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// The URLs of so many answers of [`Site::of`].
    pub(crate) fn urls(&self, answers: usize) -> Vec<String> {
        (0..answers).map(|number| self.url(&format!("/{number}"))).collect()
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.counts.log.lock().unwrap().clone()
    }

    /// The paths that were asked for, robots.txt left out.
    pub(crate) fn paths(&self) -> Vec<String> {
        let paths = self.log().into_iter().map(|asked| asked.path);
        paths.filter(|path| path != "/robots.txt").collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Connections that neither side has ended.
    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }

    /// Octets that its clients took, or their system did for them.
    pub(crate) fn taken(&self) -> u64 {
        self.counts.taken.load(Ordering::SeqCst)
    }
}

impl Peer {
    fn serve(mut self, play: &Play) {
        while std::mem::take(&mut self.stays) {
            let head = self.head();
            let Some(path) = head.split(' ').nth(1).map(str::to_owned) else { return };
            #[expect(clippy::disallowed_methods, reason = "a server's own clock")]
            let at = Instant::now();
            self.counts.log.lock().unwrap().push(Asked { path: path.clone(), head, at });
            self.requests += 1;
            play(&mut self, &path);
        }
        _ = self.stream.flush();
    }

    /// Reads a head; empty where the client closed.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        let mut octet = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut octet) {
                Ok(1) => head.push(octet[0]),
                _ => return String::new(),
            }
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    /// Sends octets, as far as the client takes them.
    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) -> bool {
        let all = octets.as_ref().chunks(64 << 10).all(|part| {
            let is_taken = self.stream.write_all(part).is_ok();
            self.counts.taken.fetch_add(if is_taken { part.len() as u64 } else { 0 }, Ordering::SeqCst);
            is_taken
        });
        all && self.stream.flush().is_ok()
    }

    /// Sends them again and again, with a pause, until the client goes.
    pub(crate) fn send_for_ever(&mut self, octets: impl AsRef<[u8]>, pause: Duration) {
        while self.send(octets.as_ref()) {
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
        }
    }

    /// The port it is served on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Waits until the client goes.
    pub(crate) fn wait(&mut self) {
        let mut buffer = [0; 1_024];
        while self.stream.read(&mut buffer).is_ok_and(|octets| octets > 0) {}
    }

    /// There is nothing here, and the connection ends.
    pub(crate) fn none(&mut self) {
        self.send("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    }

    /// A page with fields.
    pub(crate) fn page(&mut self, fields: &str, body: impl AsRef<[u8]>) {
        self.send(page(fields, body));
    }
}

/// An HTML page with fields, each ended by CRLF.
pub(crate) fn page(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    answer(&format!("Content-Type: text/html\r\n{fields}"), body)
}

/// An answer 200 with fields, each ended by CRLF.
pub(crate) fn answer(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{fields}\r\n", body.as_ref().len());
    [head.as_bytes(), body.as_ref()].concat()
}

/// A redirect.
pub(crate) fn to(location: impl AsRef<[u8]>) -> Vec<u8> {
    let head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ";
    [&head[..], location.as_ref(), b"\r\n\r\n"].concat()
}
