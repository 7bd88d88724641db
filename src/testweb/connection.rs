//! HTTP/1.1 on one socket: keep-alive, pipelining, GET and HEAD.
//!
//! A connection holds memory only while it has part of a request or an answer at hand: buffers come from a pool
//! and go back before it waits, so twenty thousand idle connections cost their sockets and tasks alone.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    answer::{self, Answer, Manner, Transients, has_tag},
    log::Log,
    place::Place,
    render::Scratch,
    server::{HEAD_BYTES, IDLE},
    web::{Spot, Web},
};

/// Answers to pipelined requests are sent when they are this long together.
const OUTPUT_BYTES: usize = 128 * 1024;

/// Buffers longer than this are freed, not kept for the next request.
const KEPT_BYTES: usize = 256 * 1024;

const HEADERS: usize = 64;

/// What all connections of a web share.
pub(super) struct Shared {
    pub(super) web: Arc<Web>,
    pub(super) log: Log,
    transients: Transients,
    pool: Mutex<Vec<Buffers>>,
}

/// Memory to serve requests with.
struct Buffers {
    /// What was read; always of full length, so that it is made once.
    input: Vec<u8>,
    /// Bytes read from the socket.
    filled: usize,
    /// Bytes of them that were requests taken.
    taken: usize,
    output: Vec<u8>,
    scratch: Scratch,
}

/// A request understood.
#[derive(Clone, Copy)]
struct Asked {
    answer: Answer,
    manner: Manner,
}

impl Shared {
    pub(super) fn new(web: Arc<Web>, log: Log) -> Self {
        Self { web, log, transients: Transients::default(), pool: Mutex::default() }
    }

    /// Serves one connection to `host` until either side closes it.
    pub(super) async fn serve(&self, host: u32, mut stream: TcpStream) -> io::Result<()> {
        let latency = self.web.settings.latency;
        let mut begun = None;
        loop {
            let Some(mut buffers) = timeout(IDLE, self.read(&mut stream, &mut begun)).await?? else {
                return Ok(());
            };
            let at = self.log.arrival();
            let mut open = true;
            while open && let Some(asked) = self.take_request(host, at, &mut buffers) {
                if !latency.is_zero() {
                    send(&mut stream, &mut buffers.output).await?;
                    buffers = self.rest(latency, buffers).await;
                }
                answer::write(
                    &self.web,
                    asked.answer,
                    asked.manner,
                    &mut buffers.scratch,
                    &mut buffers.output,
                );
                open = asked.manner.keep_alive;
                if buffers.output.len() > OUTPUT_BYTES {
                    send(&mut stream, &mut buffers.output).await?;
                }
            }
            send(&mut stream, &mut buffers.output).await?;
            if !open {
                self.put_back(buffers);
                return stream.shutdown().await;
            }
            if buffers.drop_taken() {
                self.put_back(buffers);
            } else {
                begun = Some(buffers);
            }
        }
    }

    /// Reads into the buffers that hold the begun request, or into some of the pool; `None` at the end.
    async fn read(&self, stream: &mut TcpStream, begun: &mut Option<Buffers>) -> io::Result<Option<Buffers>> {
        poll_fn(|context| {
            let mut buffers = begun.take().unwrap_or_else(|| self.take_buffers());
            let mut unread = ReadBuf::new(&mut buffers.input[buffers.filled..]);
            let polled = Pin::new(&mut *stream).poll_read(context, &mut unread);
            let read = unread.filled().len();
            if polled.is_pending() {
                if buffers.filled == 0 {
                    self.put_back(buffers);
                } else {
                    *begun = Some(buffers);
                }
                return Poll::Pending;
            }
            ready!(polled)?;
            buffers.filled += read;
            Poll::Ready(Ok((read > 0).then_some(buffers)))
        })
        .await
    }

    /// Waits before an answer, without buffers unless they hold the next request.
    async fn rest(&self, latency: Duration, mut buffers: Buffers) -> Buffers {
        if buffers.drop_taken() {
            self.put_back(buffers);
            sleep(latency).await;
            self.take_buffers()
        } else {
            sleep(latency).await;
            buffers
        }
    }

