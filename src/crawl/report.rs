//! What a node says of a visit, and what became of the URL.

pub mod reasons;
mod words;

use crate::crawl::host::{Authority, HostKey};
use crate::crawl::lease::{CrawlId, Origin, Pace, Queued, Token};
use crate::crawl::page::Page;
use crate::crawl::robots::Signals;
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::crawl::visit::Remarks;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// One of our own words: what a report says where others would have a code.
pub type Word = &'static str;

/// What became of one visit. Self-contained: storage needs nothing else to write it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The URL as it was leased: its visit number and attempt are the gate of the transaction.
    pub url: Queued,
    /// The lease under which it was visited.
    pub token: Token,
    /// The request, where one was sent.
    pub fetch: Option<Fetched>,
    /// What became of it.
    pub outcome: Outcome,
    /// When the node came to this outcome.
    pub at: Timestamp,
    /// URLs that belong to the crawl, to be admitted unless seen.
    pub found: Vec<Found>,
    /// URLs that do not, once each with the reason.
    pub skipped: Vec<Skipped>,
}

impl Report {
    /// Whether the URL was visited as a sitemap, or turned out to be one.
    pub fn is_sitemap(&self) -> bool {
        match self.outcome {
            Outcome::Read { .. } => true,
            // Moved to what is a page of the crawl.
            Outcome::Stored(_) => false,
            _ => self.url.origin.sitemap.is_some(),
        }
    }

    /// Where `found`, one of this report, was found: as a rule at the URL of the report. A sitemap that a page's report
    /// brings is named by the robots.txt of that page, or by nobody.
    pub fn found_on(&self, found: &Found) -> Option<Cow<'_, str>> {
        match found.origin.sitemap {
            Some(_) if self.is_sitemap() || found.origin.hops > 0 => Some(Cow::Borrowed(&self.url.url)),
            Some(Sitemap::Usual) => None,
            Some(_) => {
                let page = Url::parse(&self.url.url).ok()?;
                Some(Cow::Owned(Authority::of(&page).robots_url().into()))
            }
            None => Some(Cow::Borrowed(&self.url.url)),
        }
    }
}

/// What became of a visit.
#[derive(Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// A 2xx answer: the page is stored.
    Stored(Box<StoredPage>),
    /// A sitemap was read, or there is none where one might have been: what it lists is among `found` and `skipped`.
    Read {
        /// Where it was not read, why: one word, as in `Failed`.
        reason: Option<String>,
        /// What was read, in words.
        detail: String,
    },
    /// A redirect; its target is among `found` or `skipped`.
    Redirected {
        /// The target as resolved, or as sent where it is no URL.
        to: String,
    },
    /// robots.txt forbids it.
    Disallowed {
        /// The line of robots.txt that says so.
        rule: String,
    },
    /// Given up, with the reason in one word and in a sentence.
    Failed {
        /// One word: a failure class, `http-404`, `too-many-redirects`...
        reason: String,
        /// The evidence.
        detail: String,
    },
    /// To be tried again at `due`.
    Retry {
        /// Not before.
        due: Timestamp,
        /// Whether this attempt counts, or the host only asked us to wait.
        counts: bool,
        /// One word, as in `Failed`.
        reason: String,
        /// The evidence.
        detail: String,
    },
    /// It may be fetched, and its owner wishes that it be not used: it was not asked for, or it was read and is not stored.
    Withheld {
        /// One word: `content-signal`, `noindex`.
        #[serde(with = "words")]
        reason: Word,
        /// Where the owner says so.
        detail: String,
    },
}

impl Outcome {
    /// The word that `fetches.outcome` holds.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stored(_) => "stored",
            Self::Read { .. } => "read",
            Self::Redirected { .. } => "redirected",
            Self::Disallowed { .. } => "disallowed",
            Self::Failed { .. } => "failed",
            Self::Retry { counts: true, .. } => "retry",
            Self::Retry { counts: false, .. } => "throttled",
            Self::Withheld { .. } => "withheld",
        }
    }
}

