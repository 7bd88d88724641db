//! A TCP line to a server that behaves as badly as a test wants, set while it runs: slow, silent in one way or both,
//! half-open, reset, cut after so many bytes, closed, or answering with an error of its own.
//!
//! Bytes that are held back are not lost: they go on when the line heals, as TCP would deliver them. What was sent on a
//! connection that was reset, cut or left half-open never arrives.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream, tcp, unix};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

/// Bytes read at once, and held back at most on each connection and way beside what the system buffers.
const PIECE: usize = 1 << 16;
/// Answers of ours that wait on each connection.
const ERRORS: usize = 64;

/// How the line behaves.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Weather {
    /// Each piece takes so long, each way.
    pub(crate) latency: Duration,
    /// ... and up to so much more, by chance.
    pub(crate) jitter: Duration,
    /// Nothing arrives at the server.
    pub(crate) mute: bool,
    /// Nothing comes from the server.
    pub(crate) deaf: bool,
    /// Bytes of answers after which each connection is closed.
    pub(crate) cut_after: Option<u64>,
    /// Instead of the server, each command of Redis is answered with this error.
    pub(crate) error: Option<String>,
}

impl Weather {
    pub(crate) fn fine() -> Self {
        Self::default()
    }

    /// Nothing passes, and nobody is told.
    pub(crate) fn black_hole() -> Self {
        Self { mute: true, deaf: true, ..Self::default() }
    }

    /// Each way takes so long.
    pub(crate) fn slow(latency: Duration) -> Self {
        Self { latency, jitter: latency / 2, ..Self::default() }
    }
}

/// What is done to the connections that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    None,
    /// Both sides get a reset.
    Reset,
    /// The server sees the end; the client sees nothing.
    HalfOpen,
}

