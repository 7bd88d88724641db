//! What came back from one request: an answer or a failure, as data.

mod remarks;

pub use remarks::{Remark, Remarks};

use crate::crawl::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// One finished request, whatever came of it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// When the request was about to be written (or the connection to be opened).
    pub started: Timestamp,
    /// When the first byte of the answer arrived, if one did. Politeness counts from here.
    pub first_byte: Option<Timestamp>,
    /// When the answer was complete or given up.
    pub finished: Timestamp,
    /// What came of it.
    pub result: Result<Answer, Failure>,
}

impl Visit {
    /// The point from which the next crawl delay counts: the first byte of the answer, or the end of a visit
    /// without one.
    pub fn paced_from(&self) -> Timestamp {
        self.first_byte.unwrap_or(self.finished)
    }

    /// What politeness counts from.
    pub fn contact(&self) -> Contact {
        let at = self.paced_from();
        Contact { at, latency: at.since(self.started) }
    }

    /// The failure where nobody answered at all: then any other request to that host would fail in the same way.
    pub fn silence(&self) -> Option<&Failure> {
        use FailureClass::{Aborted, Coding, Dropped, HeadTooLarge, Incomplete, Protocol, TooSlow};
        let answered = |class| {
            matches!(class, Incomplete | Protocol | HeadTooLarge | Coding | TooSlow | Aborted | Dropped)
        };
        self.result.as_ref().err().filter(|failure| !answered(failure.class))
    }
}

/// A request to a host, as far as its pace goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// See [`Visit::paced_from`].
    pub at: Timestamp,
    /// How long the host took until then.
    pub latency: Duration,
}

/// An HTTP answer, its body decoded. Only the fields that a rule reads.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type` as sent; of several the last that is one.
    pub content_type: Option<String>,
    /// Whether the server forbids to guess the type (`X-Content-Type-Options: nosniff`).
    pub nosniff: bool,
    /// `Location` as sent, octets that are no UTF-8 percent-encoded, so that they go back as they came.
    pub location: Option<String>,
    /// `Retry-After`, made a span by the client at arrival; garbage, dates in the past and negative ones are `None`.
    pub retry_after: Option<Duration>,
    /// All `X-Robots-Tag` fields, one a line.
    pub robots_tag: Option<String>,
    /// `ETag` as sent.
    pub etag: Option<String>,
    /// `Last-Modified` as sent.
    pub last_modified: Option<String>,
    /// `max-age` of `Cache-Control`, in seconds.
    pub max_age: Option<u64>,
    /// Whether the answer set a cookie.
    pub sets_cookie: bool,
    /// The decoded body, up to the limit.
    pub body: Vec<u8>,
    /// Bytes of the body on the wire.
    pub wire_bytes: u64,
    /// Set where the body was cut at a limit; what is kept is a prefix.
    pub truncated: Option<Limit>,
    /// What was odd about it.
    pub remarks: Remarks,
    /// The head as it came, only where the request asked for it (`huntsman fetch`).
    pub head: Option<Box<Head>>,
}

/// The head of an answer, for people: no rule reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The protocol that was spoken: `HTTP/1.1`, `HTTP/2.0`.
    pub version: String,
    /// The other end of the connection, where it is known: the server, or the proxy.
    pub peer: Option<SocketAddr>,
    /// Every header field in order.
    pub fields: Vec<(String, String)>,
}

/// The limit at which a body was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Bytes on the wire.
    Wire,
    /// Bytes after decoding.
    Decoded,
    /// Ratio of decoded to wire bytes: a decompression bomb.
    Ratio,
}

/// Why a request brought no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure; the retry rule branches on it.
    pub class: FailureClass,
    /// The failure in words, for people; a lowercase fragment, never parsed.
    pub detail: String,
}

/// The kinds of failure. The kebab-case name stands in `fetches.error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The name does not exist.
    NoSuchHost,
    /// The resolver did not answer or failed for now.
    Dns,
    /// The address is one that this crawl may not ask (private, loopback, metadata...).
    ForbiddenAddress,
    /// Connection refused or unreachable.
    Connect,
    /// Connecting took too long.
    ConnectTimeout,
    /// TLS: no common protocol, or a handshake that broke.
    Tls,
    /// The certificate has expired, or is not valid yet.
    TlsExpired,
    /// The certificate is for another name.
    TlsName,
    /// The certificate is vouched for by nobody we trust, or is broken.
    TlsUntrusted,
    /// The head of the answer did not come in time.
    FirstByteTimeout,
    /// The body stalled.
    StallTimeout,
    /// The whole request took too long.
    TotalTimeout,
    /// The body came, but slower than is waited for.
    TooSlow,
    /// The connection broke before the answer was complete.
    Incomplete,
    /// What came is not HTTP, or breaks its rules beyond reading.
    Protocol,
    /// The head has more fields, or larger ones, than are read.
    HeadTooLarge,
    /// The content coding is unknown or broken.
    Coding,
    /// The lease ran out or the node stopped: nothing can be said of the URL.
    Aborted,
    /// The server closed a connection that it had offered to keep, and the request met the end of it.
    Dropped,
}

impl FailureClass {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::NoSuchHost,
        Self::Dns,
        Self::ForbiddenAddress,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Tls,
        Self::TlsExpired,
        Self::TlsName,
        Self::TlsUntrusted,
        Self::FirstByteTimeout,
        Self::StallTimeout,
        Self::TotalTimeout,
        Self::TooSlow,
        Self::Incomplete,
        Self::Protocol,
        Self::HeadTooLarge,
        Self::Coding,
        Self::Aborted,
        Self::Dropped,
    ];

    /// The name as `fetches.error` and `dead_letters.reason` hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchHost => "no-such-host",
            Self::Dns => "dns",
            Self::ForbiddenAddress => "forbidden-address",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Tls => "tls",
            Self::TlsExpired => "tls-expired",
            Self::TlsName => "tls-name",
            Self::TlsUntrusted => "tls-untrusted",
            Self::FirstByteTimeout => "first-byte-timeout",
            Self::StallTimeout => "stall-timeout",
            Self::TotalTimeout => "total-timeout",
            Self::TooSlow => "too-slow",
            Self::Incomplete => "incomplete",
            Self::Protocol => "protocol",
            Self::HeadTooLarge => "head-too-large",
            Self::Coding => "coding",
            Self::Aborted => "aborted",
            Self::Dropped => "dropped",
        }
    }
}
