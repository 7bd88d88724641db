//! Random traces: the same steps on an index and on the model, each answer compared. Everything follows from the seed
//! that a failure prints.

use super::model::Model;
use super::on_redis::REDIS;
use super::subject::{Backend, CRAWL, MEMORY, Subject, hand_off, host_key, limits, note, url};
use crate::rng::Rng;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{Lease, Pace, Queued, Token};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::report::Entry;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::{Ack, Borrowed, CrawlSettings, EntryId, Handed, Next, Release, RunState};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SEEDS: u64 = 5_000;
/// Each step is some round trips to a server.
const REDIS_SEEDS: u64 = 30;
const STEPS: usize = 200;
const HOSTS: u64 = 12;
const PATHS: u64 = 6;

/// One trace: the index, the model, and what nodes and storage remember.
struct Trace {
    subject: Subject,
    model: Model,
    rng: Rng,
    /// Leases that nodes hold or believe to hold; loans are leases of no URL.
    leases: Vec<Lease>,
    /// Entries that storage took, acknowledged or not, with the URL of a report.
    taken: Vec<(EntryId, Option<Queued>)>,
    seed: u64,
    /// The last steps, for the one who reads of a failure.
    log: VecDeque<String>,
}

#[test]
fn the_index_in_memory_answers_as_the_model() {
    answers_as_the_model(MEMORY, SEEDS);
}

#[test]
fn the_index_in_redis_answers_as_the_model() {
    answers_as_the_model(REDIS, REDIS_SEEDS);
}

fn answers_as_the_model(backend: Backend, seeds: u64) {
    let run = |seed: &u64| catch_unwind(AssertUnwindSafe(|| trace(backend, *seed))).is_err();
    let failed: Vec<u64> = (0..seeds).filter(run).take(5).collect();
    println!("traces: seeds 0..{seeds} of {STEPS} steps");
    assert!(failed.is_empty(), "failing seeds: {failed:?}");
}

fn trace(backend: Backend, seed: u64) {
    backend.block_on(async {
        let mut trace = Trace::new(backend, seed).await;
        trace.open().await;
        for _ in 0..STEPS {
            trace.step().await;
            trace.look().await;
        }
    });
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {} failed, the last steps: {:#?}", self.seed, self.log);
        }
    }
}

