//! The store as a plain synchronous model: what the contract says and nothing more. The simulation runs on it, since a
//! database thread and a paused clock do not mix; the contract suite holds it to what `SQLite` does.

use crate::store_contract::contents::{Contents, CrawlLine, FetchLine, HostLine, UrlLine};
use crate::store_contract::contents::{DeadLetterLine, PageLine, SkippedLine};
use crate::store_contract::lines;
use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Queued};
use huntsman::crawl::report::{Entry, Found, Note, Outcome, Report, Skipped};
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::traps::{Budgets, Guard, Held, Room, Watch, WatchName};
use huntsman::crawl::url::UrlKey;
use huntsman::store::{
    Committed, CrawlRow, CrawlState, Crawls, OpenUrls, SeedRow, Store, StoreError, Tally, WhichParked,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use url::Url;

#[derive(Debug, Default)]
pub(crate) struct ModelStore(Mutex<Tables>);

/// A URL of a crawl.
type Key = (CrawlId, UrlKey);

#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub crawls: Vec<CrawlRow>,
    pub urls: BTreeMap<Key, Row>,
    pub order: Vec<Key>,
    /// Pages by crawl, key and visit, each as often as it was written.
    pub pages: BTreeMap<(Key, u32), Vec<PageLine>>,
    pub fetches: BTreeMap<(Key, i64, &'static str, u32), FetchLine>,
    pub skipped: BTreeMap<(Key, &'static str), SkippedLine>,
    /// What can be opened of `skipped`, in the order in which it was parked.
    pub parked: Vec<Parked>,
    pub watches: BTreeMap<WatchName, Watch>,
    pub dead: BTreeMap<(Key, u32), DeadLetterLine>,
    pub hosts: HashMap<HostKey, Known>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub queued: Queued,
    pub state: &'static str,
    pub reason: Option<String>,
    pub redirect_to: Option<String>,
    pub found_on: Option<String>,
    pub found_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// A parked URL, by the row of `skipped`.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub crawl: CrawlId,
    pub reason: &'static str,
    pub found: Found,
    pub waits_for: String,
}

/// What is known of a host.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub pace: Pace,
    pub at: i64,
    /// Verdict, status and time of its robots.txt.
    pub robots: (Option<String>, Option<i64>, Option<String>),
}

impl ModelStore {
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    /// All of it, as rows.
    pub(crate) fn contents(&self) -> Contents {
        let tables = self.tables();
        let contents = Contents {
            crawls: tables.crawls.iter().map(CrawlLine::from).collect(),
            hosts: tables.hosts.iter().map(|(host, known)| HostLine::of(host, known)).collect(),
            urls: tables.urls.values().map(UrlLine::from).collect(),
            pages: tables.pages.values().flatten().cloned().collect(),
            fetches: tables.fetches.values().cloned().collect(),
            skipped: tables.skipped.values().cloned().collect(),
            dead_letters: tables.dead.values().cloned().collect(),
        };
        contents.sorted()
    }
}

impl Tables {
    fn insert(&mut self, crawl: CrawlId, found: &Found, on: Option<&str>, at: Timestamp) -> Option<Queued> {
        let Found { key, url, host, origin } = found.clone();
        if self.urls.contains_key(&(crawl, key)) {
            return None;
        }
        let due = Timestamp::EPOCH;
        let queued = Queued { crawl, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due };
        let row = Row {
            queued: queued.clone(),
            state: "open",
            reason: None,
            redirect_to: None,
            found_on: on.map(str::to_owned),
            found_at: at,
            closed_at: None,
        };
        self.urls.insert((crawl, key), row);
        self.order.push((crawl, key));
        self.skipped.retain(|(known, reason), _| {
            *known != (crawl, key) || ["robots", "content-signal", "noindex"].contains(reason)
        });
        self.parked.retain(|parked| (parked.crawl, parked.found.key) != (crawl, key));
        Some(queued)
    }

    /// A finished crawl that has new URLs is running again.
    fn reopen(&mut self, crawl: CrawlId, new: &[Queued]) {
        let finished = |row: &&mut CrawlRow| row.id == crawl && row.state == CrawlState::Finished;
        for row in self.crawls.iter_mut().filter(finished).filter(|_| !new.is_empty()) {
            row.state = CrawlState::Running;
        }
    }

    /// What the reports that passed the gate found: judged, and opened or parked.
    fn take_in(&mut self, batch: &[Entry], committed: &mut [Committed]) {
        let mut reports: Vec<(usize, &Report)> = Vec::new();
        for (entry, one) in batch.iter().enumerate().filter(|(entry, _)| committed[*entry].effective) {
            if let Entry::Report(report) = one {
                reports.push((entry, &**report));
            }
        }
        // The targets of seeds' redirects first: what is a seed and an outlink too is a seed.
        let of_each = reports
            .iter()
            .flat_map(|(entry, report)| report.found.iter().map(move |one| (*entry, *report, one)));
        let (mut findings, others): (Vec<_>, Vec<_>) =
            of_each.partition(|(.., one)| one.origin.is_moved_seed());
        findings.extend(others);
        let mut known = BTreeSet::new();
        findings.retain(|(_, report, one)| known.insert((report.url.crawl, one.key)));
        let moved = findings.iter().filter(|(.., one)| one.origin.is_moved_seed());
        moved.for_each(|(_, report, one)| self.move_seed(report.url.crawl, one));

        let of_reports = reports.iter().map(|(_, report)| (report.url.crawl, &report.url.host));
        let of_findings = findings.iter().map(|(_, report, one)| (report.url.crawl, &one.host));
        let mut guard = self.guard(of_reports.chain(of_findings).collect());
        for (_, report) in &reports {
            guard.closed(report);
        }
        let mut judged = Vec::new();
        for (entry, report, one) in findings {
            let verdict = guard.judge(report.url.crawl, one, Some(report), "");
            judged.push((entry, report, one.clone(), verdict));
        }
        for (entry, report, one, verdict) in &judged {
            let on = report.found_on(one);
            if verdict.is_ok() {
                committed[*entry].admitted.extend(self.insert(
                    report.url.crawl,
                    one,
                    on.as_deref(),
                    report.at,
                ));
            }
        }
        for (entry, report, one, verdict) in &judged {
            let is_new = committed[*entry].admitted.iter().any(|queued| queued.key == one.key);
            match verdict {
                Ok(_) if is_new => guard.led_on(report, one),
                Ok(taken) => guard.give_back(taken),
                Err(_) => committed[*entry].parked.push(one.key),
            }
        }
        for (_, report) in &reports {
            report.skipped.iter().for_each(|skipped| self.skip(report, skipped));
        }
        for (_, report, one, verdict) in judged {
            if let Err(held) = verdict {
                let on = report.found_on(&one).map(Cow::into_owned);
                self.park(report.url.crawl, &one, &held, on, report.at);
            }
        }
        if let Some((entry, report)) = reports.first() {
            let opened = self.make_use_of_room(&mut guard, report.at);
            committed[*entry].admitted.extend(opened);
        }
        self.keep(&guard);
    }

    fn guard(&self, hosts: Vec<(CrawlId, &HostKey)>) -> Guard {
        let mut guard = Guard::default();
        self.know(&mut guard, hosts);
        guard
    }

    fn know(&self, guard: &mut Guard, hosts: Vec<(CrawlId, &HostKey)>) {
        for (crawl, _) in &hosts {
            let row = self.crawls.iter().find(|row| row.id == *crawl);
            guard.allow(*crawl, row.map(|row| Budgets::of_settings(&row.settings)).unwrap_or_default());
        }
        for name in guard.unknown(Guard::names(hosts)) {
            if let Some(watch) = self.watches.get(&name) {
                guard.know(name, watch.clone());
            }
        }
    }

    fn keep(&mut self, guard: &Guard) {
        self.watches.extend(guard.changes().map(|(name, _, now)| (name.clone(), now.clone())));
    }

    /// Counts URLs that were opened whatever the rules say.
    fn count_new(&mut self, crawl: CrawlId, opened: &[Queued]) {
        let mut guard = self.guard(opened.iter().map(|queued| (crawl, &queued.host)).collect());
        for Queued { key, url, host, origin, .. } in opened.iter().cloned() {
            guard.force(crawl, &Found { key, url, host, origin });
        }
        self.keep(&guard);
    }

    fn make_use_of_room(&mut self, guard: &mut Guard, at: Timestamp) -> Vec<Queued> {
        let mut opened = Vec::new();
        for _ in 0..8 {
            let before = opened.len();
            for rooms in guard.rooms() {
                let waiting = self.waiting(guard, &rooms);
                self.know(guard, waiting.iter().map(|one| (one.crawl, &one.found.host)).collect());
                let judged: Vec<_> = waiting
                    .iter()
                    .map(|one| (one, guard.judge(one.crawl, &one.found, None, &one.waits_for)))
                    .collect();
                for (one, verdict) in judged {
                    let row = ((one.crawl, one.found.key), one.reason);
                    let on = self.skipped[&row].found_on.clone();
                    match verdict {
                        Ok(_) => opened.extend(self.insert(one.crawl, &one.found, on.as_deref(), at)),
                        Err(held) if *held.parked == one.waits_for => {}
                        Err(held) => {
                            self.skipped.remove(&row);
                            let is_row = |other: &Parked| {
                                (other.crawl, other.found.key, other.reason)
                                    == (one.crawl, one.found.key, one.reason)
                            };
                            self.parked.retain(|other| !is_row(other));
                            self.park(one.crawl, &one.found, &held, on, at);
                        }
                    }
                }
            }
            if opened.len() == before {
                break;
            }
        }
        opened
    }

    /// What waits for these, each URL once, the first parked first; says what nothing waits for any more.
    fn waiting(&self, guard: &mut Guard, rooms: &[Room]) -> Vec<Parked> {
        let mut waiting: Vec<(usize, &Parked)> = Vec::new();
        for room in rooms {
            let is_meant =
                |(_, one): &(usize, &Parked)| one.crawl == room.crawl && one.waits_for == *room.parked;
            let before = waiting.len();
            waiting.extend(self.parked.iter().enumerate().filter(is_meant).take(room.most));
            if waiting.len() - before < room.most {
                guard.emptied(room);
            }
        }
        waiting.sort_by_key(|(row, _)| *row);
        let mut known = HashSet::new();
        waiting.retain(|(_, one)| known.insert((one.crawl, one.found.key)));
        waiting.into_iter().map(|(_, one)| one.clone()).collect()
    }

    fn park(&mut self, crawl: CrawlId, found: &Found, held: &Held, on: Option<String>, at: Timestamp) {
        let row = ((crawl, found.key), held.rule.as_str());
        if self.urls.contains_key(&row.0) || self.skipped.contains_key(&row) {
            return;
        }
        let line = lines::held(crawl, found, held, on, at);
        self.skipped.insert(row, line);
        let (reason, waits_for) = (held.rule.as_str(), held.parked.to_string());
        self.parked.push(Parked { crawl, reason, found: found.clone(), waits_for });
    }

    /// Notes a URL that is not fetched, unless it is admitted.
    fn skip(&mut self, report: &Report, skipped: &Skipped) {
        let crawl = report.url.crawl;
        let row = ((crawl, skipped.key), skipped.reason);
        if self.urls.contains_key(&row.0) || self.skipped.contains_key(&row) {
            return;
        }
        let on = Some(report.url.url.clone());
        let mut line = lines::skipped(report, &skipped.url, skipped.reason, &skipped.detail, on);
        if let Some(origin) = skipped.parked {
            let host = HostKey::of(&Url::parse(&skipped.url).unwrap());
            let found = Found { key: skipped.key, url: skipped.url.clone(), host, origin };
            line = lines::parked(line, &found, "");
            self.parked.push(Parked { crawl, reason: skipped.reason, found, waits_for: String::new() });
        }
        self.skipped.insert(row, line);
    }

    /// Makes a seed of an open URL that a seed redirects to.
    fn move_seed(&mut self, crawl: CrawlId, found: &Found) {
        let Some(row) = self.urls.get_mut(&(crawl, found.key)) else { return };
        if row.state == "open" && row.queued.origin.seed.is_none() && row.queued.origin.sitemap.is_none() {
            row.queued.origin = found.origin;
            row.queued.visit += 1;
        }
    }

    fn close(&mut self, report: &Report) -> Option<Committed> {
        let url = &report.url;
        let key = (url.crawl, url.key);
        let row = self.urls.get_mut(&key)?;
        let gate = (row.queued.visit, row.queued.attempt, row.queued.throttled);
        if row.state != "open" || gate != (url.visit, url.attempt, url.throttled) {
            return None;
        }
        let mut committed = Committed { effective: true, ..Committed::default() };
        let (state, reason, redirect_to) = match &report.outcome {
            Outcome::Stored(_) => ("stored", None, None),
            Outcome::Read { reason, .. } => ("read", reason.clone(), None),
            Outcome::Redirected { to } => ("redirected", None, Some(to.clone())),
            Outcome::Disallowed { .. } => ("excluded", Some("robots".to_owned()), None),
            Outcome::Withheld { reason, .. } => ("excluded", Some((*reason).to_owned()), None),
            Outcome::Failed { reason, .. } => ("failed", Some(reason.clone()), None),
            Outcome::Retry { reason, .. } => ("open", Some(reason.clone()), None),
        };
        (row.state, row.reason, row.redirect_to) = (state, reason, redirect_to);
        row.closed_at = (state != "open").then_some(report.at);
        let found_on = row.found_on.clone();
        match &report.outcome {
            Outcome::Stored(page) => {
                committed.stored = true;
                self.pages.entry((key, url.visit)).or_default().push(lines::page(report, page));
            }
            Outcome::Failed { reason, detail } => {
                let line = lines::dead_letter(report, reason, detail, found_on);
                self.dead.entry((key, url.visit)).or_insert(line);
            }
            Outcome::Disallowed { rule } => {
                let line = lines::skipped(report, &url.url, "robots", rule, found_on);
                self.skipped.entry((key, "robots")).or_insert(line);
            }
            Outcome::Withheld { reason, detail } => {
                let line = lines::skipped(report, &url.url, reason, detail, found_on);
                self.skipped.entry((key, reason)).or_insert(line);
            }
            Outcome::Retry { due, counts, .. } => {
                row.queued.due = due.ceil_millis();
                if *counts {
                    row.queued.attempt += 1;
                    row.queued.throttled = 0;
                } else {
                    row.queued.throttled += 1;
                }
                committed.retry = Some(row.queued.clone());
            }
            Outcome::Redirected { .. } | Outcome::Read { .. } => {}
        }
        Some(committed)
    }

    fn report(&mut self, report: &Report) -> Committed {
        if let Some(fetch) = &report.fetch {
            let kind = if report.is_sitemap() { "sitemap" } else { "page" };
            let key = ((report.url.crawl, report.url.key), report.token.0, kind, report.url.attempt);
            self.fetches.entry(key).or_insert_with(|| lines::fetch(report, fetch));
        }
        self.close(report).unwrap_or_default()
    }

    fn note(&mut self, note: &Note) {
        if let Some(robots) = &note.robots {
            let key =
                ((note.crawl, UrlKey::of(&robots.url)), robots.token.0, "robots", u32::from(robots.hop) + 1);
            self.fetches.entry(key).or_insert_with(|| lines::robots_fetch(note, robots));
        }
        let millis = |span: Duration| Duration::from_millis(span.as_nanos().div_ceil(1_000_000) as u64);
        let pace = Pace {
            crawl_delay: note.pace.crawl_delay.map(millis),
            block_until: note.pace.block_until.map(Timestamp::ceil_millis),
            strikes: note.pace.strikes,
        };
        let known = self.hosts.get(&note.host);
        if known.is_some_and(|known| known.at > note.at.as_millis()) {
            return;
        }
        let (verdict, status, fetched) = known.map(|known| known.robots.clone()).unwrap_or_default();
        let robots = match &note.robots {
            None => (verdict, status, fetched),
            Some(new) => (
                Some(new.verdict.to_owned()),
                new.fetch.status.map(i64::from),
                Some(new.fetch.started.to_string()),
            ),
        };
        self.hosts.insert(note.host.clone(), Known { pace, at: note.at.as_millis(), robots });
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn open_crawl(&self, name: &str, settings: &str, _now: Timestamp) -> Result<CrawlRow, StoreError> {
        let mut tables = self.tables();
        if let Some(row) = tables.crawls.iter_mut().find(|row| row.name == name) {
            row.epoch += 1;
            row.reopened = true;
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
            seeded: false,
            reopened: !tables.crawls.is_empty(),
        };
        tables.crawls.push(row.clone());
        Ok(row)
    }

    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        let mut tables = self.tables();
        let new: Vec<Queued> =
            seeds.iter().filter_map(|seed| tables.insert(crawl, seed, None, now)).collect();
        tables.reopen(crawl, &new);
        tables.count_new(crawl, &new);
        Ok(new)
    }

    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        let mut tables = self.tables();
        let mut committed = Vec::new();
        for entry in batch {
            committed.push(match entry {
                Entry::Report(report) => tables.report(report),
                Entry::Note(note) => {
                    tables.note(note);
                    Committed::default()
                }
            });
        }
        tables.take_in(batch, &mut committed);
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
        let paces = tables.hosts.iter().map(|(host, known)| (host.clone(), known.pace));
        Ok(paces.filter(|(_, pace)| *pace != Pace::default()).collect())
    }

    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.order.iter().filter(|key| key.0 == crawl).map(|key| &tables.urls[key]);
        let seed = |row: &Row| {
            let url = row.queued.url.clone();
            Some(SeedRow { url, scope: row.queued.origin.seed?, named: row.found_on.is_none() })
        };
        Ok(rows.filter_map(seed).collect())
    }

    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError> {
        self.tables().crawls.iter_mut().filter(|row| row.id == crawl).for_each(|row| row.seeded = seeded);
        Ok(())
    }

    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        let mut tables = self.tables();
        let WhichParked { rule, host, key } = which;
        let is_meant = |parked: &&Parked| {
            parked.crawl == crawl
                && rule.is_none_or(|rule| rule.as_str() == parked.reason)
                && host.as_ref().is_none_or(|host| *host == parked.found.host)
                && key.is_none_or(|key| key == parked.found.key)
        };
        let meant: Vec<_> = tables.parked.iter().filter(is_meant).take(most).cloned().collect();
        let mut opened = Vec::new();
        for Parked { found, reason, .. } in meant {
            let on = tables.skipped.get(&((crawl, found.key), reason)).and_then(|line| line.found_on.clone());
            opened.extend(tables.insert(crawl, &found, on.as_deref(), now));
        }
        tables.reopen(crawl, &opened);
        tables.count_new(crawl, &opened);
        Ok(opened)
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

