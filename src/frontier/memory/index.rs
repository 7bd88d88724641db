//! The index in memory: a plain synchronous struct, and the model that every other index answers like.
//!
//! Time is an argument. Its invariants, checked by [`Index::check`] in tests: a URL is in one place; a host with
//! something leasable stands in the agenda once, at the point when it may be asked; counts equal contents.

use super::agenda::{Held, Host, Waiting};
use super::seen::SeenSet;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Lease, Pace, Queued, Token};
use crate::crawl::politeness::Delay;
use crate::crawl::report::{Entry, Found, Note, Outcome, Report, Skipped};
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::frontier::{
    Ack, Blocked, Borrowed, Counts, CrawlSettings, EntryId, GUARD, HandOff, Handed, LEASE_URLS, Low, Next,
    QUARANTINE, Release,
};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
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
            stream_bytes: 32 << 20,
            seen: 14_000_000,
        }
    }
}

/// How long a host is kept free for a borrower after the point that the borrower was told.
const WANTED: Duration = Duration::from_millis(500);
/// A host that may not be asked for longer than this makes room for others.
const FAR: Duration = Duration::from_secs(2);
/// Bytes of entries after which a batch is closed: pages with thousands of links make it a short one.
const BATCH_BYTES: usize = 8 << 20;
/// Expired leases taken back in one call.
const REAPED_PER_CALL: usize = 16;

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
    hosts: Vec<Host>,
    by_key: HashMap<HostKey, HostId>,
    agenda: BTreeSet<(Timestamp, HostId)>,
    expiries: BTreeSet<(Timestamp, HostId)>,
    /// Queued, leased or handed over.
    known: HashSet<(CrawlId, UrlKey)>,
    seen: SeenSet,
    stream: VecDeque<Appended>,
    lag: HashMap<EntryId, Lag>,
    lag_bytes: usize,
    /// Leased and handed over, a crawl: what the page budget must count as if stored.
    in_flight: HashMap<CrawlId, u64>,
    queued: usize,
    leased: usize,
    handed_over: usize,
    low: BTreeSet<HostId>,
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
            by_key: HashMap::new(),
            agenda: BTreeSet::new(),
            expiries: BTreeSet::new(),
            known: HashSet::new(),
            seen: SeenSet::new(limits.seen),
            stream: VecDeque::new(),
            lag: HashMap::new(),
            lag_bytes: 0,
            in_flight: HashMap::new(),
            queued: 0,
            leased: 0,
            handed_over: 0,
            low: BTreeSet::new(),
            settled: None,
            quiet_from: None,
            epoch: 0,
            tokens: 0,
            entries: 0,
            front_place: 0,
            back_place: 0,
        }
    }

    // The node's port.

    /// See [`crate::frontier::Leases::lease`]; the flag says that the stream grew (a quarantine).
    pub fn lease(&mut self, hosts: usize, now: Timestamp) -> (Next, bool) {
        let reported = self.reap(now);
        if self.lag.len() >= self.limits.stream_entries || self.lag_bytes >= self.limits.stream_bytes {
            return (Next::NotBefore(Timestamp::NEVER), reported);
        }
        let mut leases = Vec::new();
        while leases.len() < hosts {
            let Some(&(at, host)) = self.agenda.first() else { break };
            if at > now {
                break;
            }
            match self.lease_host(host, now) {
                Some(lease) => leases.push(lease),
                None => break,
            }
        }
        if leases.is_empty() {
            (Next::NotBefore(self.next_event(now)), reported)
        } else {
            (Next::Leases(leases), reported)
        }
    }

    /// See [`crate::frontier::Leases::renew`].
    pub fn renew(&mut self, tokens: &[Token], now: Timestamp) -> Vec<Token> {
        let until = now + self.limits.lease;
        let mut unknown: HashSet<Token> = tokens.iter().copied().collect();
        let running: Vec<_> = self.expiries.range((now + Duration::from_micros(1), 0)..).copied().collect();
        for (expiry, id) in running {
            let Some(held) = &mut self.hosts[id].held else { continue };
            if unknown.remove(&held.token) {
                held.until = until;
                self.expiries.remove(&(expiry, id));
                self.expiries.insert((until, id));
            }
        }
        unknown.into_iter().collect()
    }

    /// See [`crate::frontier::Leases::hand_off`].
    pub fn hand_off(&mut self, hand_off: HandOff, now: Timestamp) -> Handed {
        let HandOff { host, token, report, due, note, ends } = hand_off;
        let Some(id) = self.holder(&host, token, now) else { return Handed::Stale };
        let held = self.hosts[id].held.as_mut().expect("a holder holds");
        let Some(at) = held.urls.iter().position(|waiting| waiting.url.key == report.url.key) else {
            return Handed::Stale;
        };
        held.urls.remove(at);
        let ends = ends || held.urls.is_empty();
        self.leased -= 1;
        self.handed_over += 1;
        self.hosts[id].handed_over += 1;
        self.append(id, report.url.crawl, Some(report.url.key), Entry::Report(Box::new(report)), now);
        self.hosts[id].due = self.hosts[id].due.max(due);
        if let Some(note) = note {
            self.append_note(id, note);
        }
        if ends {
            self.end_lease(id);
        }
        Handed::Accepted
    }

    /// See [`crate::frontier::Leases::release`].
    pub fn release(&mut self, release: Release) -> Handed {
        let Release { host, token, due, note } = release;
        let Some(id) = self.holder(&host, token, Timestamp::EPOCH) else { return Handed::Stale };
        self.hosts[id].due = self.hosts[id].due.max(due);
        if let Some(note) = note {
            self.append_note(id, note);
        }
        self.end_lease(id);
        Handed::Accepted
    }

    /// See [`crate::frontier::Leases::note`].
    pub fn note(&mut self, token: Token, note: Note) -> Handed {
        let Some(id) = self.holder(&note.host, token, Timestamp::EPOCH) else { return Handed::Stale };
        self.append_note(id, note);
        Handed::Accepted
    }

    /// See [`crate::frontier::Leases::borrow_host`].
    pub fn borrow_host(&mut self, key: &HostKey, now: Timestamp) -> Borrowed {
        let id = self.host(key, now);
        let host = &mut self.hosts[id];
        let free_at = host.free_at();
        if host.held.is_some() || host.notes > 0 || free_at > now {
            let at = free_at.max(now + Duration::from_millis(20));
            host.wanted_until = at + WANTED;
            self.schedule(id);
            return Borrowed::NotBefore(at);
        }
        host.wanted_until = Timestamp::EPOCH;
        let pace = host.pace;
        let token = self.hold(id, Vec::new(), now);
        Borrowed::Granted(token, pace)
    }

    // The storage's port.

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

    /// Takes up to `most` entries and [`BATCH_BYTES`], one at least; they stay in the lag until they are acknowledged.
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
                settings.stored += 1;
            }
            if let Some(url) = ack.requeue {
                self.push_back(lag.host, url, now);
            }
        }
    }

    // The scheduler's port.

    /// See [`crate::frontier::Front::settings`].
    pub fn settings(&mut self, crawl: CrawlId, settings: CrawlSettings) {
        self.crawls.insert(crawl, settings);
    }

    /// See [`crate::frontier::Front::open_epoch`].
    pub fn open_epoch(&mut self, epoch: u32, paces: Vec<(HostKey, Pace)>, resumed: bool, now: Timestamp) {
        self.epoch = epoch;
        self.quiet_from = resumed.then_some(now);
        for (key, pace) in paces {
            let id = self.host(&key, now);
            self.hosts[id].pace = pace;
            self.hosts[id].due = self.first_due(&key, &pace, now);
            self.schedule(id);
        }
    }

    /// See [`crate::frontier::Front::low`].
    pub fn low(&self, most: usize, now: Timestamp) -> Vec<Low> {
        let is_wanted = |host: &&Host| host.queued() == 0 || host.free_at() <= now;
        let low = self.low.iter().map(|id| &self.hosts[*id]).filter(is_wanted).take(most);
        let room = |host: &Host| self.limits.host_urls.saturating_sub(host.size());
        low.map(|host| Low { host: host.key.clone(), held: host.size(), room: room(host) }).collect()
    }

    /// See [`crate::frontier::Front::make_room`].
    pub fn make_room(&mut self, now: Timestamp) -> usize {
        let before = self.known.len();
        for id in 0..self.hosts.len() {
            let host = &mut self.hosts[id];
            if host.queued() < 2 || host.free_at() <= now + FAR {
                continue;
            }
            let left = host.shrink();
            host.short = true;
            self.queued -= left.len();
            for waiting in left {
                self.known.remove(&(waiting.url.crawl, waiting.url.key));
            }
            self.schedule(id);
            self.mark_low(id);
        }
        before - self.known.len()
    }

    /// See [`crate::frontier::Front::room`].
    pub fn room(&self) -> usize {
        self.limits.urls.saturating_sub(self.known.len())
    }

    /// See [`crate::frontier::Front::refill`].
    pub fn refill(&mut self, key: &HostKey, urls: Vec<Queued>, complete: bool, now: Timestamp) -> usize {
        let host = self.host(key, now);
        let mut queued = 0;
        let mut refused = false;
        for url in urls {
            let key = (url.crawl, url.key);
            if self.known.contains(&key)
                || self.settled.as_ref().is_some_and(|settled| settled.contains(&key))
            {
                continue;
            }
            if self.has_no_room(host) {
                refused = true;
                break;
            }
            self.push_back(host, url, now);
            queued += 1;
        }
        self.hosts[host].short = !complete || refused;
        self.mark_low(host);
        queued
    }

    /// See [`crate::frontier::Front::begin_refill`].
    pub fn begin_refill(&mut self) {
        self.settled = Some(HashSet::new());
    }

    /// See [`crate::frontier::Front::end_refill`].
    pub fn end_refill(&mut self) {
        self.settled = None;
    }

    /// See [`crate::frontier::Front::counts`].
    pub fn counts(&self, now: Timestamp) -> Counts {
        let due = self.agenda.first().map(|(at, _)| *at);
        Counts {
            queued: self.queued,
            leased: self.leased,
            handed_over: self.handed_over,
            hosts: self.hosts.len(),
            next_due: due.filter(|at| *at > now),
            budget_spent: self
                .crawls
                .values()
                .any(|crawl| crawl.max_pages.is_some_and(|most| crawl.stored >= most)),
        }
    }

    /// See [`crate::frontier::Front::blocked`].
    pub fn blocked(&self, now: Timestamp) -> Blocked {
        let mut blocked = Blocked::default();
        for host in self.hosts.iter().filter(|host| host.queued() > 0) {
            let Some(until) = host.pace.block_until.filter(|until| *until > now) else { continue };
            blocked.hosts += 1;
            blocked.urls += host.queued();
            blocked.until = Some(blocked.until.map_or(until, |first| first.min(until)));
        }
        blocked
    }

    // Below: the moves that keep the invariants.

    fn lease_host(&mut self, id: HostId, now: Timestamp) -> Option<Lease> {
        let most = self.lease_size(id);
        if most == 0 {
            return None;
        }
        let urls = self.hosts[id].take(most, now);
        self.queued -= urls.len();
        self.leased += urls.len();
        for waiting in &urls {
            *self.in_flight.entry(waiting.url.crawl).or_default() += 1;
        }
        let queued = urls.iter().map(|waiting| waiting.url.clone()).collect();
        let token = self.hold(id, urls, now);
        self.mark_low(id);
        let host = &self.hosts[id];
        Some(Lease {
            host: host.key.clone(),
            token,
            until: now + self.limits.lease,
            pace: host.pace,
            urls: queued,
        })
    }

    /// As many URLs as the pace and the page budgets allow.
    fn lease_size(&self, id: HostId) -> usize {
        // A host that was silent gives several: if it is silent again, they share the attempt.
        let several = self.delay(id).is_zero() || self.hosts[id].pace.strikes > 0;
        let most = if several { LEASE_URLS } else { 1 };
        let left = |(id, crawl): (&CrawlId, &CrawlSettings)| {
            let spent = crawl.stored + self.in_flight.get(id).copied().unwrap_or_default();
            crawl.max_pages.map(|most| usize::try_from(most.saturating_sub(spent)).unwrap_or(usize::MAX))
        };
        self.crawls.iter().filter_map(left).fold(most, usize::min)
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
        self.quiet_from.map_or(now, |from| from + self.delay_of(key, pace))
    }

    fn host(&mut self, key: &HostKey, now: Timestamp) -> HostId {
        if let Some(id) = self.by_key.get(key) {
            return *id;
        }
        let due = self.first_due(key, &Pace::default(), now);
        let id = self.hosts.len();
        self.hosts.push(Host::new(key.clone(), Pace::default(), due));
        self.by_key.insert(key.clone(), id);
        id
    }

    fn hold(&mut self, id: HostId, urls: Vec<Waiting>, now: Timestamp) -> Token {
        self.tokens += 1;
        let token = Token(i64::from(self.epoch) << 32 | i64::from(self.tokens));
        let until = now + self.limits.lease;
        self.hosts[id].held = Some(Held { token, until, urls });
        self.expiries.insert((until, id));
        self.schedule(id);
        token
    }

    /// The host whose running lease has this token.
    fn holder(&self, key: &HostKey, token: Token, now: Timestamp) -> Option<HostId> {
        let id = *self.by_key.get(key)?;
        let held = self.hosts[id].held.as_ref()?;
        (held.token == token && held.until > now).then_some(id)
    }

    /// Ends a lease: what was not visited goes back to the front of its queue.
    fn end_lease(&mut self, id: HostId) {
        let Some(held) = self.hosts[id].held.take() else { return };
        self.expiries.remove(&(held.until, id));
        self.leased -= held.urls.len();
        self.queued += held.urls.len();
        for mut waiting in held.urls.into_iter().rev() {
            self.settle(waiting.url.crawl, 1);
            self.front_place -= 1;
            waiting.place = self.front_place;
            self.hosts[id].push(waiting, Timestamp::NEVER);
        }
        self.schedule(id);
    }

    /// Takes back expired leases; `true` where one was quarantined.
    fn reap(&mut self, now: Timestamp) -> bool {
        let mut reported = false;
        for _ in 0..REAPED_PER_CALL {
            let Some(&(until, id)) = self.expiries.first() else { break };
            if until > now {
                break;
            }
            reported |= self.expire(id, until, now);
        }
        reported
    }

    fn expire(&mut self, id: HostId, until: Timestamp, now: Timestamp) -> bool {
        let pause = self.delay(id).max(GUARD);
        let host = &mut self.hosts[id];
        host.due = host.due.max(until + pause);
        let held = host.held.as_mut().expect("what expires is held");
        for waiting in &mut held.urls {
            waiting.expired += 1;
        }
        let poison = matches!(&held.urls[..], [alone] if alone.expired >= QUARANTINE);
        if poison {
            let token = held.token;
            let waiting = held.urls.remove(0);
            self.leased -= 1;
            self.handed_over += 1;
            self.hosts[id].handed_over += 1;
            let report = quarantined(waiting.url, token, now);
            self.append(id, report.url.crawl, Some(report.url.key), Entry::Report(Box::new(report)), now);
        }
        self.end_lease(id);
        poison
    }

    fn append(&mut self, host: HostId, crawl: CrawlId, key: Option<UrlKey>, entry: Entry, at: Timestamp) {
        self.entries += 1;
        let id = EntryId(self.entries);
        let bytes = weight(&entry);
        self.lag.insert(id, Lag { host, crawl, key, bytes });
        self.lag_bytes += bytes;
        self.stream.push_back(Appended { id, entry, at });
    }

    fn append_note(&mut self, id: HostId, note: Note) {
        self.hosts[id].pace = note.pace;
        self.hosts[id].notes += 1;
        let (crawl, at) = (note.crawl, note.at);
        self.append(id, crawl, None, Entry::Note(Box::new(note)), at);
        self.schedule(id);
    }

    fn push_back(&mut self, id: HostId, url: Queued, now: Timestamp) {
        self.known.insert((url.crawl, url.key));
        self.seen.insert(url.crawl, url.key);
        self.back_place += 1;
        self.queued += 1;
        self.hosts[id].push(Waiting { url, place: self.back_place, expired: 0 }, now);
        self.schedule(id);
    }

    fn settle(&mut self, crawl: CrawlId, urls: u64) {
        if let Some(count) = self.in_flight.get_mut(&crawl) {
            *count = count.saturating_sub(urls);
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

    fn next_event(&self, now: Timestamp) -> Timestamp {
        let due = self.agenda.first().map(|(at, _)| *at).filter(|at| *at > now);
        let expiry = self.expiries.first().map(|(at, _)| *at);
        due.into_iter().chain(expiry).min().unwrap_or(Timestamp::NEVER)
    }

    /// Asserts the invariants of the module's first comment: for tests.
    pub fn check(&self) {
        let size: usize = self.hosts.iter().map(Host::size).sum();
        assert_eq!(size, self.known.len(), "a URL is in one place");
        assert_eq!(size, self.queued + self.leased + self.handed_over, "counts equal contents");
        for (id, host) in self.hosts.iter().enumerate() {
            assert_eq!(host.agenda, host.leasable_at(), "the agenda is current: {}", host.key);
            assert_eq!(host.agenda.is_some_and(|at| self.agenda.contains(&(at, id))), host.agenda.is_some());
        }
        assert_eq!(self.agenda.len(), self.hosts.iter().filter(|host| host.agenda.is_some()).count());
        let held = self.hosts.iter().filter(|host| host.held.is_some()).count();
        assert_eq!(self.expiries.len(), held, "every lease expires once");
        assert_eq!(
            self.lag_bytes,
            self.lag.values().map(|lag| lag.bytes).sum::<usize>(),
            "the lag is what is in it"
        );
    }
}

fn quarantined(url: Queued, token: Token, at: Timestamp) -> Report {
    let detail = format!("{QUARANTINE} nodes in a row did not survive or finish a visit of this URL alone");
    let outcome = Outcome::Failed { reason: "quarantined".into(), detail };
    Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() }
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
