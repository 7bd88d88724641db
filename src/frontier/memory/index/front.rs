//! The scheduler's side of the index: epochs, what is low, what is filled in and what makes room.

use super::Index;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued};
use crate::crawl::scope::ScopeKind;
use crate::crawl::time::Timestamp;
use crate::frontier::memory::agenda::Host;
use crate::frontier::{
    Blocked, Counts, CrawlRules, CrawlSettings, Low, MAX_SCOPE_SEEDS, RunState, SeedsRead,
};
use hashbrown::HashSet;
use std::time::Duration;

/// A host that may not be asked for longer than this makes room for others.
const FAR: Duration = Duration::from_secs(2);

impl Index {
    /// See [`crate::frontier::Front::settings`].
    pub fn settings(&mut self, crawl: CrawlId, settings: CrawlSettings) {
        let counted = self.crawls.get(&crawl).and_then(|before| before.stored);
        let stored = Some(settings.stored.or(counted).unwrap_or_default());
        self.crawls.insert(crawl, CrawlSettings { stored, ..settings });
        self.unpark = true;
        if settings.state != RunState::Cancelled {
            return;
        }
        for id in 0..self.hosts.len() {
            for waiting in self.hosts[id].drop_line(crawl) {
                self.known.remove(&(crawl, waiting.url.key));
                self.queued -= 1;
            }
            self.schedule(id);
        }
    }

    /// See [`crate::frontier::Front::forget`]. Its queued URLs have left when its settings were said.
    pub fn forget(&mut self, crawl: CrawlId) -> bool {
        if self.in_flight.get(&crawl).is_some_and(|urls| *urls > 0) {
            return false;
        }
        self.in_flight.remove(&crawl);
        self.crawls.remove(&crawl);
        self.rules.remove(&crawl);
        true
    }

    /// See [`crate::frontier::Leases::rules`].
    pub fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Option<CrawlRules> {
        let rules = self.rules.get(&crawl)?;
        let before = if read.list == rules.read.list { read.count } else { 0 };
        let seeds = rules.seeds.iter().skip(before).cloned().collect();
        Some(CrawlRules { seeds, settings: rules.settings.clone(), ..*rules })
    }

    /// See [`crate::frontier::Front::publish`].
    pub fn publish(&mut self, crawl: CrawlId, settings: &str) {
        let changes = self.rule_changes + 1;
        let rules = self.rules_of(crawl);
        if *rules.settings != *settings {
            rules.settings = settings.into();
            rules.version = changes;
            self.rule_changes = changes;
        }
    }

    /// See [`crate::frontier::Reports::open_scope`]; `false` where they are too many.
    pub fn open_scope(&mut self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> bool {
        let changes = self.rule_changes + 1;
        let rules = self.rules_of(crawl);
        let mut known: HashSet<_> = rules.seeds.iter().cloned().collect();
        let new: Vec<_> = seeds.into_iter().filter(|seed| known.insert(seed.clone())).collect();
        if rules.seeds.len() + new.len() > MAX_SCOPE_SEEDS {
            return false;
        }
        if !new.is_empty() {
            rules.seeds.extend(new);
            rules.read.count = rules.seeds.len();
            rules.version = changes;
            self.rule_changes = changes;
        }
        true
    }

    /// The rules of a crawl; a list that begins is known by the number of changes before it.
    fn rules_of(&mut self, crawl: CrawlId) -> &mut CrawlRules {
        let list = self.rule_changes;
        let read = SeedsRead { list, count: 0 };
        let none = || CrawlRules { version: list, settings: "".into(), seeds: Vec::new(), read };
        self.rules.entry(crawl).or_insert_with(none)
    }

    /// See [`crate::frontier::Front::open_epoch`].
    pub fn open_epoch(&mut self, epoch: u32, paces: Vec<(HostKey, Pace)>, resumed: bool, now: Timestamp) {
        self.epoch = epoch;
        self.quiet_from = resumed.then_some(now);
        self.paces.extend(paces);
        for id in self.by_key.values().copied().collect::<Vec<_>>() {
            let host = &self.hosts[id];
            let pace = self.paces.remove(&host.key).unwrap_or(host.pace);
            let due = host.due.max(self.first_due(&host.key, &pace, now));
            self.hosts[id].pace = pace;
            self.hosts[id].due = due;
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

    /// See [`crate::frontier::Front::learn`].
    pub fn learn(&mut self, paces: Vec<(HostKey, Pace)>) {
        for (key, pace) in paces {
            let Some(id) = self.by_key.get(&key).copied() else {
                let kept = self.paces.entry(key).or_default();
                *kept = kept.slower(pace);
                continue;
            };
            self.hosts[id].pace = self.hosts[id].pace.slower(pace);
            self.schedule(id);
        }
    }

    /// See [`crate::frontier::Front::make_room`].
    pub fn make_room(&mut self, now: Timestamp) -> usize {
        let before = self.known.len();
        for id in 0..self.hosts.len() {
            let host = &mut self.hosts[id];
            if host.queued() < 2 || host.free_at() <= now + FAR {
                continue;
            }
            let left = host.shrink(now);
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

    /// Leases that run.
    pub fn leases(&self) -> usize {
        self.expiries.len()
    }

    /// See [`crate::frontier::Front::counts`].
    pub fn counts(&self, now: Timestamp) -> Counts {
        let due = self.agenda.first().map(|(at, _)| *at);
        Counts {
            queued: self.queued,
            leased: self.leased,
            handed_over: self.handed_over,
            hosts: self.by_key.len(),
            next_due: due.filter(|at| *at > now && self.parked.is_empty()),
            budget_spent: self
                .crawls
                .values()
                .any(|crawl| crawl.max_pages.is_some_and(|most| crawl.stored.unwrap_or_default() >= most)),
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
}
