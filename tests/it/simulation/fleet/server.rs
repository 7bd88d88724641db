//! The shared index as a server holds it: the model, in the epoch that is open, and what only a fleet needs.

use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Token};
use huntsman::crawl::report::{Entry, Note};
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::memory::{Index, Limits};
use huntsman::frontier::{CrawlSettings, EntryId, FrontierError, GUARD, HandOff, Handed, Release};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Entries that a consumer took and did not acknowledge for so long are given to another.
const CLAIM_AFTER: Duration = Duration::from_secs(5);

/// What is open: an epoch, on one run of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub epoch: u32,
    pub run: u32,
}

/// An entry that a consumer has.
#[derive(Debug)]
struct Taken {
    by: u32,
    at: Timestamp,
    bytes: Vec<u8>,
    url: Option<(CrawlId, UrlKey)>,
}

/// A block that the index was told of: in force until then, unless it forgets.
#[derive(Debug)]
pub(super) struct Told {
    pub host: HostKey,
    pub at: Timestamp,
    pub until: Timestamp,
    pub epoch: u32,
}

/// The server.
#[derive(Debug)]
pub(super) struct Server {
    limits: Limits,
    pub index: Index,
    pub mark: Option<Mark>,
    /// Grows with every restart.
    pub run: u32,
    newest: u32,
    beat: Timestamp,
    taken: BTreeMap<EntryId, Taken>,
    handed: HashMap<(CrawlId, UrlKey), Token>,
    /// For the judge.
    pub told: Vec<Told>,
    /// When each epoch was lost or gave way to another.
    pub ended: HashMap<u32, Timestamp>,
}

impl Server {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            index: Index::new(limits),
            mark: None,
            run: 1,
            newest: 0,
            beat: Timestamp::EPOCH,
            taken: BTreeMap::new(),
            handed: HashMap::new(),
            told: Vec::new(),
            ended: HashMap::new(),
        }
    }

    /// URLs whose visits are lost with the index.
    pub(super) fn in_flight(&self, now: Timestamp) -> usize {
        let counts = self.index.counts(now);
        counts.leased + counts.handed_over
    }

    /// It forgets everything.
    pub(super) fn forget(&mut self, now: Timestamp) {
        if let Some(mark) = self.mark.take() {
            self.ended.insert(mark.epoch, now);
        }
        self.index = Index::new(self.limits);
        self.taken.clear();
        self.handed.clear();
    }

    /// It is restarted with what it had, which nobody may trust.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.run += 1;
        if let Some(mark) = self.mark {
            self.ended.entry(mark.epoch).or_insert(now);
        }
    }

    /// Closes what is open, for this epoch; an older one than was ever opened is refused.
    pub(super) fn close_for(&mut self, epoch: u32, now: Timestamp) -> Result<(), FrontierError> {
        if self.mark.is_some_and(|mark| mark.epoch > epoch) {
            return Err(FrontierError::Lost("a newer epoch is open: another scheduler leads".into()));
        }
        self.forget(now);
        Ok(())
    }

    /// Opens the epoch: no host is handed out before two lease lengths and max(delay, guard).
    pub(super) fn open(
        &mut self,
        epoch: u32,
        settings: &BTreeMap<CrawlId, CrawlSettings>,
        paces: Vec<(HostKey, Pace)>,
        resumed: bool,
        now: Timestamp,
    ) {
        let own = settings.values().map(|of| of.delay.of("a.test", &Pace::default())).max();
        let guard = GUARD.saturating_sub(own.unwrap_or_default());
        for (crawl, settings) in settings {
            self.index.settings(*crawl, *settings);
        }
        self.index.open_epoch(epoch, paces, resumed, now + self.limits.lease * 2 + guard);
        self.mark = Some(Mark { epoch, run: self.run });
        self.newest = self.newest.max(epoch);
        self.beat = now;
    }

    pub(super) fn beat(&mut self, now: Timestamp) {
        self.beat = now;
    }

    /// Refuses where the scheduler was not heard of for a lease length.
    pub(super) fn heard(&self, now: Timestamp) -> Result<(), FrontierError> {
        if self.beat + self.limits.lease < now {
            return Err(FrontierError::Unavailable("the scheduler was not heard of".into()));
        }
        Ok(())
    }

    fn tell(&mut self, note: Option<&Note>, now: Timestamp) {
        let Some(note) = note else { return };
        let Some(mark) = self.mark else { return };
        if let Some(until) = note.pace.block_until.filter(|until| *until > now) {
            self.told.push(Told { host: note.host.clone(), at: now, until, epoch: mark.epoch });
        }
    }

    /// A hand-off; one that is said again finds its own report in the stream.
    pub(super) fn hand_off(&mut self, hand_off: HandOff, again: bool, now: Timestamp) -> Handed {
        let url = (hand_off.report.url.crawl, hand_off.report.url.key);
        let token = hand_off.token;
        if again && self.handed.get(&url) == Some(&token) {
            return Handed::Accepted;
        }
        let note = hand_off.note.clone();
        let handed = self.index.hand_off(hand_off, now);
        if handed == Handed::Accepted {
            self.handed.insert(url, token);
            self.tell(note.as_ref(), now);
        }
        handed
    }

    pub(super) fn release(&mut self, release: Release, now: Timestamp) -> Handed {
        let note = release.note.clone();
        let handed = self.index.release(release);
        if handed == Handed::Accepted {
            self.tell(note.as_ref(), now);
        }
        handed
    }

    pub(super) fn note(&mut self, token: Token, note: Note, now: Timestamp) -> Handed {
        let said = note.clone();
        let handed = self.index.note(token, note);
        if handed == Handed::Accepted {
            self.tell(Some(&said), now);
        }
        handed
    }

    /// What this consumer is to write: what it was given before, what others left lying, what is new.
    pub(super) fn take(
        &mut self,
        by: u32,
        most: usize,
        linger: Duration,
        now: Timestamp,
    ) -> Vec<(EntryId, Entry)> {
        let mut given = Vec::new();
        for (id, taken) in &mut self.taken {
            if given.len() < most && (taken.by == by || taken.at + CLAIM_AFTER <= now) {
                (taken.by, taken.at) = (by, now);
                given.push((*id, postcard::from_bytes(&taken.bytes).unwrap()));
            }
        }
        if !given.is_empty() || self.index.batch_due(most, linger, now).is_none_or(|due| due > now) {
            return given;
        }
        let new = self.index.take_reports(most);
        for (id, entry) in &new {
            let url = match entry {
                Entry::Report(report) => Some((report.url.crawl, report.url.key)),
                Entry::Note(_) => None,
            };
            let bytes = postcard::to_allocvec(entry).unwrap();
            self.taken.insert(*id, Taken { by, at: now, bytes, url });
        }
        new
    }

    /// When there is something to take.
    pub(super) fn next_take(&self, most: usize, linger: Duration, now: Timestamp) -> Option<Timestamp> {
        let abandoned = self.taken.values().map(|taken| taken.at + CLAIM_AFTER).min();
        let new = self.index.batch_due(most, linger, now);
        new.into_iter().chain(abandoned).min()
    }

    /// Ends entries; one that is no longer pending is passed over.
    pub(super) fn acknowledge(&mut self, acks: Vec<huntsman::frontier::Ack>, now: Timestamp) {
        let mut pending = Vec::new();
        for ack in acks {
            let Some(taken) = self.taken.remove(&ack.id) else { continue };
            if let Some(url) = taken.url {
                self.handed.remove(&url);
            }
            pending.push(ack);
        }
        self.index.acknowledge(pending, now);
    }
}
