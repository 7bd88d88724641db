//! One host of the index: its queue, its lease and when it may be asked next.

use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued, Token};
use crate::crawl::time::Timestamp;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A queued URL with its place in line.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) url: Queued,
    /// Smaller came first.
    pub(super) place: i64,
    /// Set once a lease expired with this URL in it, which is leased alone from then on: how many leases in a row
    /// expired with it alone.
    pub(super) suspect: Option<u32>,
}

/// Orders the heap of URLs that may be visited now: higher priority first, then the first come.
#[derive(Debug)]
struct Ready(Waiting);

/// Orders the heap of URLs that wait for their own due time: the earliest first.
#[derive(Debug)]
struct Later(Waiting);

impl Ready {
    fn rank(&self) -> (u8, Reverse<i64>) {
        (self.0.url.origin.priority, Reverse(self.0.place))
    }
}

impl Later {
    fn rank(&self) -> Reverse<(Timestamp, i64)> {
        Reverse((self.0.url.due, self.0.place))
    }
}

macro_rules! order_by_rank {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.rank() == other.rank()
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.rank().cmp(&other.rank())
            }
        }
    )*};
}
order_by_rank!(Ready, Later);

/// A lease as the index holds it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: Token,
    pub(super) until: Timestamp,
    pub(super) urls: Vec<Waiting>,
}

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) key: HostKey,
    pub(super) pace: Pace,
    /// The earliest next request, blocks aside.
    pub(super) due: Timestamp,
    pub(super) held: Option<Held>,
    /// Notes in the stream: the host rests until they are committed.
    pub(super) notes: u32,
    /// URLs of it handed over.
    pub(super) handed_over: usize,
    /// Whether SQL may hold open URLs of it that are not here.
    pub(super) short: bool,
    /// Kept free for a borrower until then.
    pub(super) wanted_until: Timestamp,
    /// Whether its due time is its turn among the hosts of its registrable domain.
    pub(super) has_turn: bool,
    /// Where it stands in the agenda.
    pub(super) agenda: Option<Timestamp>,
    /// Whether it was found due with nothing that may be leased: its crawls are paused, or their budgets spent.
    pub(super) parked: bool,
    lines: Vec<(CrawlId, Line)>,
}

/// What is queued of one crawl.
#[derive(Debug, Default)]
struct Line {
    ready: BinaryHeap<Ready>,
    later: BinaryHeap<Later>,
}

impl Line {
    fn len(&self) -> usize {
        self.ready.len() + self.later.len()
    }

    /// Moves to the ready ones what has become due.
    fn ripen(&mut self, now: Timestamp) {
        while self.later.peek().is_some_and(|later| later.0.url.due <= now) {
            self.ready.extend(self.later.pop().map(|later| Ready(later.0)));
        }
    }

    fn into_waiting(self) -> impl Iterator<Item = Waiting> {
        let later = self.later.into_iter().map(|later| later.0);
        self.ready.into_iter().map(|ready| ready.0).chain(later)
    }
}

impl Host {
    pub(super) fn new(key: HostKey, pace: Pace, due: Timestamp) -> Self {
        Self {
            key,
            pace,
            due,
            held: None,
            notes: 0,
            handed_over: 0,
            short: false,
            wanted_until: Timestamp::EPOCH,
            has_turn: false,
            agenda: None,
            parked: false,
            lines: Vec::new(),
        }
    }

    /// What stands in a slot that no host has.
    pub(super) fn vacant() -> Self {
        Self::new(HostKey::from_stored(""), Pace::default(), Timestamp::EPOCH)
    }

