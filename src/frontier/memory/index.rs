//! The index in memory: a plain synchronous struct, and the model that every other index answers like.
//!
//! Time is an argument. Its invariants, checked by [`Index::check`] in tests: a URL is in one place; a host with
//! something leasable stands in the agenda once, at the point when it may be asked; counts equal contents.
//!
//! Here stand its parts and the moves that keep the invariants; each port has a file of its own.

mod front;
mod leases;
mod reports;

use super::agenda::{Host, Waiting};
use super::seen::SeenSet;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued};
use crate::crawl::politeness::Delay;
use crate::crawl::report::Entry;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::frontier::{CrawlRules, CrawlSettings, EntryId};
use hashbrown::{HashMap, HashSet};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How much the index holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Length of a lease.
    pub lease: Duration,
    /// URLs in queues, leases and handed over, in all.
    pub urls: usize,
    /// The same, of one host.
    pub host_urls: usize,
    /// Entries of the stream that are not acknowledged: at this lag leasing stops.
    pub stream_entries: usize,
    /// Bytes of those entries, estimated from their texts.
    pub stream_bytes: usize,
    /// Fingerprints in the seen-set.
    pub seen: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            urls: 100_000,
            host_urls: 10_000,
            stream_entries: 2_048,
            stream_bytes: 24 << 20,
            seen: 14_000_000,
        }
    }
}

/// Slots looked at for each host that comes.
const LOOKS: usize = 4;

type HostId = usize;

#[derive(Debug)]
struct Appended {
    id: EntryId,
    entry: Entry,
    at: Timestamp,
}