impl Trace {
    async fn new(backend: Backend, seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x000d_ecaf);
        let limits = Limits {
            urls: rng.pick(&[4, 10, 1_000]),
            host_urls: rng.pick(&[2, 4, 500]),
            stream_entries: rng.pick(&[2, 6, 1_000]),
            ..limits()
        };
        let delay = Duration::from_millis(rng.pick(&[0, 0, 200, 1_500]));
        let max_pages = rng.pick(&[None, None, Some(5), Some(40)]);
        let subject = backend.unopened(limits).await;
        let model = Model::new(limits, delay, max_pages, &subject);
        Self { subject, model, rng, leases: Vec::new(), taken: Vec::new(), seed, log: VecDeque::new() }
    }

    async fn open(&mut self) {
        self.settings().await;
        let paces: Vec<_> = (0..HOSTS / 2).map(|n| (host_key(&format!("h{n}")), self.any_pace())).collect();
        let resumed = self.rng.chance(50);
        self.model.open_epoch(3, &paces, resumed);
        self.subject.index.front.open_epoch(3, paces, resumed).await.unwrap();
    }

    async fn settings(&mut self) {
        let Model { delay, max_pages, stored, .. } = self.model;
        let state = RunState::Running;
        let settings = CrawlSettings { state, delay: Delay::Fixed(delay), max_pages, stored: Some(stored) };
        self.subject.index.front.settings(CRAWL, settings).await.unwrap();
    }

    fn say(&mut self, what: String) {
        self.log.push_back(what);
        if self.log.len() > 30 {
            self.log.pop_front();
        }
    }

    fn any_host(&mut self) -> HostKey {
        host_key(&format!("h{}", self.rng.range(0..HOSTS)))
    }

    fn any_url(&mut self, host: &HostKey) -> Queued {
        let mut url = url(host.as_str(), &self.rng.range(0..PATHS).to_string());
        url.origin.priority = self.rng.pick(&[5, 5, 5, 9]);
        if self.rng.chance(10) {
            url.due = self.model.now + Duration::from_millis(self.rng.range(0..4_000));
        }
        url
    }

    fn any_pace(&mut self) -> Pace {
        let block = Duration::from_millis(self.rng.range(1..6_000));
        Pace {
            crawl_delay: self.rng.pick(&[None, None, Some(Duration::ZERO), Some(Duration::from_secs(1))]),
            block_until: self.rng.chance(30).then(|| self.model.now + block),
            strikes: self.rng.pick(&[0, 0, 0, 1]),
        }
    }

    fn maybe_a_pace(&mut self) -> Option<Pace> {
        self.rng.chance(25).then(|| self.any_pace())
    }

    /// The earliest next request as a polite node names it.
    fn any_due(&mut self, pace: Pace) -> Timestamp {
        let more = self.rng.pick(&[0, 0, 0, 300, 5_000]);
        self.model.now + self.model.delay_with(&pace) + Duration::from_millis(more)
    }

    /// A lease that a node holds, or believes to hold, or has never held.
    fn any_lease(&mut self) -> Option<Lease> {
        if self.leases.is_empty() {
            return None;
        }
        let newest = self.leases.len() as u64 - 1;
        let pick = if self.rng.chance(80) {
            newest.saturating_sub(self.rng.range(0..3))
        } else {
            self.rng.range(0..newest + 1)
        };
        let mut lease = self.leases[pick as usize].clone();
        if self.rng.chance(3) {
            lease.token = Token(lease.token.0 + 1_000);
        }
        Some(lease)
    }

    async fn step(&mut self) {
        self.model.now = self.subject.now();
        match self.rng.range(0..100) {
            0..18 => self.lease().await,
            18..40 => self.hand_off().await,
            40..45 => self.release().await,
            45..49 => self.note().await,
            49..53 => self.renew().await,
            53..57 => self.borrow().await,
            57..67 => self.take().await,
            67..77 => self.acknowledge().await,
            77..87 => self.admit().await,
            87..91 => self.refill().await,
            91..93 => self.make_room().await,
            _ => self.wait().await,
        }
    }

    /// What can be seen at any time.
    async fn look(&mut self) {
        (self.subject.index.check)();
        let front = &self.subject.index.front;
        self.model.now = self.subject.now();
        self.model.expect_counts(&front.counts().await.unwrap(), &front.blocked().await.unwrap());
        self.model.expect_low(&front.low(100).await.unwrap());
        assert_eq!(front.room().await.unwrap(), self.model.room());
        let keys: Vec<_> = (0..PATHS).map(|path| url("h3", &path.to_string()).key).collect();
        self.model.expect_unseen(&keys, &self.subject.index.reports.unseen(CRAWL, &keys).await.unwrap());
    }

    async fn wait(&mut self) {
        let span = Duration::from_millis(self.rng.pick(&[1, 50, 500, 1_000, 3_500]));
        self.say(format!("wait {span:?}"));
        self.subject.pass(span).await;
    }

    async fn lease(&mut self) {
        let hosts = self.rng.range(1..5) as usize;
        let next = self.subject.index.leases.lease(hosts).await.unwrap();
        self.say(format!("lease {hosts}: {next:?}"));
        self.model.expect_next(hosts, &next);
        if let Next::Leases(leases) = next {
            self.leases.extend(leases);
        }
    }

    async fn hand_off(&mut self) {
        let Some(lease) = self.any_lease() else { return };
        let url = match lease.urls.len() as u64 {
            0 => return,
            urls => lease.urls[self.rng.range(0..urls) as usize].clone(),
        };
        let noted = self.maybe_a_pace();
        let pace = noted.unwrap_or_else(|| self.model.pace(&lease.host));
        let mut hand_off = hand_off(&lease, &url);
        hand_off.due = self.any_due(pace);
        hand_off.note = noted.map(|pace| self.noted(&lease.host, pace));
        hand_off.ends = self.rng.chance(30);
        let accepted = self.model.hand_off(&lease, url.key, hand_off.due, noted, hand_off.ends);
        self.say(format!("hand off {} {:?} ends {}, note {noted:?}", url.url, lease.token, hand_off.ends));
        let handed = self.subject.index.leases.hand_off(hand_off).await.unwrap();
        assert_eq!(handed == Handed::Accepted, accepted);
    }

    fn noted(&self, host: &HostKey, pace: Pace) -> huntsman::crawl::report::Note {
        let mut note = note(host.as_str(), pace);
        note.at = self.model.now;
        note
    }

    /// Asserts that a release or note was taken where the token is that of a running lease, and refused where it is
    /// that of none; one that expired and was not taken back may go either way.
    fn expect_taken(&self, handed: Handed, host: &HostKey, token: Token) -> bool {
        let accepted = handed == Handed::Accepted;
        assert!(accepted || !self.model.holds(host, token, false), "{token:?} holds {host}");
        assert!(!accepted || self.model.holds(host, token, true), "{token:?} does not hold {host}");
        accepted
    }

    async fn release(&mut self) {
        let Some(Lease { host, token, .. }) = self.any_lease() else { return };
        let noted = self.maybe_a_pace();
        let pace = noted.unwrap_or_else(|| self.model.pace(&host));
        let due = self.any_due(pace);
        self.say(format!("release {host} {token:?}, note {noted:?}"));
        let note = noted.map(|pace| self.noted(&host, pace));
        let release = Release { host: host.clone(), token, due, note };
        let handed = self.subject.index.leases.release(release).await.unwrap();
        if self.expect_taken(handed, &host, token) {
            self.model.released(&host, due, noted);
        }
    }

    async fn note(&mut self) {
        let Some(Lease { host, token, .. }) = self.any_lease() else { return };
        let pace = self.any_pace();
        self.say(format!("note {host} {token:?} {pace:?}"));
        let note = self.noted(&host, pace);
        let handed = self.subject.index.leases.note(token, note).await.unwrap();
        if self.expect_taken(handed, &host, token) {
            self.model.noted(&host, pace);
        }
    }

    async fn renew(&mut self) {
        let mut tokens = Vec::new();
        for _ in 0..self.rng.range(0..4) {
            tokens.extend(self.any_lease().map(|lease| lease.token));
        }
        self.say(format!("renew {tokens:?}"));
        let unknown = self.subject.index.leases.renew(&tokens).await.unwrap();
        self.model.expect_renewed(&tokens, &unknown);
    }

    async fn borrow(&mut self) {
        let host = self.any_host();
        let borrowed = self.subject.index.leases.borrow_host(&host).await.unwrap();
        self.say(format!("borrow {host}: {borrowed:?}"));
        self.model.expect_borrowed(&host, borrowed);
        if let Borrowed::Granted(token, pace) = borrowed {
            let until = Timestamp::EPOCH;
            let (urls, rules) = (Vec::new(), Vec::new());
            self.leases.push(Lease { host, token, until, pace, delay: Duration::ZERO, urls, rules });
        }
    }

    async fn take(&mut self) {
        if !self.model.has_entries() {
            return;
        }
        let most = self.rng.range(1..6) as usize;
        let batch = self.subject.index.reports.reports(most, Duration::ZERO).await.unwrap();
        self.say(format!("take {}", batch.len()));
        self.model.expect_reports(most, &batch);
        self.taken.extend(batch.into_iter().map(|(id, entry)| match entry {
            Entry::Report(report) => (id, Some(report.url)),
            Entry::Note(_) => (id, None),
        }));
    }

    async fn acknowledge(&mut self) {
        let mut acks = Vec::new();
        while !self.taken.is_empty() && self.rng.chance(60) {
            let newest = self.taken.len() as u64;
            let oldest = newest.saturating_sub(8);
            let (id, url) = self.taken[self.rng.range(oldest..newest) as usize].clone();
            let mut requeue = url.filter(|_| self.rng.chance(30));
            if let Some(url) = &mut requeue {
                url.attempt += 1;
                url.due = self.model.now + Duration::from_millis(self.rng.pick(&[0, 0, 700, 3_000]));
            }
            let stored = requeue.is_none() && self.rng.chance(50);
            acks.push(Ack { id, requeue, stored });
        }
        let refill = self.rng.chance(20);
        if refill {
            self.model.begin_refill();
            self.subject.index.front.begin_refill().await.unwrap();
        }
        self.say(format!("acknowledge {acks:?}"));
        self.model.acknowledge(&acks);
        self.subject.acknowledge(acks).await;
        if refill {
            self.refill().await;
            self.model.end_refill();
            self.subject.index.front.end_refill().await.unwrap();
        }
    }

    async fn admit(&mut self) {
        let mut urls = Vec::new();
        for _ in 0..self.rng.range(1..6) {
            let host = self.any_host();
            urls.push(self.any_url(&host));
        }
        let seen: Vec<_> = urls.iter().filter(|_| self.rng.chance(50)).map(|url| url.key).collect();
        self.say(format!("admit {:?}", urls.iter().map(|url| &url.url).collect::<Vec<_>>()));
        let expected = self.model.admit(&urls, &seen);
        assert_eq!(self.subject.index.reports.admit(urls, CRAWL, &seen).await.unwrap(), expected);
    }

    async fn refill(&mut self) {
        let host = self.any_host();
        let urls: Vec<_> = (0..self.rng.range(0..PATHS)).map(|_| self.any_url(&host)).collect();
        let complete = self.rng.chance(60);
        self.say(format!(
            "refill {host} {:?} {complete}",
            urls.iter().map(|url| &url.url).collect::<Vec<_>>()
        ));
        let expected = self.model.refill(&host, &urls, complete);
        let queued = self.subject.index.front.refill(&host, urls, complete).await.unwrap();
        assert_eq!(queued, expected);
    }

    async fn make_room(&mut self) {
        self.say("make room".to_owned());
        let expected = self.model.make_room();
        assert_eq!(self.subject.index.front.make_room().await.unwrap(), expected);
    }
}
