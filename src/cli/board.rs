//! What is known of a running crawl without asking the store: counters that the storage stage's events move.

use super::figures::{bytes, span};
use super::progress::Progress;
use crate::clock::Clock;
use crate::crawl::report::{Note, Outcome, Report, Skipped};
use crate::crawl::time::Timestamp;
use crate::frontier::memory::MemoryFrontier;
use crate::node::Node;
use crate::storage::{Event, Listener};
use crate::store::Tally;
use crate::telemetry::Terminal;
use crate::telemetry::escape::{fit, visible};
use crate::wiring::joined::Standing;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Hosts whose slowdowns are told apart.
const SLOW_HOSTS: usize = 1_000;
/// Columns of a URL in the line a page.
const URL_COLUMNS: usize = 120;

/// Counters of one process.
#[derive(Debug, Default)]
pub(super) struct Board {
    done: AtomicU64,
    retrying: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    open: AtomicU64,
    slow: Mutex<HashMap<String, Slow>>,
}

/// How often and how long a host asked us to wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Slow {
    /// The status it said it with; none where it was silent.
    pub(super) status: Option<u16>,
    /// How often.
    pub(super) times: u64,
    /// How long that was in all, up to `from`.
    waited: Duration,
    /// Whether its robots.txt said so last.
    robots: bool,
    /// Since when, and until when, it is left alone now.
    from: Timestamp,
    pub(super) until: Timestamp,
}

impl Slow {
    /// How long it was left alone in all: time that has passed.
    pub(super) fn waited(&self, now: Timestamp) -> Duration {
        self.waited + self.until.min(now).since(self.from)
    }

    /// It asked, at this time, to be left alone until then.
    fn ask(&mut self, at: Timestamp, until: Timestamp) {
        self.times += 1;
        self.waited = self.waited(at);
        (self.from, self.until) = (at, until);
    }

    /// `429`, `robots 503`, `back-off`: why the host is left alone.
    fn reason(&self) -> String {
        match (self.robots, self.status) {
            (true, Some(status)) => format!("robots {status}"),
            (true, None) => "no robots".to_owned(),
            (false, Some(status)) => status.to_string(),
            (false, None) => "back-off".to_owned(),
        }
    }
}

/// How much is said of each visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// A line: `-v`.
    Pages,
    /// And a line for each URL that was skipped: `-vv`.
    Skipped,
}

impl Board {
    /// Starts with what the store has.
    pub(super) fn new(tally: &Tally) -> Arc<Self> {
        let board = Self::default();
        board.done.store(
            tally.stored + tally.redirected + tally.failed + tally.excluded + tally.read,
            Ordering::Relaxed,
        );
        board.failed.store(tally.failed, Ordering::Relaxed);
        board.open.store(tally.open, Ordering::Relaxed);
        Arc::new(board)
    }

    /// Counts what storage wrote; with a terminal, also prints a line a page, and if asked a line a skipped URL.
    pub(super) fn listener(self: &Arc<Self>, pages: Option<(Terminal, Detail)>) -> Listener {
        let board = Arc::clone(self);
        Arc::new(move |event| match event {
            Event::Visited { report, committed } if committed.effective => {
                let retry = committed.retry.is_some();
                board.visited(report, committed.admitted.len() as u64, retry);
                if let Some((terminal, detail)) = &pages {
                    terminal.line(&page_line(report));
                    if *detail == Detail::Skipped {
                        report.skipped.iter().for_each(|skipped| terminal.line(&skipped_line(skipped)));
                    }
                }
            }
            Event::Visited { .. } => {}
            Event::Noted(note) => {
                if let Some(until) = note.pace.block_until {
                    board.slowed(note, until);
                }
            }
        })
    }

    /// New seeds were accepted.
    pub(super) fn accepted(&self, seeds: usize) {
        self.open.fetch_add(seeds as u64, Ordering::Relaxed);
    }

    fn visited(&self, report: &Report, admitted: u64, retry: bool) {
        self.open.fetch_add(admitted, Ordering::Relaxed);
        self.bytes.fetch_add(report.fetch.as_ref().map_or(0, |fetch| fetch.wire_bytes), Ordering::Relaxed);
        let tried_again = report.url.attempt > 1 || report.url.throttled > 0;
        match (tried_again, retry) {
            (true, false) => _ = self.retrying.fetch_sub(1, Ordering::Relaxed),
            (false, true) => _ = self.retrying.fetch_add(1, Ordering::Relaxed),
            _ => {}
        }
        if retry && let Some(fetch) = &report.fetch {
            // The note on the host's pace follows its report: this is the status that it will be about.
            self.slow_host(report.url.host.as_str(), |slow| {
                (slow.status, slow.robots) = (fetch.status, false);
            });
        }
        if !retry {
            self.open.fetch_sub(1, Ordering::Relaxed);
            self.done.fetch_add(1, Ordering::Relaxed);
            self.failed
                .fetch_add(u64::from(matches!(report.outcome, Outcome::Failed { .. })), Ordering::Relaxed);
        }
    }

