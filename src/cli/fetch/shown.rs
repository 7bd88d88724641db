//! What `fetch` shows, as data: the JSON of `--format json`, and what the lines are made of.

use super::identity::Identity;
use super::page::PageShown;
use serde::Serialize;

/// The version of the JSON.
pub(super) const VERSION: u32 = 1;

/// One URL of the command line.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// [`VERSION`].
    pub(super) version: u32,
    /// As it was written.
    pub(super) asked_for: String,
    /// The URL, and with `--follow` those it led to.
    pub(super) hops: Vec<Hop>,
}

/// One visit.
#[derive(Debug, Serialize)]
pub(super) struct Hop {
    /// Which URL.
    pub(super) identity: Identity,
    /// Why it belongs to the crawl.
    pub(super) scope: String,
    /// Whether it may be fetched.
    pub(super) robots: RobotsShown,
    /// The request, where one was sent.
    pub(super) request: Option<Exchange>,
    /// What was read from the answer, where a crawl would store it.
    pub(super) page: Option<PageShown>,
    /// What a crawl would do next.
    pub(super) next: Next,
}

/// What robots.txt says of the URL.
#[derive(Debug, Serialize)]
pub(super) struct RobotsShown {
    /// `allowed`, `denied`, `unreachable` or `ignored`.
    pub(super) verdict: &'static str,
    /// The address of robots.txt.
    pub(super) url: String,
    /// The line that decides.
    pub(super) line: Option<u32>,
    /// Its text, or why there is none.
    pub(super) text: String,
    /// The group it stands in.
    pub(super) group: Option<String>,
    /// The gap between requests that it asks for.
    pub(super) crawl_delay_ms: Option<f64>,
    /// What `Content-Signal` says of uses of the content.
    pub(super) signals: Vec<String>,
    /// The requests for it; none where it was known from an earlier URL.
    pub(super) requests: Vec<Exchange>,
}

/// A request and what came back, the body apart.
#[derive(Debug, Serialize)]
pub(super) struct Exchange {
    /// Always `GET`.
    pub(super) method: &'static str,
    /// What was asked for.
    pub(super) url: String,
    /// The header fields that were sent; those of the user are redacted.
    pub(super) sent: Vec<(String, String)>,
    /// When it was sent.
    pub(super) started: String,
    /// HTTP status.
    pub(super) status: Option<u16>,
    /// The protocol of the answer.
    pub(super) http: Option<String>,
    /// The other end of the connection.
    pub(super) peer: Option<String>,
    /// The header fields of the answer.
    pub(super) received: Vec<(String, String)>,
    /// The kind of failure, where no whole answer came.
    pub(super) error: Option<&'static str>,
    /// That failure in words.
    pub(super) detail: Option<String>,
    /// From the start to the end of the head.
    pub(super) head_ms: Option<f64>,
    /// From the start to the end of the body.
    pub(super) total_ms: f64,
    /// Octets of the body on the wire.
    pub(super) wire_bytes: u64,
    /// Octets of the body decoded.
    pub(super) body_bytes: u64,
    /// What was odd about the answer, as `fetches.detail` says it.
    pub(super) remarks: Option<String>,
}

impl Exchange {
    /// The values of a field of the answer, joined.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let values = self.received.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        values.reduce(|joined, value| joined + ", " + &value)
    }
}

/// What a crawl would do next.
#[derive(Debug, Serialize)]
pub(super) struct Next {
    /// `store`, `redirect`, `known`, `retry`, `wait`, `exclude` or `dead-letter`.
    pub(super) action: &'static str,
    /// In a sentence.
    pub(super) words: String,
    /// Not before then.
    pub(super) due: Option<String>,
}

impl Next {
    /// Whether an answer came that a crawl makes use of.
    pub(super) fn is_success(&self) -> bool {
        matches!(self.action, "store" | "redirect")
    }
}

/// A span as the JSON has it.
pub(super) fn millis(span: std::time::Duration) -> f64 {
    span.as_micros() as f64 / 1_000.0
}