/// A page as it is stored: what was parsed and what came with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredPage {
    /// What was parsed; empty metadata for documents that are not HTML.
    pub page: Page,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// `X-Robots-Tag` as sent.
    pub robots_tag: Option<String>,
    /// `ETag` as sent.
    pub etag: Option<String>,
    /// `Last-Modified` as sent.
    pub last_modified: Option<String>,
    /// First 16 bytes of the BLAKE3 hash of the decoded body.
    pub content_hash: [u8; 16],
    /// The outlinks as one packed value (see `migrations/README.md`), `None` where links are not kept.
    pub links: Option<String>,
    /// Links of it that are followed and stay in its section ([`crate::crawl::traps`]), known ones included.
    pub inside: u32,
    /// What `Content-Signal` of robots.txt said of it.
    pub signals: Signals,
    /// Where the body was cut, in a word.
    #[serde(with = "words::option")]
    pub truncated: Option<Word>,
}

/// One request as `fetches` holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fetched {
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The failure class, where none came.
    #[serde(with = "words::option")]
    pub error: Option<Word>,
    /// When it was sent.
    pub started: Timestamp,
    /// From there to the first byte.
    pub first_byte: Option<Duration>,
    /// From there to the end.
    pub total: Duration,
    /// Bytes of the body on the wire.
    pub wire_bytes: u64,
    /// Bytes of the body decoded.
    pub body_bytes: u64,
    /// What was odd about the answer.
    pub remarks: Remarks,
}

/// A URL that belongs to the crawl, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Key of the canonical URL.
    pub key: UrlKey,
    /// The URL as found.
    pub url: String,
    /// Its host.
    pub host: HostKey,
    /// What it inherits.
    pub origin: Origin,
}

/// A URL that was found and does not belong to the crawl, or not now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Key of the canonical URL, or of the text where it is no URL.
    pub key: UrlKey,
    /// The URL or text.
    pub url: String,
    /// Why, in one word.
    #[serde(with = "words")]
    pub reason: Word,
    /// Why, in a sentence.
    pub detail: Arc<str>,
    /// What it inherits, where it is only parked ([`crate::crawl::traps`]): then it can be released.
    pub parked: Option<Origin>,
}

/// Reasons of `skipped` that a shorter or freer path found later overrules: the URL is then admitted and the row goes.
pub const PROVISIONAL_REASONS: &[&str] = &["depth", "hops", "nofollow"];

/// What a node has learned of a host: committed before the host's next request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    /// The crawl in whose name the host was asked.
    pub crawl: CrawlId,
    /// The host.
    pub host: HostKey,
    /// Its pace from now on.
    pub pace: Pace,
    /// What its robots.txt said, where this note comes from one.
    pub robots: Option<RobotsNote>,
    /// When this was learned; an older note never replaces a newer one.
    pub at: Timestamp,
}

/// A robots.txt as `hosts` and `fetches` show it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RobotsNote {
    /// Where it was asked for.
    pub url: String,
    /// Redirects that led to this request.
    pub hop: u8,
    /// What was made of it: `rules`, `allow-all`, `disallow-all`, `unreachable`, `redirect`.
    #[serde(with = "words")]
    pub verdict: Word,
    /// More of that, for people: where a redirect leads, why it is unreachable. May be empty.
    pub detail: String,
    /// The request.
    pub fetch: Fetched,
    /// The lease under which it was asked.
    pub token: Token,
}

/// One entry of the stream from nodes to storage.
#[derive(Debug, Serialize, Deserialize)]
pub enum Entry {
    /// A visit.
    Report(Box<Report>),
    /// A note on a host.
    Note(Box<Note>),
}

impl Report {
    /// What this visit opens: the target of a seed's redirect is a seed, too. To be added to the scope before the
    /// target is admitted.
    pub fn opens(&self) -> impl Iterator<Item = (Url, ScopeKind)> {
        let redirected = self.found.iter().filter(|found| found.origin.hops > 0);
        redirected.filter_map(|found| Some((Url::parse(&found.url).ok()?, found.origin.seed?)))
    }
}

impl StoredPage {
    /// The bytes of its texts, roughly.
    pub fn weight(&self) -> usize {
        self.page.text.as_ref().map_or(0, String::len) + self.links.as_ref().map_or(0, String::len) + 1_024
    }
}
