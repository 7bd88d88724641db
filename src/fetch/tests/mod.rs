//! The client against servers that misbehave, each a raw socket on loopback.

mod addresses;
mod answers;
mod coding;
mod connections;
mod framing;
mod time;
mod tls;

use super::http::{HttpClient, Settings};
use super::{Fence, Fetch, Request, Timeouts};
use crate::clock::Clock;
use crate::crawl::visit::{Answer, Failure, FailureClass, Visit};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A server on loopback; it ends with the test's runtime.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// One connection of a client.
struct Peer {
    stream: TcpStream,
    /// Which connection this is, from 0.
    number: usize,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Plays `play` on every connection; it is closed when that returns.
    async fn start<F, P>(play: F) -> Self
    where
        F: Fn(Peer) -> P + Send + Sync + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(AtomicUsize::new(0));
        let server = Self { address, connections: Arc::clone(&connections), requests: Arc::clone(&requests) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let number = connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(play(Peer { stream, number, requests: Arc::clone(&requests) }));
            }
        });
        server
    }

    /// Answers the first request of every connection with `octets` and closes it.
    async fn once(octets: impl AsRef<[u8]> + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |mut peer| {
            let octets = octets.clone();
            async move {
                peer.head().await;
                peer.send(octets.as_ref()).await;
            }
        })
        .await
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Peer {
    /// Reads the head of a request; empty where the client closed.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(octet) => head.push(octet),
                Err(_) => return String::new(),
            }
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        String::from_utf8(head).unwrap()
    }

    /// Sends `octets`, as far as the client takes them.
    async fn send(&mut self, octets: &[u8]) -> bool {
        self.stream.write_all(octets).await.is_ok()
    }

    /// Waits until the client closes.
    async fn gone(&mut self) {
        let mut buffer = [0; 1_024];
        while self.stream.read(&mut buffer).await.is_ok_and(|octets| octets > 0) {}
    }
}

fn settings() -> Settings {
    Settings {
        timeouts: Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(5),
            stall: Duration::from_secs(5),
            slow: Duration::from_secs(10),
            total: Duration::from_secs(20),
        },
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..Settings::default()
    }
}

fn client() -> HttpClient {
    client_with(|_| ())
}

fn client_with(change: impl FnOnce(&mut Settings)) -> HttpClient {
    let mut settings = settings();
    change(&mut settings);
    HttpClient::new(settings, Clock::start()).unwrap()
}

fn with_body(fields: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn visit(client: &HttpClient, url: Url) -> Visit {
    let visit = client.get(Request::get(url)).await;
    assert!(visit.finished >= visit.started, "{visit:?}");
    visit
}

async fn get(client: &HttpClient, url: Url) -> Result<Answer, Failure> {
    visit(client, url).await.result
}

#[track_caller]
fn class(result: Result<Answer, Failure>) -> FailureClass {
    match result {
        Err(failure) => {
            assert!(!failure.detail.is_empty());
            failure.class
        }
        Ok(answer) => panic!("an answer: {answer:?}"),
    }
}

/// What becomes of `octets` as an answer.
async fn answer_of(octets: impl AsRef<[u8]> + Clone + Send + Sync + 'static) -> Result<Answer, Failure> {
    let server = Server::once(octets).await;
    get(&client(), server.url("/")).await
}
