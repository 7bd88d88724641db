//! A model of the index: every URL with its place, every host with its times, and no structure made for speed.
//!
//! Each `expect_...` takes what an index answered, asserts that it is what the contract allows, and does the same
//! step here. The nodes' side is below, that of storage and scheduler in `filling`.

mod filling;

use super::subject::{Subject, quiet};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{Lease, Pace, Queued, Token};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::{Borrowed, EntryId, GUARD, LEASE_URLS, Next, QUARANTINE};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a host is kept free for a borrower.
const WANTED: Duration = Duration::from_millis(500);

/// A queued or leased URL.
#[derive(Debug, Clone)]
struct Waiting {
    url: Queued,
    /// Leases in a row that expired with it alone; `None` where none expired with it.
    suspect: Option<u32>,
}

#[derive(Debug)]
struct Held {
    token: Token,
    until: Timestamp,
    urls: Vec<Waiting>,
}

#[derive(Debug)]
struct Host {
    pace: Pace,
    due: Timestamp,
    wanted: Timestamp,
    /// When it last came back with nothing left: an index may have let it leave and counts it due since then.
    back: Timestamp,
    queue: Vec<Waiting>,
    held: Option<Held>,
    handed_over: BTreeSet<UrlKey>,
    notes: usize,
    short: bool,
}

/// What an entry of the stream is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct About {
    host: HostKey,
    /// `None` for a note.
    key: Option<UrlKey>,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) limits: Limits,
    pub(super) delay: Duration,
    pub(super) max_pages: Option<u64>,
    pub(super) stored: u64,
    pub(super) now: Timestamp,
    epoch: u32,
    quiet_from: Option<Timestamp>,
    fleet: bool,
    paces: BTreeMap<HostKey, Pace>,
    hosts: BTreeMap<HostKey, Host>,
    seen: BTreeSet<UrlKey>,
    /// Not taken yet: entries of one step, in any order, before those of the next.
    stream: Vec<BTreeSet<About>>,
    /// Taken, not acknowledged.
    taken: BTreeMap<EntryId, About>,
    settled: Option<BTreeSet<UrlKey>>,
    drawn: BTreeSet<Token>,
}

impl Host {
    fn free_at(&self) -> Timestamp {
        self.due.max(self.pace.block_until.unwrap_or(Timestamp::EPOCH))
    }

    /// When it could be leased, URLs aside.
    fn open_at(&self) -> Timestamp {
        self.free_at().max(self.wanted)
    }

    fn leasable_at(&self) -> Option<Timestamp> {
        let url = self.queue.iter().map(|waiting| waiting.url.due).min()?;
        (self.held.is_none() && self.notes == 0).then(|| url.max(self.open_at()))
    }

    /// The latest point since which an index may count it as due.
    fn due_since(&self) -> Option<Timestamp> {
        self.leasable_at().map(|at| at.max(self.back))
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        self.size() == 0
            && self.held.is_none()
            && self.notes == 0
            && !self.short
            && self.due.max(self.wanted) <= now
    }

    fn leased(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.urls.len())
    }

    fn size(&self) -> usize {
        self.queue.len() + self.leased() + self.handed_over.len()
    }

    fn knows(&self, key: UrlKey) -> bool {
        let held = self.held.iter().flat_map(|held| &held.urls);
        self.handed_over.contains(&key) || self.queue.iter().chain(held).any(|waiting| waiting.url.key == key)
    }

    /// What is due, in the order in which it is to be visited.
    fn in_order(&self, now: Timestamp) -> Vec<Waiting> {
        let mut due: Vec<_> = self.queue.iter().filter(|waiting| waiting.url.due <= now).cloned().collect();
        due.sort_by_key(|waiting| Reverse(waiting.url.origin.priority));
        due
    }

    fn take(&mut self, most: usize, now: Timestamp) -> Vec<Waiting> {
        let due = self.in_order(now);
        let alone = due[0].suspect.is_some();
        let together = due.iter().take_while(|waiting| waiting.suspect.is_none()).count();
        let taken = due[..if alone { 1 } else { together.min(most) }].to_vec();
        self.queue.retain(|waiting| taken.iter().all(|taken| taken.url.key != waiting.url.key));
        taken
    }

    fn end_lease(&mut self) {
        let held = self.held.take().expect("it is held");
        self.queue.splice(0..0, held.urls);
    }
}

impl Model {
    pub(super) fn new(limits: Limits, delay: Duration, max_pages: Option<u64>, subject: &Subject) -> Self {
        let now = subject.now();
        Self {
            limits,
            delay,
            max_pages,
            stored: 0,
            now,
            epoch: 0,
            quiet_from: None,
            fleet: subject.fleet,
            paces: BTreeMap::new(),
            hosts: BTreeMap::new(),
            seen: BTreeSet::new(),
            stream: Vec::new(),
            taken: BTreeMap::new(),
            settled: None,
            drawn: BTreeSet::new(),
        }
    }