    /// Takes the next whole request from `buffers` and notes it.
    fn take_request(&self, host: u32, at: Duration, buffers: &mut Buffers) -> Option<Asked> {
        let unread = &buffers.input[buffers.taken..buffers.filled];
        if unread.is_empty() {
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let refused = match request.parse(unread) {
            Ok(httparse::Status::Complete(length)) => {
                let (asked, path) = self.understand(host, &request);
                self.log.note(self.web.authority(host), path, at, asked.answer.status());
                buffers.taken += length;
                return Some(asked);
            }
            Ok(httparse::Status::Partial) if unread.len() < HEAD_BYTES => return None,
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => 431,
            Err(_) => 400,
        };
        self.log.note(self.web.authority(host), request.path.unwrap_or_default(), at, Some(refused));
        buffers.taken = buffers.filled;
        Some(refuse(refused))
    }

    fn understand<'a>(&self, host: u32, request: &httparse::Request<'_, 'a>) -> (Asked, &'a str) {
        let target = request.path.unwrap_or_default();
        // The absolute form, which proxies send and every server must read (RFC 9112, 3.2.2).
        let path = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => target,
        };
        let head_only = request.method == Some("HEAD");
        let (mut keep_alive, mut if_none_match) = (request.version == Some(1), None);
        let mut has_body = false;
        for header in &*request.headers {
            if header.name.eq_ignore_ascii_case("connection") {
                keep_alive = stays_open(header.value, keep_alive);
            } else if header.name.eq_ignore_ascii_case("if-none-match") {
                if_none_match = Some(header.value);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                has_body = true;
            } else if header.name.eq_ignore_ascii_case("content-length") {
                has_body |= header.value != b"0";
            }
        }
        if has_body {
            return (refuse(400), path);
        }
        if !head_only && request.method != Some("GET") {
            return (refuse(405), path);
        }
        let answer = match Place::parse(path) {
            Some(place) => self.transients.answer(&self.web, Spot { host, place }),
            None => Answer::Error(404),
        };
        let answer = match (answer, if_none_match) {
            (Answer::Page(spot), Some(tags)) if has_tag(&self.web, spot, tags) => Answer::Unchanged(spot),
            _ => answer,
        };
        let say_keep_alive = request.version == Some(0);
        let keep_alive = keep_alive && answer != Answer::Close;
        (Asked { answer, manner: Manner { head_only, keep_alive, say_keep_alive } }, path)
    }

    fn take_buffers(&self) -> Buffers {
        let pooled = self.pool.lock().expect("nobody panics while holding it").pop();
        pooled.unwrap_or_else(|| Buffers {
            input: vec![0; HEAD_BYTES],
            filled: 0,
            taken: 0,
            output: Vec::new(),
            scratch: Scratch::default(),
        })
    }

    fn put_back(&self, mut buffers: Buffers) {
        if buffers.output.capacity() > KEPT_BYTES || buffers.scratch.body.capacity() > KEPT_BYTES {
            return;
        }
        (buffers.filled, buffers.taken) = (0, 0);
        buffers.output.clear();
        self.pool.lock().expect("nobody panics while holding it").push(buffers);
    }
}

impl Buffers {
    /// Moves what is left of the input to its beginning; true where nothing is.
    fn drop_taken(&mut self) -> bool {
        self.input.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        self.filled == 0
    }
}

fn refuse(status: u16) -> Asked {
    let manner = Manner { head_only: false, keep_alive: false, say_keep_alive: false };
    Asked { answer: Answer::Error(status), manner }
}

/// What a Connection header makes of the connection, whose version alone would have it `open` or not.
fn stays_open(connection: &[u8], open: bool) -> bool {
    connection.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).fold(open, |open, option| {
        !option.eq_ignore_ascii_case(b"close") && (open || option.eq_ignore_ascii_case(b"keep-alive"))
    })
}

async fn send(stream: &mut TcpStream, output: &mut Vec<u8>) -> io::Result<()> {
    if !output.is_empty() {
        timeout(IDLE, stream.write_all(output)).await??;
        output.clear();
    }
    Ok(())
}
