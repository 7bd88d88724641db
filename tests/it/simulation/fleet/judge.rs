//! The verdict: what the simulated servers saw and what the store holds, against the truth. No counter of ours counts.

use super::super::web::{Behaviour, Logged};
use super::{LEASE, World};
use huntsman::crawl::lease::CrawlId;
use huntsman::crawl::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

impl World {
    /// Holds what was seen against what was promised.
    pub(super) fn judge(&self) {
        self.crawls().for_each(|crawl| self.judge_rows(crawl));
        for (key, times) in &self.model.tables().pages {
            assert_eq!(times.len(), 1, "a page is stored once: {key:?}");
        }
        let log = self.web.log();
        let mut by_host: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
        for logged in &log {
            by_host.entry(&logged.host).or_default().push(logged);
        }
        for (host, requests) in &by_host {
            self.judge_robots(host, requests);
            if self.plan.per_host == 1 {
                self.judge_pace(host, requests);
                self.judge_blocks(host, requests);
            }
        }
        self.judge_repeats(&log);
    }

    /// Every reachable URL ends as the truth says, but for those that three nodes in a row did not survive.
    fn judge_rows(&self, crawl: CrawlId) {
        let tables = self.model.tables();
        let rows = || tables.urls.iter().filter(|((of, _), _)| *of == crawl).map(|(_, row)| row);
        let quarantined = |row: &&_| is_quarantined(row);
        let given_up: BTreeSet<String> =
            rows().filter(quarantined).map(|row| row.queued.url.clone()).collect();
        let found: BTreeMap<String, &str> = rows().map(|row| (row.queued.url.clone(), row.state)).collect();
        let truth = self.web.truth_of(self.seeds(), &given_up);
        assert_eq!(found, truth, "every reachable URL ends as the truth says, and no other is known");
        let stored = found.values().filter(|state| **state == "stored").count();
        let pages = tables.pages.keys().filter(|((of, _), _)| *of == crawl).count();
        assert_eq!(pages, stored, "a page for each URL that was stored");
    }

    /// No page before robots.txt was asked for by the same process, and none that it forbids.
    fn judge_robots(&self, host: &str, requests: &[&Logged]) {
        let mut asked = HashSet::new();
        for request in requests {
            let url = format!("http://{host}{}", request.path);
            if request.path == "/robots.txt" {
                asked.insert(request.process);
                continue;
            }
            assert!(asked.contains(&request.process), "{url} was asked for before robots.txt");
            assert!(!self.web.is_disallowed(&url), "{url} is disallowed");
        }
    }

    /// The delay that is in force at that point: the larger one of the crawls that run.
    fn delay_at(&self, at: Timestamp) -> Duration {
        let ledger = self.weather.ledger();
        let runs = |crawl: &CrawlId| ledger.finished.get(crawl).is_none_or(|end| *end > at);
        let delays = self.crawls().zip(&self.plan.delays).filter(|(crawl, _)| runs(crawl));
        delays.map(|(_, delay)| *delay).max().unwrap_or_default()
    }

    /// No two requests at a time, and none closer than the delay, once that is known the host's own.
    fn judge_pace(&self, host: &str, requests: &[&Logged]) {
        let crawl_delay = self.web.crawl_delay(host);
        let mut learned = HashSet::new();
        let mut busy_until = Timestamp::EPOCH;
        for pair in requests.windows(2) {
            let [before, after] = pair else { unreachable!("windows of two") };
            if before.path != "/robots.txt" || (before.status == Some(200) && before.heard) {
                learned.insert(before.process);
            }
            let from = before.answered.unwrap_or(before.at);
            busy_until = busy_until.max(from);
            assert!(after.at >= busy_until, "{host}: two requests at a time: {before:?} {after:?}");
            let gap = after.at.since(from);
            let delay = self.delay_at(after.at);
            assert!(gap >= delay, "{host}: {gap:?} apart and not {delay:?}: {before:?} {after:?}");
            if let Some(span) = before.retry_after
                && before.heard
                && before.process == after.process
            {
                assert!(gap >= span, "{host}: asked again in spite of Retry-After: {before:?} {after:?}");
            }
            if let Some(delay) = crawl_delay
                && learned.contains(&after.process)
            {
                assert!(gap >= delay, "{host}: faster than its Crawl-delay: {before:?} {after:?}");
            }
        }
    }

    /// No request in a block that was committed, nor in one that an index was told of that forgot nothing since.
    fn judge_blocks(&self, host: &str, requests: &[&Logged]) {
        let within = |from: Timestamp, until: Timestamp| {
            requests.iter().find(|request| request.at > from && request.at < until)
        };
        let ledger = self.weather.ledger();
        for (blocked, from, until) in &ledger.blocks {
            // A known gap: what a stage still writes of the epoch before, once the paces were read for the last time before hosts
            // are asked in the next.
            let read = ledger.readings.iter().filter(|read| *read <= from).max();
            let is_late = |read: &Timestamp| {
                let quiet = *read..*read + LEASE * 2;
                quiet.contains(from)
                    && !ledger.readings.iter().any(|next| next > from && quiet.contains(next))
            };
            if read.is_some_and(is_late) {
                continue;
            }
            let early = within(*from, *until).filter(|_| blocked.as_str() == host);
            assert!(early.is_none(), "{host} was asked in its committed block until {until}: {early:?}");
        }
        let server = self.shared.server.lock().unwrap();
        for told in server.told.iter().filter(|told| told.host.as_str() == host) {
            let until = server.ended.get(&told.epoch).map_or(told.until, |end| told.until.min(*end));
            let early = within(told.at, until);
            assert!(early.is_none(), "{host} was asked in its block: {told:?}: {early:?}");
        }
    }

    /// At most what was leased or handed over at the faults is fetched again.
    fn judge_repeats(&self, log: &[Logged]) {
        let mut fetched: HashMap<(&str, &str), usize> = HashMap::new();
        let pages = log.iter().filter(|one| one.path != "/robots.txt" && one.status == Some(200));
        for request in pages {
            *fetched.entry((&request.host, &request.path)).or_default() += 1;
        }
        let crawls = self.plan.delays.len();
        let repeats: usize = fetched.values().map(|times| times.saturating_sub(crawls)).sum();
        let excused = self.weather.excused.load(Ordering::Relaxed) + self.moved_seeds();
        assert!(repeats <= excused, "{repeats} pages were fetched again, {excused} were in flight");
    }

    /// Where a seed redirects to what was found as an outlink before, that is visited once more, as a seed.
    fn moved_seeds(&self) -> usize {
        let is_moved = |url: &String| matches!(self.web.urls.get(url), Some(Behaviour::Redirect { .. }));
        if !self.seeds().iter().any(is_moved) {
            return 0;
        }
        self.web.urls.keys().filter(|url| is_moved(url)).count() * self.plan.delays.len()
    }

    /// What befell the installation, for whoever replays a seed.
    pub(super) fn tell(&self) {
        let mut lines: Vec<(Timestamp, String)> = std::mem::take(&mut self.weather.ledger().events);
        for logged in self.web.log() {
            let Logged { host, path, at, answered, status, process, .. } = logged;
            let took = answered.map(|end| end.since(at));
            lines.push((at, format!("process {process} asks {host}{path}: {status:?} after {took:?}")));
        }
        lines.sort_by_key(|(at, _)| *at);
        for (at, line) in lines {
            println!("{at} {line}");
        }
    }
}

fn is_quarantined(row: &crate::model_store::Row) -> bool {
    row.state == "failed" && row.reason.as_deref() == Some("quarantined")
}