    pub(super) fn open_epoch(&mut self, epoch: u32, paces: &[(HostKey, Pace)], resumed: bool) {
        self.epoch = epoch;
        self.quiet_from = resumed.then_some(self.now);
        self.paces.extend(paces.iter().cloned());
    }

    pub(super) fn delay_with(&self, pace: &Pace) -> Duration {
        Delay::Fixed(self.delay).of("host", pace)
    }

    /// The pace of a host, heard of or not.
    pub(super) fn pace(&self, host: &HostKey) -> Pace {
        let known = self.hosts.get(host).map(|host| host.pace);
        known.or_else(|| self.paces.get(host).copied()).unwrap_or_default()
    }

    fn host(&mut self, key: &HostKey) -> &mut Host {
        let pace = self.pace(key);
        let due = self
            .quiet_from
            .map_or(self.now, |from| self.now.max(from + quiet(self.fleet, self.delay_with(&pace))));
        let now = self.now;
        let host = self.hosts.entry(key.clone()).or_insert_with(|| Host {
            pace,
            due,
            wanted: Timestamp::EPOCH,
            back: Timestamp::EPOCH,
            queue: Vec::new(),
            held: None,
            handed_over: BTreeSet::new(),
            notes: 0,
            short: false,
        });
        if host.is_idle(now) {
            host.back = now;
        }
        host
    }

    fn sum(&self, of: impl Fn(&Host) -> usize) -> usize {
        self.hosts.values().map(of).sum()
    }

    fn in_flight(&self) -> u64 {
        self.sum(|host| host.leased() + host.handed_over.len()) as u64
    }

    fn left(&self) -> u64 {
        self.max_pages.map_or(u64::MAX, |most| most.saturating_sub(self.stored + self.in_flight()))
    }

    fn lag(&self) -> usize {
        self.taken.len() + self.stream.iter().map(BTreeSet::len).sum::<usize>()
    }

    fn is_full(&self, host: &HostKey) -> bool {
        self.sum(Host::size) >= self.limits.urls || self.hosts[host].size() >= self.limits.host_urls
    }

    /// The holder of this token, where its lease runs; one that expired and was not taken back has `expired`.
    pub(super) fn holds(&self, host: &HostKey, token: Token, expired: bool) -> bool {
        let held = self.hosts.get(host).and_then(|host| host.held.as_ref());
        held.is_some_and(|held| held.token == token && (expired || held.until > self.now))
    }

    fn take_back_expired(&mut self) {
        let mut quarantined = BTreeSet::new();
        let (now, delay) = (self.now, self.delay);
        for (key, host) in &mut self.hosts {
            let Some(held) = host.held.as_mut().filter(|held| held.until <= now) else { continue };
            let pause = Delay::Fixed(delay).of("host", &host.pace).max(GUARD);
            host.due = host.due.max(held.until + pause);
            let alone = u32::from(held.urls.len() == 1);
            for waiting in &mut held.urls {
                waiting.suspect = Some(waiting.suspect.unwrap_or(0) + alone);
            }
            if alone == 1 && held.urls[0].suspect >= Some(QUARANTINE) {
                let url = held.urls.remove(0).url;
                host.handed_over.insert(url.key);
                quarantined.insert(About { host: key.clone(), key: Some(url.key) });
            }
            host.end_lease();
        }
        self.append(quarantined);
    }

    fn append(&mut self, entries: BTreeSet<About>) {
        if !entries.is_empty() {
            self.stream.push(entries);
        }
    }

    pub(super) fn expect_next(&mut self, asked: usize, next: &Next) {
        self.take_back_expired();
        let leases = match next {
            Next::Leases(leases) => &leases[..],
            Next::NotBefore(at) => {
                self.expect_no_later_than_anything(*at);
                &[]
            }
            Next::Drain => panic!("nobody drains this node"),
        };
        assert!(leases.len() <= asked);
        if self.lag() >= self.limits.stream_entries {
            assert!(leases.is_empty(), "the lag is at its bound");
            return;
        }
        let mut longest = Timestamp::EPOCH;
        for lease in leases {
            let host = self.hosts.get(&lease.host).expect("a lease is of a host with URLs");
            let at = host.leasable_at().expect("it can be leased");
            assert!(at <= self.now, "{} is not due", lease.host);
            assert!(longest <= at.max(host.back), "{}: the longest due goes first", lease.host);
            longest = longest.max(host.open_at());
            self.expect_lease(lease);
        }
        if leases.len() < asked && self.left() > 0 {
            let due = self.hosts.iter().find(|(_, host)| host.leasable_at().is_some_and(|at| at <= self.now));
            assert!(due.is_none(), "{due:?} is due and not leased");
        }
        let passed_over = self.hosts.values().filter_map(Host::due_since).min();
        assert!(
            leases.is_empty() || passed_over.is_none_or(|at| at >= longest),
            "the longest due goes first"
        );
    }

