//! The storage stage's side of the index: the stream, its lag, and what is admitted and acknowledged.

use super::{Appended, HostId, Index, Lag, Limits};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::{Entry, Found, Note, Outcome, Skipped};
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::frontier::{Ack, EntryId};
use std::time::Duration;

/// Bytes of entries after which a batch is closed: pages with thousands of links make it a short one.
const BATCH_BYTES: usize = 8 << 20;
/// Reports over which the mean of their bytes is taken.
const MEAN_OVER: usize = 16;

impl Index {
    /// URLs that may be leased before the lag is at its bound, if their reports are as long as the last ones were. One at least
    /// where nothing is leased, however long that is.
    pub(super) fn stream_room(&self) -> usize {
        let Limits { stream_entries, stream_bytes, .. } = self.limits;
        if self.lag.len() >= stream_entries || self.lag_bytes >= stream_bytes {
            return 0;
        }
        let reports = (stream_bytes - self.lag_bytes) / self.report_bytes.max(1);
        reports.saturating_sub(self.leased).max(usize::from(self.leased == 0))
    }

    /// When the next batch is to be taken: now where `most` entries are there or the nodes have nothing else to do,
    /// `linger` after the first entry otherwise; `None` while the stream is empty.
    pub fn batch_due(&self, most: usize, linger: Duration, now: Timestamp) -> Option<Timestamp> {
        let first = self.stream.front()?;
        let starving = self.leased == 0 && self.agenda.first().is_none_or(|(at, _)| *at > now);
        let full = self.stream.len() >= most || self.lag_bytes >= self.limits.stream_bytes / 2;
        Some(if starving || full { now } else { first.at + linger })
    }

    /// Whether the storage stage should look at the stream now: it lingers over a batch by itself, and need not be
    /// woken for every entry.
    pub fn is_worth_a_look(&self) -> bool {
        self.stream.len() == 1 || self.stream.len().is_multiple_of(64) || self.leased == 0
    }

    /// Takes up to `most` entries and `BATCH_BYTES`, one at least; they stay in the lag until they are acknowledged.
    pub fn take_reports(&mut self, most: usize) -> Vec<(EntryId, Entry)> {
        let mut bytes = 0;
        let fitting = self.stream.iter().take(most).take_while(|appended| {
            let fits = bytes < BATCH_BYTES;
            bytes += self.lag.get(&appended.id).map_or(0, |lag| lag.bytes);
            fits
        });
        let fitting = fitting.count();
        self.stream.drain(..fitting).map(|appended| (appended.id, appended.entry)).collect()
    }

    /// See [`crate::frontier::Reports::unseen`].
    pub fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Vec<bool> {
        keys.iter().map(|key| !self.seen.contains(crawl, *key)).collect()
    }

    /// See [`crate::frontier::Reports::admit`].
    pub fn admit(&mut self, urls: Vec<Queued>, crawl: CrawlId, seen: &[UrlKey], now: Timestamp) -> usize {
        for key in seen {
            self.seen.insert(crawl, *key);
        }
        let mut queued = 0;
        for url in urls {
            if self.known.contains(&(url.crawl, url.key)) {
                continue;
            }
            let host = self.host(&url.host, now);
            // A host whose tail is in SQL takes no newcomer past that tail: the refill keeps the order.
            if self.hosts[host].short || self.has_no_room(host) {
                self.refuse(host);
                continue;
            }
            self.push_back(host, url, now);
            queued += 1;
        }
        queued
    }

    /// See [`crate::frontier::Reports::acknowledge`].
    pub fn acknowledge(&mut self, acks: Vec<Ack>, now: Timestamp) {
        for ack in acks {
            let Some(lag) = self.lag.remove(&ack.id) else { continue };
            self.lag_bytes -= lag.bytes;
            let Some(key) = lag.key else {
                self.hosts[lag.host].notes -= 1;
                self.schedule(lag.host);
                continue;
            };
            self.known.remove(&(lag.crawl, key));
            if let Some(settled) = &mut self.settled {
                settled.insert((lag.crawl, key));
            }
            self.handed_over -= 1;
            self.hosts[lag.host].handed_over -= 1;
            self.settle(lag.crawl, 1);
            if ack.stored
                && let Some(settings) = self.crawls.get_mut(&lag.crawl)
            {
                settings.stored = Some(settings.stored.unwrap_or_default() + 1);
            }
            if let Some(url) = ack.requeue {
                self.push_back(lag.host, url, now);
            }
        }
    }

    pub(super) fn append(
        &mut self,
        host: HostId,
        crawl: CrawlId,
        key: Option<UrlKey>,
        entry: Entry,
        at: Timestamp,
    ) {
        self.entries += 1;
        let id = EntryId(self.entries);
        let bytes = weight(&entry);
        if key.is_some() {
            self.report_bytes = (self.report_bytes * (MEAN_OVER - 1) + bytes) / MEAN_OVER;
        }
        self.lag.insert(id, Lag { host, crawl, key, bytes });
        self.lag_bytes += bytes;
        self.stream.push_back(Appended { id, entry, at });
    }

    pub(super) fn append_note(&mut self, id: HostId, note: Note) {
        self.hosts[id].pace = note.pace;
        self.hosts[id].notes += 1;
        let (crawl, at) = (note.crawl, note.at);
        self.append(id, crawl, None, Entry::Note(Box::new(note)), at);
        self.schedule(id);
    }
}

/// The bytes an entry holds, roughly: its texts.
fn weight(entry: &Entry) -> usize {
    const FIXED: usize = 512;
    let Entry::Report(report) = entry else { return FIXED };
    let found: usize = report.found.iter().map(|found| found.url.capacity() + size_of::<Found>()).sum();
    let skipped: usize = report.skipped.iter().map(|one| one.url.capacity() + size_of::<Skipped>()).sum();
    let page = match &report.outcome {
        Outcome::Stored(stored) => stored.weight(),
        _ => 0,
    };
    FIXED + report.url.url.len() + found + skipped + page
}