/// The line.
pub(crate) struct Proxy {
    runtime: Option<Runtime>,
    at: SocketAddr,
    shared: Arc<Shared>,
    accepting: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

struct Shared {
    server: Mutex<PathBuf>,
    /// Connections that were cut for the bytes they had carried.
    cuts: AtomicUsize,
    weather: watch::Sender<Weather>,
    /// Counts blows, so that only connections that were there feel one.
    blow: watch::Sender<(u64, Blow)>,
}

impl Proxy {
    /// A line to the server that listens on this unix socket.
    pub(crate) fn to(server: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        let (weather, blow) = (watch::Sender::new(Weather::fine()), watch::Sender::new((0, Blow::None)));
        let shared = Arc::new(Shared {
            server: Mutex::new(server.to_owned()),
            cuts: AtomicUsize::new(0),
            weather,
            blow,
        });
        let accepting = runtime.spawn(accept_all(listener, Arc::clone(&shared)));
        Self { runtime: Some(runtime), at, shared, accepting: Mutex::new(Some(accepting)) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    /// Changes how the line behaves, for connections that there are and those to come.
    pub(crate) fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// From now on the line ends at another server; the connections to the one before are reset.
    pub(crate) fn lead_to(&self, server: &Path) {
        server.clone_into(&mut self.shared.server.lock().unwrap());
        self.reset();
    }

    /// How many connections were cut for the bytes they had carried.
    pub(crate) fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Resets every connection.
    pub(crate) fn reset(&self) {
        self.strike(Blow::Reset);
    }

    /// Every connection ends for the server, and its client hears nothing of that.
    pub(crate) fn leave_half_open(&self) {
        self.strike(Blow::HalfOpen);
    }

    fn strike(&self, blow: Blow) {
        self.shared.blow.send_modify(|(count, last)| (*count, *last) = (*count + 1, blow));
    }

    /// New connections are refused.
    pub(crate) fn close(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap().take() {
            accepting.abort();
            // The listener is closed when the task is gone.
            _ = self.runtime().block_on(accepting);
        }
    }

    /// New connections are taken again.
    pub(crate) fn open(&self) {
        let mut accepting = self.accepting.lock().unwrap();
        if accepting.is_none() {
            let listener = self.runtime().block_on(TcpListener::bind(self.at)).unwrap();
            *accepting = Some(self.runtime().spawn(accept_all(listener, Arc::clone(&self.shared))));
        }
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken only when the line is dropped")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept_all(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        _ = client.set_nodelay(true);
        tokio::spawn(serve(client, Arc::clone(&shared)));
    }
}

/// One connection, from its beginning to its end.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut blow = shared.blow.subscribe();
    let to = shared.server.lock().unwrap().clone();
    let Ok(server) = UnixStream::connect(to).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (errors, said) = mpsc::channel(ERRORS);
    let struck = tokio::select! {
        () = up(&mut from_client, &mut to_server, errors, &shared.weather) => Blow::None,
        () = down(&mut from_server, &mut to_client, said, &shared) => Blow::None,
        _ = blow.changed() => blow.borrow().1,
    };
    drop((from_server, to_server));
    let mut client = from_client.reunite(to_client).expect("they are halves of one");
    match struck {
        Blow::Reset => _ = client.set_zero_linger(),
        Blow::HalfOpen => {
            let mut swallowed = vec![0; PIECE];
            while client.read(&mut swallowed).await.is_ok_and(|bytes| bytes > 0) {}
        }
        Blow::None => {}
    }
}

/// What the client says, until one side has ended.
async fn up(
    client: &mut tcp::OwnedReadHalf,
    server: &mut unix::OwnedWriteHalf,
    errors: mpsc::Sender<String>,
    weather: &watch::Sender<Weather>,
) {
    let mut piece = vec![0; PIECE];
    let mut commands = Commands::default();
    let mut weather = weather.subscribe();
    loop {
        let Ok(bytes @ 1..) = client.read(&mut piece).await else { return };
        let now = weather.borrow().clone();
        if let Some(error) = now.error {
            for _ in 0..commands.feed(&piece[..bytes]) {
                if errors.send(format!("-{error}\r\n")).await.is_err() {
                    return;
                }
            }
            continue;
        }
        tokio::time::sleep(now.latency + by_chance(now.jitter)).await;
        if weather.wait_for(|now| !now.mute).await.is_err()
            || server.write_all(&piece[..bytes]).await.is_err()
        {
            return;
        }
    }
}

/// What the server says, and what is said in its place, until one side has ended or the line is cut.
async fn down(
    server: &mut unix::OwnedReadHalf,
    client: &mut tcp::OwnedWriteHalf,
    mut said: mpsc::Receiver<String>,
    shared: &Shared,
) {
    let mut piece = vec![0; PIECE];
    let mut weather = shared.weather.subscribe();
    let mut passed = 0;
    loop {
        let bytes = tokio::select! {
            Some(error) = said.recv() => {
                piece[..error.len()].copy_from_slice(error.as_bytes());
                error.len()
            }
            read = server.read(&mut piece) => match read {
                Ok(bytes @ 1..) => bytes,
                _ => return,
            },
        };
        let now = weather.borrow().clone();
        tokio::time::sleep(now.latency + by_chance(now.jitter)).await;
        if weather.wait_for(|now| !now.deaf).await.is_err() {
            return;
        }
        let left = now.cut_after.map_or(u64::MAX, |most| most.saturating_sub(passed));
        let some = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        if client.write_all(&piece[..some]).await.is_err() {
            return;
        }
        if some < bytes {
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            return;
        }
        passed += some as u64;
    }
}

fn by_chance(most: Duration) -> Duration {
    let chance = RandomState::new().hash_one(()) % 1_000;
    most * chance as u32 / 1_000
}

/// Counts the commands of Redis in what a client says.
#[derive(Debug, Default)]
struct Commands {
    heard: Vec<u8>,
}

impl Commands {
    /// How many commands end in these bytes.
    fn feed(&mut self, bytes: &[u8]) -> usize {
        self.heard.extend_from_slice(bytes);
        let (mut count, mut from) = (0, 0);
        while let Some(length) = Self::length(&self.heard[from..]) {
            from += length;
            count += 1;
        }
        self.heard.drain(..from);
        count
    }

    /// The length of the command that these bytes begin with, if it is all here: an array of strings.
    fn length(bytes: &[u8]) -> Option<usize> {
        let line = |from: usize| -> Option<(usize, usize)> {
            let end = from + bytes.get(from..)?.iter().position(|byte| *byte == b'\n')?;
            let number = std::str::from_utf8(&bytes[from + 1..end]).ok()?.trim().parse().ok()?;
            Some((number, end + 1))
        };
        let (words, mut at) = line(0)?;
        for _ in 0..words {
            let (bytes_of_word, from) = line(at)?;
            at = from + bytes_of_word + 2;
        }
        (at <= bytes.len()).then_some(at)
    }
}