    /// Whether all that is left of it here is its pace: nothing of it is queued, leased, handed over, noted or left in
    /// the store, and it may be asked. Then a host made anew with that pace is no other.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.size() == 0
            && self.held.is_none()
            && self.notes == 0
            && !self.short
            && self.due.max(self.wanted_until) <= now
    }

    pub(super) fn queued(&self) -> usize {
        self.lines.iter().map(|(_, line)| line.len()).sum()
    }

    /// URLs of it anywhere in the index.
    pub(super) fn size(&self) -> usize {
        self.queued() + self.handed_over + self.held.as_ref().map_or(0, |held| held.urls.len())
    }

    pub(super) fn push(&mut self, waiting: Waiting, now: Timestamp) {
        let crawl = waiting.url.crawl;
        let at = self.lines.iter().position(|(one, _)| *one == crawl).unwrap_or_else(|| {
            self.lines.push((crawl, Line::default()));
            self.lines.len() - 1
        });
        let line = &mut self.lines[at].1;
        if waiting.url.due > now {
            line.later.push(Later(waiting));
        } else {
            line.ready.push(Ready(waiting));
        }
    }

    /// The earliest point of a request to this host, whatever for.
    pub(super) fn free_at(&self) -> Timestamp {
        self.due.max(self.pace.block_until.unwrap_or(Timestamp::EPOCH))
    }

    /// When it can be leased: `None` while it is held, rests for a note, or has nothing queued.
    pub(super) fn leasable_at(&self) -> Option<Timestamp> {
        if self.held.is_some() || self.notes > 0 {
            return None;
        }
        let first = |(_, line): &(CrawlId, Line)| match (line.ready.is_empty(), line.later.peek()) {
            (false, _) => Some(Timestamp::EPOCH),
            (true, Some(later)) => Some(later.0.url.due),
            (true, None) => None,
        };
        let url = self.lines.iter().filter_map(first).min()?;
        Some(url.max(self.free_at()).max(self.wanted_until))
    }

    /// Takes all queued URLs but the first.
    pub(super) fn shrink(&mut self, now: Timestamp) -> Vec<Waiting> {
        let mut first = self.take(1, now, |_| 1);
        let mut rest: Vec<_> =
            std::mem::take(&mut self.lines).into_iter().flat_map(|(_, line)| line.into_waiting()).collect();
        if first.is_empty() {
            let earliest = (0..rest.len()).min_by_key(|at| (rest[*at].url.due, rest[*at].place));
            first.extend(earliest.map(|at| rest.swap_remove(at)));
        }
        for waiting in first {
            self.push(waiting, now);
        }
        rest
    }

    /// Takes all queued URLs of one crawl.
    pub(super) fn drop_line(&mut self, crawl: CrawlId) -> Vec<Waiting> {
        let Some(at) = self.lines.iter().position(|(one, _)| *one == crawl) else { return Vec::new() };
        self.lines.swap_remove(at).1.into_waiting().collect()
    }

    /// Takes up to `most` URLs that are due, and of each crawl as many as `room` says; one that was in an expired lease comes
    /// alone.
    pub(super) fn take(
        &mut self,
        most: usize,
        now: Timestamp,
        room: impl Fn(CrawlId) -> usize,
    ) -> Vec<Waiting> {
        let mut rooms: Vec<usize> = self.lines.iter().map(|(crawl, _)| room(*crawl)).collect();
        self.lines.iter_mut().for_each(|(_, line)| line.ripen(now));
        let mut taken: Vec<Waiting> = Vec::new();
        while taken.len() < most {
            let heads = self.lines.iter().zip(&rooms).enumerate().filter(|(_, (_, room))| **room > 0);
            let heads = heads.filter_map(|(at, ((_, line), _))| Some((line.ready.peek()?, at)));
            let Some((first, at)) = heads.max_by(|one, other| one.0.cmp(other.0)) else { break };
            let alone = first.0.suspect.is_some();
            if alone && !taken.is_empty() {
                break;
            }
            taken.extend(self.lines[at].1.ready.pop().map(|ready| ready.0));
            rooms[at] -= 1;
            if alone {
                break;
            }
        }
        self.lines.retain(|(_, line)| line.len() > 0);
        taken
    }
}