    /// A host is to be left alone `until`, says the note.
    fn slowed(&self, note: &Note, until: Timestamp) {
        self.slow_host(note.host.as_str(), |slow| {
            if let Some(robots) = &note.robots {
                (slow.status, slow.robots) = (robots.fetch.status.or(slow.status), true);
            }
            slow.ask(note.at, until);
        });
    }

    /// Why the host is waited for that may be asked next.
    fn next_reason(&self, now: Timestamp) -> String {
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        let next = slow.values().filter(|slow| slow.until > now).min_by_key(|slow| slow.until);
        next.map_or_else(|| "back-off".to_owned(), Slow::reason)
    }

    fn slow_host(&self, host: &str, change: impl FnOnce(&mut Slow)) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if slow.len() < SLOW_HOSTS || slow.contains_key(host) {
            change(slow.entry(host.to_owned()).or_default());
        }
    }

    /// Hosts that asked us to wait, the longest wait first.
    pub(super) fn slow_hosts(&self, now: Timestamp) -> Vec<(String, Slow)> {
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hosts: Vec<_> = slow
            .iter()
            .filter(|(_, slow)| slow.times > 0)
            .map(|(host, slow)| (host.clone(), slow.clone()))
            .collect();
        hosts.sort_by_key(|(_, slow)| std::cmp::Reverse(slow.waited(now)));
        hosts
    }

    /// A snapshot for the progress line.
    pub(super) fn progress(&self, node: &Node, front: &MemoryFrontier, clock: &Clock) -> Progress {
        let (_, blocked) = front.snapshot();
        let in_flight = node.in_flight() as u64;
        let now = clock.now();
        let next = blocked.until.map(|until| (until.since(now), self.next_reason(now)));
        Progress {
            done: self.done.load(Ordering::Relaxed),
            queued: self.open.load(Ordering::Relaxed).saturating_sub(in_flight),
            in_flight,
            bytes: self.bytes.load(Ordering::Relaxed),
            retrying: self.retrying.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            waiting_hosts: blocked.hosts as u64,
            next_host: next,
        }
    }

    /// The same for a crawl of an installation: what the store and the index have counted, of all processes.
    pub(super) fn standing(&self, standing: &Standing, now: Timestamp) -> Progress {
        let Standing { tally, counts, blocked } = standing;
        let in_flight = counts.leased as u64;
        Progress {
            done: standing.done(),
            queued: tally.open.saturating_sub(in_flight),
            in_flight,
            bytes: self.bytes.load(Ordering::Relaxed),
            retrying: self.retrying.load(Ordering::Relaxed),
            failed: tally.failed,
            waiting_hosts: blocked.hosts as u64,
            next_host: blocked.until.map(|until| (until.since(now), self.next_reason(now))),
        }
    }
}

/// `200  84ms  12.1 kB  d2  http://...`
fn page_line(report: &Report) -> String {
    let fetch = report.fetch.as_ref();
    let status =
        fetch.and_then(|fetch| fetch.status).map_or_else(|| "---".to_owned(), |status| status.to_string());
    let took = fetch.map_or_else(|| "-".to_owned(), |fetch| span(fetch.total));
    let size = bytes(fetch.map_or(0, |fetch| fetch.body_bytes));
    let word = report.outcome.word();
    let url = fit(&report.url.url, URL_COLUMNS);
    format!("{status}  {took:>6}  {size:>8}  d{}  {word}  {url}", report.url.origin.depth)
}

/// `skip  nofollow  http://...  (rel of the link)`
fn skipped_line(skipped: &Skipped) -> String {
    let Skipped { url, reason, detail, .. } = skipped;
    format!("skip  {reason}  {}  ({})", fit(url, URL_COLUMNS), visible(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_that_has_passed_was_waited_and_none_of_it_twice() {
        let at = |seconds| Timestamp::EPOCH + Duration::from_secs(seconds);
        let mut slow = Slow::default();
        assert_eq!(slow.waited(at(50)), Duration::ZERO);
        slow.ask(at(10), at(40));
        assert_eq!(slow.waited(at(15)), Duration::from_secs(5), "still waiting");
        assert_eq!(slow.waited(at(90)), Duration::from_secs(30), "over");
        slow.ask(at(20), at(86_400));
        assert_eq!(slow.waited(at(25)), Duration::from_secs(15), "asked again meanwhile");
        slow.ask(at(30), at(31));
        assert_eq!((slow.waited(at(99)), slow.times), (Duration::from_secs(21), 3));
    }
}