    fn expect_lease(&mut self, lease: &Lease) {
        assert!(self.drawn.insert(lease.token), "no token is drawn twice");
        assert_eq!(lease.token.0 >> 32, i64::from(self.epoch));
        assert_eq!(lease.until, self.now + self.limits.lease);
        let (now, left) = (self.now, self.left());
        let pace = self.hosts[&lease.host].pace;
        assert_eq!(lease.pace, pace);
        let several = self.delay_with(&pace).is_zero() || pace.strikes > 0;
        let most = left.min(if several { LEASE_URLS as u64 } else { 1 }) as usize;
        assert!(most > 0, "the budget is never overleased");
        let host = self.host(&lease.host);
        let urls = host.take(most, now);
        assert!(
            lease.urls.iter().eq(urls.iter().map(|waiting| &waiting.url)),
            "{lease:?} instead of {urls:?}"
        );
        host.held = Some(Held { token: lease.token, until: lease.until, urls });
    }

    /// Whoever waits until `at` misses nothing.
    fn expect_no_later_than_anything(&self, at: Timestamp) {
        if self.lag() >= self.limits.stream_entries || self.left() == 0 {
            return;
        }
        let due = self.hosts.values().filter_map(Host::leasable_at);
        let expiries = self.hosts.values().filter_map(|host| Some(host.held.as_ref()?.until));
        let first = due.chain(expiries).min().unwrap_or(Timestamp::NEVER);
        assert!(at > self.now && at <= first, "{at} is not the next point: {first}");
    }

    pub(super) fn expect_renewed(&mut self, tokens: &[Token], unknown: &[Token]) {
        let mut expected: BTreeSet<_> = tokens.iter().copied().collect();
        for held in self.hosts.values_mut().filter_map(|host| host.held.as_mut()) {
            if held.until > self.now && expected.remove(&held.token) {
                held.until = self.now + self.limits.lease;
            }
        }
        assert_eq!(unknown.iter().copied().collect::<BTreeSet<_>>(), expected);
    }

    /// A report, a note or both under a lease; answers whether it had to be accepted.
    pub(super) fn hand_off(
        &mut self,
        lease: &Lease,
        key: UrlKey,
        due: Timestamp,
        noted: Option<Pace>,
        ends: bool,
    ) -> bool {
        let in_it =
            |host: &Host| host.held.as_ref().is_some_and(|held| held.urls.iter().any(|w| w.url.key == key));
        if !self.holds(&lease.host, lease.token, false) || !in_it(&self.hosts[&lease.host]) {
            return false;
        }
        let host = self.host(&lease.host);
        let held = host.held.as_mut().expect("it is held");
        held.urls.retain(|waiting| waiting.url.key != key);
        let ends = ends || held.urls.is_empty();
        host.handed_over.insert(key);
        host.due = host.due.max(due);
        let mut entries = BTreeSet::from([About { host: lease.host.clone(), key: Some(key) }]);
        entries.extend(self.note(&lease.host, noted));
        self.append(entries);
        if ends {
            self.host(&lease.host).end_lease();
        }
        true
    }

    fn note(&mut self, key: &HostKey, pace: Option<Pace>) -> Option<About> {
        let host = self.host(key);
        host.pace = pace?;
        host.notes += 1;
        Some(About { host: key.clone(), key: None })
    }

    /// A note under a lease that goes on.
    pub(super) fn noted(&mut self, host: &HostKey, pace: Pace) {
        let entry = self.note(host, Some(pace));
        self.append(entry.into_iter().collect());
    }

    pub(super) fn released(&mut self, key: &HostKey, due: Timestamp, noted: Option<Pace>) {
        let entry = self.note(key, noted);
        self.append(entry.into_iter().collect());
        let host = self.host(key);
        host.due = host.due.max(due);
        host.end_lease();
    }

    pub(super) fn expect_borrowed(&mut self, key: &HostKey, borrowed: Borrowed) {
        let (now, lease) = (self.now, self.limits.lease);
        let host = self.host(key);
        let is_free = host.held.is_none() && host.notes == 0 && host.free_at() <= now;
        match borrowed {
            Borrowed::Granted(token, pace) => {
                assert!(is_free, "{key} is not free");
                assert_eq!(pace, host.pace);
                host.wanted = Timestamp::EPOCH;
                host.held = Some(Held { token, until: now + lease, urls: Vec::new() });
                assert!(self.drawn.insert(token), "no token is drawn twice");
            }
            Borrowed::NotBefore(at) => {
                assert!(!is_free, "{key} is free");
                assert!(at > now && at >= host.free_at());
                host.wanted = at + WANTED;
            }
        }
    }
}
