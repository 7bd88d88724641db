//! What the end summary says of a crawl: the same of every store.

/// Failed URLs that are read for the summary; further ones are counted with the rest.
pub(super) const MOST_FAILED: i64 = 100_000;

/// Totals of one crawl.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Hosts with URLs that are open.
    pub open_hosts: u64,
    /// URLs skipped, once each under the first reason, robots.txt apart (those stand in `urls`).
    pub skipped: Vec<(String, u64)>,
    /// Requests by kind, status, failure class, count and bytes on the wire.
    pub requests: Vec<RequestGroup>,
    /// Half of the answers were complete within so many milliseconds, and 95 of 100.
    pub median_ms: Option<i64>,
    /// 95 of 100 answers were complete within so many milliseconds.
    pub p95_ms: Option<i64>,
    /// Pages whose content is that of another one.
    pub duplicates: u64,
    /// How many URLs were given up for which reason, the largest number first.
    pub failures: Vec<(String, u64)>,
    /// URLs that were given up.
    pub failed: Vec<FailedRow>,
}

/// Requests that ended alike.
#[derive(Debug, Clone)]
pub struct RequestGroup {
    /// `page`, `robots` or `sitemap`.
    pub kind: String,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// How many.
    pub count: u64,
    /// Bytes of bodies on the wire.
    pub bytes: u64,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub struct FailedRow {
    /// The reason in a word.
    pub reason: String,
    /// The URL.
    pub url: String,
    /// The evidence.
    pub detail: Option<String>,
    /// The page that links there.
    pub found_on: Option<String>,
    /// Whether it is a seed.
    pub seed: bool,
}