#[async_trait]
impl Crawls for ModelStore {
    async fn crawls(&self) -> Result<Vec<CrawlRow>, StoreError> {
        Ok(self.tables().crawls.clone())
    }

    async fn crawl(&self, name: &str) -> Result<Option<CrawlRow>, StoreError> {
        Ok(self.tables().crawls.iter().find(|row| row.name == name).cloned())
    }

    async fn touch(&self, crawl: CrawlId) -> Result<(), StoreError> {
        self.tables().crawls.iter_mut().filter(|row| row.id == crawl).for_each(|row| row.epoch += 1);
        Ok(())
    }

    async fn change_state(
        &self,
        crawl: CrawlId,
        from: &[CrawlState],
        to: CrawlState,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let row = tables.crawls.iter_mut().find(|row| row.id == crawl && from.contains(&row.state));
        Ok(row.map(|row| row.state = to).is_some())
    }

    async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables
            .crawls
            .iter_mut()
            .filter(|row| row.id == crawl)
            .for_each(|row| settings.clone_into(&mut row.settings));
        Ok(())
    }

    async fn finish(&self, crawl: CrawlId, ran: Duration, now: Timestamp) -> Result<bool, StoreError> {
        if self.tally(crawl).await?.open > 0 {
            return Ok(false);
        }
        self.set_state(crawl, CrawlState::Finished, ran, now).await?;
        Ok(true)
    }
}