/// What acknowledging an entry has to undo.
#[derive(Debug)]
struct Lag {
    host: HostId,
    crawl: CrawlId,
    key: Option<UrlKey>,
    bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Index {
    limits: Limits,
    crawls: HashMap<CrawlId, CrawlSettings>,
    /// The hosts, and slots of hosts that left.
    hosts: Vec<Host>,
    /// Those slots.
    vacant: Vec<HostId>,
    /// The slot at which [`Index::look_for_idle_hosts`] goes on.
    looked_at: HostId,
    /// What hosts that left asked for, where they asked for anything: they come back with it.
    paces: HashMap<HostKey, Pace>,
    by_key: HashMap<HostKey, HostId>,
    /// When the next host of a registrable domain has its turn.
    turns: HashMap<String, Timestamp>,
    agenda: BTreeSet<(Timestamp, HostId)>,
    expiries: BTreeSet<(Timestamp, HostId)>,
    /// Queued, leased or handed over.
    known: HashSet<(CrawlId, UrlKey)>,
    seen: SeenSet,
    stream: VecDeque<Appended>,
    lag: HashMap<EntryId, Lag>,
    lag_bytes: usize,
    /// The mean of the last reports' bytes.
    report_bytes: usize,
    /// Leased and handed over, a crawl: what the page budget must count as if stored.
    in_flight: HashMap<CrawlId, u64>,
    queued: usize,
    leased: usize,
    handed_over: usize,
    low: BTreeSet<HostId>,
    /// Hosts that were found due with nothing that may be leased, and whether that may have changed since.
    parked: BTreeSet<HostId>,
    unpark: bool,
    rules: HashMap<CrawlId, CrawlRules>,
    /// Changes of all rules, those of crawls that were let go, too.
    rule_changes: u64,
    /// URLs acknowledged since a refill began to read SQL.
    settled: Option<HashSet<(CrawlId, UrlKey)>>,
    quiet_from: Option<Timestamp>,
    epoch: u32,
    tokens: u32,
    entries: u64,
    front_place: i64,
    back_place: i64,
}

impl Index {
    /// An empty index.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            crawls: HashMap::new(),
            hosts: Vec::new(),
            vacant: Vec::new(),
            looked_at: 0,
            paces: HashMap::new(),
            by_key: HashMap::new(),
            turns: HashMap::new(),
            agenda: BTreeSet::new(),
            expiries: BTreeSet::new(),
            known: HashSet::new(),
            seen: SeenSet::new(limits.seen),
            stream: VecDeque::new(),
            lag: HashMap::new(),
            lag_bytes: 0,
            report_bytes: 0,
            in_flight: HashMap::new(),
            queued: 0,
            leased: 0,
            handed_over: 0,
            low: BTreeSet::new(),
            parked: BTreeSet::new(),
            unpark: false,
            rules: HashMap::new(),
            rule_changes: 0,
            settled: None,
            quiet_from: None,
            epoch: 0,
            tokens: 0,
            entries: 0,
            front_place: 0,
            back_place: 0,
        }
    }

    /// The delay of a host: where crawls differ, the larger wins.
    fn delay(&self, id: HostId) -> Duration {
        let host = &self.hosts[id];
        self.delay_of(&host.key, &host.pace)
    }

    fn delay_of(&self, key: &HostKey, pace: &Pace) -> Duration {
        let delays = self.crawls.values().map(|crawl| crawl.delay.of(key.host(), pace));
        delays.max().unwrap_or_else(|| Delay::Auto.of(key.host(), pace))
    }

    fn first_due(&self, key: &HostKey, pace: &Pace, now: Timestamp) -> Timestamp {
        self.quiet_from.map_or(now, |from| now.max(from + self.delay_of(key, pace)))
    }

    fn host(&mut self, key: &HostKey, now: Timestamp) -> HostId {
        if let Some(id) = self.by_key.get(key) {
            return *id;
        }
        let pace = self.paces.remove(key).unwrap_or_default();
        let due = self.first_due(key, &pace, now);
        let host = Host::new(key.clone(), pace, due);
        self.look_for_idle_hosts(now);
        let id = if let Some(id) = self.vacant.pop() {
            self.hosts[id] = host;
            id
        } else {
            self.hosts.push(host);
            self.hosts.len() - 1
        };
        self.by_key.insert(key.clone(), id);
        id
    }

    /// Lets hosts leave that have nothing left here, before room is made for another: a few looks for each newcomer,
    /// so that the index grows with the hosts that have something left and not with all that were ever seen.
    fn look_for_idle_hosts(&mut self, now: Timestamp) {
        if !self.vacant.is_empty() {
            return;
        }
        for _ in 0..LOOKS.min(self.hosts.len()) {
            self.looked_at = (self.looked_at + 1) % self.hosts.len();
            let id = self.looked_at;
            if !self.hosts[id].is_idle(now) {
                continue;
            }
            let Host { key, pace, .. } = std::mem::replace(&mut self.hosts[id], Host::vacant());
            self.by_key.remove(&key);
            self.vacant.push(id);
            if pace != Pace::default() {
                self.paces.insert(key, pace);
            }
        }
    }

    fn push_back(&mut self, id: HostId, url: Queued, now: Timestamp) {
        self.known.insert((url.crawl, url.key));
        self.seen.insert(url.crawl, url.key);
        self.back_place += 1;
        self.queued += 1;
        self.hosts[id].push(Waiting { url, place: self.back_place, suspect: None }, now);
        self.schedule(id);
    }

    fn settle(&mut self, crawl: CrawlId, urls: u64) {
        if let Some(count) = self.in_flight.get_mut(&crawl) {
            *count = count.saturating_sub(urls);
            self.unpark = true;
        }
    }

    fn has_no_room(&self, id: HostId) -> bool {
        self.known.len() >= self.limits.urls || self.hosts[id].size() >= self.limits.host_urls
    }

    fn refuse(&mut self, id: HostId) {
        self.hosts[id].short = true;
        self.mark_low(id);
    }

    /// A host whose tail is in SQL is low at a quarter of its room, and the whole index at half of its.
    fn mark_low(&mut self, id: HostId) {
        let host = &self.hosts[id];
        let roomy = self.known.len() <= self.limits.urls / 2 || host.queued() == 0;
        if host.short && host.queued() <= self.limits.host_urls / 4 && roomy {
            self.low.insert(id);
        } else {
            self.low.remove(&id);
        }
    }

    /// Puts the host where it belongs in the agenda.
    fn schedule(&mut self, id: HostId) {
        let host = &mut self.hosts[id];
        let at = host.leasable_at();
        if std::mem::take(&mut host.parked) {
            self.parked.remove(&id);
        }
        if host.agenda == at {
            return;
        }
        if let Some(before) = host.agenda {
            self.agenda.remove(&(before, id));
        }
        host.agenda = at;
        if let Some(at) = at {
            self.agenda.insert((at, id));
        }
    }

    /// Asserts the invariants of the module's first comment: for tests.
    pub fn check(&self) {
        let size: usize = self.hosts.iter().map(Host::size).sum();
        assert_eq!(size, self.known.len(), "a URL is in one place");
        assert_eq!(size, self.queued + self.leased + self.handed_over, "counts equal contents");
        for (id, host) in self.hosts.iter().enumerate() {
            assert_eq!(host.parked, self.parked.contains(&id));
            assert!(host.agenda.is_none() || !host.parked, "a parked host is in no agenda");
            assert!(host.parked || host.agenda == host.leasable_at(), "the agenda is current: {}", host.key);
            assert_eq!(host.agenda.is_some_and(|at| self.agenda.contains(&(at, id))), host.agenda.is_some());
        }
        assert_eq!(self.agenda.len(), self.hosts.iter().filter(|host| host.agenda.is_some()).count());
        assert_eq!(self.by_key.len() + self.vacant.len(), self.hosts.len(), "a slot is a host or vacant");
        assert!(self.by_key.iter().all(|(key, id)| self.hosts[*id].key == *key), "hosts stand by their keys");
        assert!(self.by_key.keys().all(|key| !self.paces.contains_key(key)), "a pace stands in one place");
        assert!(self.low.iter().all(|id| self.hosts[*id].short), "what is low has more in the store");
        let held = self.hosts.iter().filter(|host| host.held.is_some()).count();
        assert_eq!(self.expiries.len(), held, "every lease expires once");
        assert_eq!(
            self.lag_bytes,
            self.lag.values().map(|lag| lag.bytes).sum::<usize>(),
            "the lag is what is in it"
        );
    }
}
