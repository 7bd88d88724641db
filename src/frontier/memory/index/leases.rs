//! The nodes' side of the index: hosts are leased, visited and given back, and what expires is taken back.

use super::{HostId, Index};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Lease, Pace, Queued, Token};
use crate::crawl::report::{Entry, Note, Outcome, Report, reasons};
use crate::crawl::time::Timestamp;
use crate::frontier::memory::agenda::{Held, Waiting};
use crate::frontier::{
    Borrowed, CrawlSettings, DOMAIN_SHARE, GUARD, HandOff, Handed, LEASE_URLS, Next, QUARANTINE, Release,
    RunState,
};
use hashbrown::HashSet;
use std::time::Duration;

/// How long a host is kept free for a borrower after the point that the borrower was told.
const WANTED: Duration = Duration::from_millis(500);
/// Expired leases taken back in one call.
const REAPED_PER_CALL: usize = 16;
/// Hosts parked, and parked ones looked at again, in one call.
const PARKED_PER_CALL: usize = 64;

impl Index {
    /// See [`crate::frontier::Leases::lease`]; the flag says that the stream grew (a quarantine).
    pub fn lease(&mut self, hosts: usize, now: Timestamp) -> (Next, bool) {
        let reported = self.reap(now);
        if self.stream_room() == 0 {
            return (Next::NotBefore(Timestamp::NEVER), reported);
        }
        self.unpark();
        let mut leases = Vec::new();
        let mut looks = hosts + PARKED_PER_CALL;
        while leases.len() < hosts && looks > 0 && self.stream_room() > 0 {
            looks -= 1;
            let Some(&(at, host)) = self.agenda.first() else { break };
            if at > now {
                break;
            }
            if !self.has_turn(host, now) {
                continue;
            }
            match self.lease_host(host, now) {
                Some(lease) => leases.push(lease),
                None => self.park(host, at),
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
        let Some(at) = held.urls.iter().position(|waiting| is_same(&waiting.url, &report.url)) else {
            return Handed::Stale;
        };
        held.urls.remove(at);
        let ends = ends || held.urls.is_empty();
        self.leased -= 1;
        self.handed_over += 1;
        self.hosts[id].handed_over += 1;
        let crawl = report.url.crawl;
        self.append(id, crawl, Some(report.url.key), Entry::Report(Box::new(report)), now);
        self.hosts[id].due = self.hosts[id].due.max(due);
        if let Some(note) = note {
            self.append_note(id, note);
        }
        if ends {
            self.end_lease(id);
        }
        let runs = self.crawls.get(&crawl).is_none_or(|crawl| crawl.state == RunState::Running);
        if runs { Handed::Accepted } else { Handed::Last }
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

    /// See [`crate::frontier::Leases::remind`].
    pub fn remind(&mut self, notes: Vec<Note>, now: Timestamp) {
        for note in notes {
            let id = self.host(&note.host, now);
            let pace = self.hosts[id].pace.slower(note.pace);
            self.append_note(id, note);
            self.hosts[id].pace = pace;
        }
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

    /// Whether it is the host's turn among those of its registrable domain; where it is not, its turn is fixed and the host
    /// waits for it.
    fn has_turn(&mut self, id: HostId, now: Timestamp) -> bool {
        let host = &self.hosts[id];
        let gap = self.delay_of(&host.key, &Pace::default()) / DOMAIN_SHARE;
        let Some(domain) = host.key.domain().filter(|_| !gap.is_zero()) else { return true };
        if host.has_turn {
            self.hosts[id].has_turn = false;
            return true;
        }
        let at = self.turns.get(domain).copied().unwrap_or(Timestamp::EPOCH);
        let next = at.max(now) + gap;
        let domain = domain.to_owned();
        if self.turns.len() > 2 * self.by_key.len() {
            self.turns.retain(|_, at| *at > now);
        }
        self.turns.insert(domain, next);
        if at > now {
            let host = &mut self.hosts[id];
            host.due = host.due.max(at);
            host.has_turn = true;
            self.schedule(id);
        }
        at <= now
    }

    fn lease_host(&mut self, id: HostId, now: Timestamp) -> Option<Lease> {
        // A host that was silent gives several: if it is silent again, they share the attempt.
        let several = self.delay(id).is_zero() || self.hosts[id].pace.strikes > 0;
        let most = if several { LEASE_URLS } else { 1 }.min(self.stream_room());
        let (crawls, in_flight) = (&self.crawls, &self.in_flight);
        let room = |crawl: CrawlId| crawls.get(&crawl).map_or(most, |of| left(of, in_flight.get(&crawl)));
        let urls = self.hosts[id].take(most, now, room);
        if urls.is_empty() {
            return None;
        }
        self.queued -= urls.len();
        self.leased += urls.len();
        for waiting in &urls {
            *self.in_flight.entry(waiting.url.crawl).or_default() += 1;
        }
        let queued: Vec<_> = urls.iter().map(|waiting| waiting.url.clone()).collect();
        let token = self.hold(id, urls, now);
        self.mark_low(id);
        let mut rules: Vec<(CrawlId, u64)> = Vec::with_capacity(1);
        for Queued { crawl, .. } in &queued {
            if rules.iter().all(|(one, _)| one != crawl) {
                rules.push((*crawl, self.rules.get(crawl).map_or(0, |rules| rules.version)));
            }
        }
        let host = &self.hosts[id];
        let until = now + self.limits.lease;
        let delay = self.delay_of(&host.key, &Pace::default());
        Some(Lease { host: host.key.clone(), token, until, pace: host.pace, delay, urls: queued, rules })
    }

    /// Takes a host out of the agenda that is due and has nothing that may be leased.
    fn park(&mut self, id: HostId, at: Timestamp) {
        self.agenda.remove(&(at, id));
        self.hosts[id].agenda = None;
        self.hosts[id].parked = true;
        self.parked.insert(id);
    }

    /// Looks at parked hosts again, where that may help; some at a time.
    fn unpark(&mut self) {
        for _ in 0..PARKED_PER_CALL {
            if !self.unpark {
                return;
            }
            match self.parked.first() {
                Some(id) => self.schedule(*id),
                None => self.unpark = false,
            }
        }
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
        let alone = u32::from(held.urls.len() == 1);
        for waiting in &mut held.urls {
            waiting.suspect = Some(waiting.suspect.unwrap_or_default() + alone);
        }
        let poison = matches!(&held.urls[..], [alone] if alone.suspect >= Some(QUARANTINE));
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

    fn next_event(&self, now: Timestamp) -> Timestamp {
        let due = self.agenda.first().map(|(at, _)| *at).filter(|at| *at > now);
        let expiry = self.expiries.first().map(|(at, _)| *at);
        due.into_iter().chain(expiry).min().unwrap_or(Timestamp::NEVER)
    }
}

/// How many more URLs of a crawl may be leased.
fn left(crawl: &CrawlSettings, in_flight: Option<&u64>) -> usize {
    if crawl.state != RunState::Running {
        return 0;
    }
    let spent = crawl.stored.unwrap_or_default() + in_flight.copied().unwrap_or_default();
    let left = crawl.max_pages.map_or(u64::MAX, |most| most.saturating_sub(spent));
    usize::try_from(left).unwrap_or(usize::MAX)
}

/// Two crawls may have the same URL in one lease.
fn is_same(one: &Queued, other: &Queued) -> bool {
    one.key == other.key && one.crawl == other.crawl
}

fn quarantined(url: Queued, token: Token, at: Timestamp) -> Report {
    let detail = format!("{QUARANTINE} nodes in a row did not survive or finish a visit of this URL alone");
    let outcome = Outcome::Failed { reason: reasons::QUARANTINED.into(), detail };
    Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() }
}
