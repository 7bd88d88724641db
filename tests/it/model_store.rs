//! The store as a plain synchronous model: what the contract says and nothing more. The simulation runs on it, since a
//! database thread and a paused clock do not mix; the contract suite holds it to what `SQLite` does.

use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Queued};
use huntsman::crawl::report::{Entry, Found, Outcome, Report};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::store::{Committed, CrawlRow, CrawlState, OpenUrls, Store, StoreError, Tally};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct ModelStore(Mutex<Tables>);

#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub crawls: Vec<CrawlRow>,
    pub urls: BTreeMap<(CrawlId, UrlKey), Row>,
    pub order: Vec<(CrawlId, UrlKey)>,
    /// Pages by crawl, key and visit, with the number of times one was written.
    pub pages: HashMap<(CrawlId, UrlKey, u32), u32>,
    pub fetches: HashSet<(UrlKey, i64)>,
    pub skipped: BTreeSet<(CrawlId, UrlKey, &'static str)>,
    pub dead: HashSet<(CrawlId, UrlKey, u32)>,
    pub hosts: HashMap<HostKey, (Pace, Timestamp)>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub queued: Queued,
    pub state: &'static str,
}

impl ModelStore {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

impl Tables {
    fn insert(&mut self, crawl: CrawlId, found: &Found) -> Option<Queued> {
        let Found { key, url, host, origin } = found.clone();
        if self.urls.contains_key(&(crawl, key)) {
            return None;
        }
        let due = Timestamp::EPOCH;
        let queued = Queued { crawl, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due };
        self.urls.insert((crawl, key), Row { queued: queued.clone(), state: "open" });
        self.order.push((crawl, key));
        self.skipped.retain(|(c, k, reason)| (*c, *k) != (crawl, key) || *reason == "robots");
        Some(queued)
    }

    fn close(&mut self, report: &Report) -> Option<Committed> {
        let url = &report.url;
        let row = self.urls.get_mut(&(url.crawl, url.key))?;
        let gate = (row.queued.visit, row.queued.attempt, row.queued.throttled);
        if row.state != "open" || gate != (url.visit, url.attempt, url.throttled) {
            return None;
        }
        let mut committed = Committed { effective: true, ..Committed::default() };
        row.state = match &report.outcome {
            Outcome::Stored(_) => "stored",
            Outcome::Read { .. } => "read",
            Outcome::Redirected { .. } => "redirected",
            Outcome::Disallowed { .. } => "excluded",
            Outcome::Failed { .. } => "failed",
            Outcome::Retry { due, counts, .. } => {
                row.queued.due = due.ceil_millis();
                if *counts {
                    row.queued.attempt += 1;
                    row.queued.throttled = 0;
                } else {
                    row.queued.throttled += 1;
                }
                committed.retry = Some(row.queued.clone());
                "open"
            }
        };
        match &report.outcome {
            Outcome::Stored(_) => {
                committed.stored = true;
                *self.pages.entry((url.crawl, url.key, url.visit)).or_default() += 1;
            }
            Outcome::Failed { .. } => {
                self.dead.insert((url.crawl, url.key, url.visit));
            }
            Outcome::Disallowed { .. } => {
                self.skipped.insert((url.crawl, url.key, "robots"));
            }
            _ => {}
        }
        Some(committed)
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn open_crawl(&self, name: &str, settings: &str, _now: Timestamp) -> Result<CrawlRow, StoreError> {
        let mut tables = self.tables();
        if let Some(row) = tables.crawls.iter_mut().find(|row| row.name == name) {
            row.epoch += 1;
            row.state = CrawlState::Running;
            return Ok(row.clone());
        }
        let row = CrawlRow {
            id: CrawlId(tables.crawls.len() as i64 + 1),
            name: name.into(),
            state: CrawlState::Running,
            settings: settings.into(),
            epoch: 1,
            ran: Duration::ZERO,
        };
        tables.crawls.push(row.clone());
        Ok(row)
    }

    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        _now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        let mut tables = self.tables();
        Ok(seeds.iter().filter_map(|seed| tables.insert(crawl, seed)).collect())
    }

    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        let mut tables = self.tables();
        let mut committed = Vec::new();
        for entry in batch {
            committed.push(match entry {
                Entry::Report(report) => {
                    if report.fetch.is_some() {
                        tables.fetches.insert((report.url.key, report.token.0));
                    }
                    tables.close(report).unwrap_or_default()
                }
                Entry::Note(note) => {
                    if let Some(robots) = &note.robots {
                        tables.fetches.insert((UrlKey::of(&robots.url), robots.token.0));
                    }
                    let known = tables.hosts.entry(note.host.clone()).or_insert((note.pace, note.at));
                    if known.1 <= note.at {
                        *known = (note.pace, note.at);
                    }
                    Committed::default()
                }
            });
        }
        for (entry, one) in batch.iter().zip(&mut committed) {
            let Entry::Report(report) = entry else { continue };
            if one.effective {
                one.admitted =
                    report.found.iter().filter_map(|found| tables.insert(report.url.crawl, found)).collect();
            }
        }
        for (entry, one) in batch.iter().zip(&committed) {
            let Entry::Report(report) = entry else { continue };
            for skipped in report.skipped.iter().filter(|_| one.effective) {
                if !tables.urls.contains_key(&(report.url.crawl, skipped.key)) {
                    tables.skipped.insert((report.url.crawl, skipped.key, skipped.reason));
                }
            }
        }
        Ok(committed)
    }

    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError> {
        let tables = self.tables();
        let open = tables.order.iter().filter_map(|key| {
            let row = &tables.urls[key];
            (row.state == "open" && key.0 == crawl && row.queued.host == *host).then(|| row.queued.clone())
        });
        let mut urls: Vec<_> = open.collect();
        urls.sort_by_key(|url| std::cmp::Reverse(url.origin.priority));
        let complete = urls.len() < most;
        urls.truncate(most);
        Ok(OpenUrls { urls, complete })
    }

    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError> {
        let tables = self.tables();
        let open = tables.urls.iter().filter(|((c, _), row)| *c == crawl && row.state == "open");
        let hosts: BTreeSet<HostKey> = open.map(|(_, row)| row.queued.host.clone()).collect();
        Ok(hosts.into_iter().filter(|host| host.as_str() > after).take(most).collect())
    }

    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError> {
        let tables = self.tables();
        let paces = tables.hosts.iter().map(|(host, (pace, _))| (host.clone(), *pace));
        Ok(paces.filter(|(_, pace)| *pace != Pace::default()).collect())
    }

    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<(String, ScopeKind)>, StoreError> {
        let tables = self.tables();
        let rows = tables.order.iter().filter(|key| key.0 == crawl).map(|key| &tables.urls[key].queued);
        Ok(rows.filter_map(|url| Some((url.url.clone(), url.origin.seed?))).collect())
    }

    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        for (_, row) in self.tables().urls.iter().filter(|((c, _), _)| *c == crawl) {
            *match row.state {
                "open" => &mut tally.open,
                "stored" => &mut tally.stored,
                "redirected" => &mut tally.redirected,
                "failed" => &mut tally.failed,
                "read" => &mut tally.read,
                _ => &mut tally.excluded,
            } += 1;
        }
        Ok(tally)
    }

    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for row in tables.crawls.iter_mut().filter(|row| row.id == crawl) {
            row.state = state;
            row.ran += ran;
        }
        Ok(())
    }

    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError> {
        let tables = self.tables();
        Ok(keys.iter().map(|key| tables.urls.contains_key(&(crawl, *key))).collect())
    }
}
