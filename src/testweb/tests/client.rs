//! A small HTTP client: GET over connections that are kept.

use std::collections::HashMap;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use url::Url;

#[derive(Default)]
pub(super) struct Client {
    kept: HashMap<String, BufReader<TcpStream>>,
    /// Connections made so far.
    pub(super) connects: u32,
}

#[derive(Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answered {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// The answer, or `None` where the connection is closed without one.
    pub(super) async fn get(&mut self, url: &Url) -> Option<Answered> {
        let authority = url.authority();
        let mut stream = if let Some(stream) = self.kept.remove(authority) {
            stream
        } else {
            self.connects += 1;
            BufReader::new(TcpStream::connect(authority).await.unwrap())
        };
        let sent = format!("GET {} HTTP/1.1\r\nHost: {authority}\r\n\r\n", url.path());
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let status = line.split(' ').nth(1)?.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answered = Answered { status, headers, body: String::new() };
        let length = answered.header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        answered.body = String::from_utf8(body).unwrap();
        self.kept.insert(authority.to_owned(), stream);
        Some(answered)
    }
}

/// Sends `bytes` on a connection of their own and reads until it is closed.
pub(super) async fn exchange(url: &Url, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(url.authority()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut received = Vec::new();
    // A server that refuses a request it has not read whole may reset the connection after its answer.
    let _ = stream.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}
