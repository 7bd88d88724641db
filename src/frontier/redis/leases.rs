//! The nodes' side: hosts are leased from a few shards at a time, and what ends goes to the shard of its host.

use super::failure::Failure;
use super::granted::{Answer, read_answer};
use super::handing::Handing;
use super::link::Args;
use super::reply::{self, Reply, next, said, said_pace};
use super::scripts::Script;
use super::{RedisFrontier, shards, wire};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Lease, Token};
use crate::crawl::report::{Entry, Note};
use crate::crawl::time::Timestamp;
use crate::frontier::{
    Borrowed, CrawlRules, FrontierError, HandOff, Handed, Leases, Next, Release, SeedsRead,
};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A node says this often that it is there.
const SEEN_EVERY: Duration = Duration::from_secs(1);
/// Notes that are said again in one exchange.
const REMINDED: usize = 500;
/// Nobody rests for longer: an admission by another process wakes nobody here.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// The first rest after something was leased; it doubles with each that found nothing.
const SHORTEST_REST: Duration = Duration::from_millis(20);

/// What a node remembers between its calls.
#[derive(Debug)]
pub(super) struct Leasing {
    /// The shard that is asked first the next time.
    turn: AtomicU32,
    /// Whether some crawl has a page budget, as far as is known.
    budgets: AtomicBool,
    /// When this node last said that it is there.
    seen: AtomicI64,
    draining: AtomicBool,
    /// Leases in its hands, roughly: those granted and not ended.
    held: AtomicI64,
    handed_off: AtomicU64,
    handing: Handing,
    /// Answers in a row that brought nothing.
    idle: AtomicU32,
    /// A rest found that the index was lost, which nobody was told yet.
    lost: Mutex<Option<String>>,
    /// Tells this process from another of the same name.
    process: u64,
}

impl Default for Leasing {
    fn default() -> Self {
        let id = std::collections::hash_map::RandomState::new();
        Self {
            turn: AtomicU32::new(0),
            budgets: AtomicBool::new(true),
            seen: AtomicI64::new(i64::MIN),
            draining: AtomicBool::new(false),
            held: AtomicI64::new(0),
            handed_off: AtomicU64::new(0),
            handing: Handing::default(),
            idle: AtomicU32::new(0),
            lost: Mutex::default(),
            process: std::hash::BuildHasher::hash_one(&id, std::process::id()),
        }
    }
}

#[async_trait]
impl Leases for RedisFrontier {
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError> {
        if let Some(why) = self.leasing.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(FrontierError::Lost(why));
        }
        self.say_seen().await?;
        if self.leasing.draining.load(Ordering::Relaxed) {
            return Ok(Next::Drain);
        }
        let shards = self.link.session().await?.mark.shards;
        let (mut leases, mut event) = self.lease_some(hosts, shards).await?;
        if leases.is_empty() && shards > 1 {
            (leases, event) = self.lease_where_due(hosts, shards).await?;
        }
        if !leases.is_empty() {
            self.leasing.idle.store(0, Ordering::Relaxed);
            self.leasing.held.fetch_add(leases.len() as i64, Ordering::Relaxed);
            return Ok(Next::Leases(leases));
        }
        self.leasing.idle.fetch_add(1, Ordering::Relaxed);
        Ok(Next::NotBefore(event.min(self.link.clock.now() + LONGEST_REST)))
    }

    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError> {
        let mark = self.link.session().await?.mark;
        let mut unknown = Vec::new();
        let mut calls: HashMap<u32, (Args, Vec<Token>)> = HashMap::new();
        for token in tokens {
            let Some((shard, number)) = shards::of_token(*token, mark.epoch, mark.shards) else {
                unknown.push(*token);
                continue;
            };
            let (args, asked) = calls.entry(shard).or_default();
            args.push(number.to_string());
            asked.push(*token);
        }
        let calls = calls.into_iter().map(|(shard, (args, _))| (shard, args)).collect();
        for reply in self.link.all(Script::Renew, calls).await? {
            for number in reply.list()? {
                unknown.push(shards::token(mark.epoch, number.number()?));
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        self.leasing.held.store((tokens.len() - unknown.len().min(tokens.len())) as i64, Ordering::Relaxed);
        Ok(unknown)
    }

    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError> {
        let HandOff { host, token, report, due, note, ends } = hand_off;
        let mark = self.link.session().await?.mark;
        let Some((shard, number)) = shards::of_token(token, mark.epoch, mark.shards) else {
            return Ok(Handed::Stale);
        };
        if shard != shards::of_host(&host, mark.shards) {
            return Ok(Handed::Stale);
        }
        let (crawl, text) = (report.url.crawl, wire::pack_text(&report.url));
        let (payload, weight) = pack(&Entry::Report(Box::new(report)))?;
        let args = Args::new().add(host.as_str()).number(number).number(crawl.0).add(text).add(said(due));
        let args = args.number(u8::from(ends)).add(payload).number(weight);
        let handed = self.leasing.handing.say(&self.link, shard, with_note(args, note)?).await?;
        self.leasing.handed_off.fetch_add(u64::from(handed != Handed::Stale), Ordering::Relaxed);
        Ok(handed)
    }

    async fn release(&self, release: Release) -> Result<Handed, FrontierError> {
        let Release { host, token, due, note } = release;
        // Said once of each lease, also of one that has ended with its last URL or was lost.
        self.leasing.held.fetch_sub(1, Ordering::Relaxed);
        self.end(&host, token, said(due), note).await
    }

    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError> {
        self.end(&note.host.clone(), token, String::new(), Some(note)).await
    }

    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let mut notes = notes.into_iter().peekable();
        while notes.peek().is_some() {
            let mut calls: HashMap<u32, Args> = HashMap::new();
            for note in notes.by_ref().take(REMINDED) {
                let shard = shards::of_host(&note.host, shards);
                let args = calls.remove(&shard).unwrap_or_default();
                let args = args.add(note.host.as_str()).number(shards::kind(&note.host));
                calls.insert(shard, with_note(args, Some(note))?);
            }
            self.link.all(Script::Remind, calls.into_iter().collect()).await?;
        }
        Ok(())
    }

    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError> {
        let mark = self.link.session().await?.mark;
        let args = Args::new().add(host.as_str()).number(shards::kind(host));
        let reply = self.link.one(Script::Borrow, shards::of_host(host, mark.shards), args).await?;
        let mut parts = reply.parts(2)?;
        let token = next(&mut parts)?.text()?;
        let at = next(&mut parts)?.point()?;
        match token.parse() {
            Ok(number) => {
                self.leasing.held.fetch_add(1, Ordering::Relaxed);
                Ok(Borrowed::Granted(shards::token(mark.epoch, number), reply::pace(&mut parts)?))
            }
            Err(_) => Ok(Borrowed::NotBefore(at)),
        }
    }

    async fn rest(&self, until: Timestamp) {
        let clock = self.link.clock;
        let until = until.min(clock.now() + LONGEST_REST);
        let idle = self.leasing.idle.load(Ordering::Relaxed).min(6);
        let mut pause = SHORTEST_REST * (1 << idle);
        loop {
            clock.sleep_until(until.min(clock.now() + pause)).await;
            pause = pause.saturating_mul(2);
            if clock.now() >= until {
                return;
            }
            // Another process may have admitted something: nobody but the server can say so.
            match self.due_shards().await {
                Ok((due, _)) if due.is_empty() => {}
                Err(FrontierError::Lost(why)) => {
                    // It is said once, and not to a rest: the next call that can hear it does.
                    *self.leasing.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    return;
                }
                Ok(_) => return,
                Err(_) => {}
            }
        }
    }

    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        self.rules_since(crawl, read).await
    }
}

impl RedisFrontier {
    /// Says that this node is there, and hears whether it is to leave.
    async fn say_seen(&self) -> Result<(), FrontierError> {
        let now = self.link.clock.now();
        if now.as_micros()
            < self.leasing.seen.load(Ordering::Relaxed).saturating_add(SEEN_EVERY.as_micros() as i64)
        {
            return Ok(());
        }
        let held = self.leasing.held.load(Ordering::Relaxed).max(0);
        let args = Args::new().add("seen").add(&*self.link.settings.name).number(self.leasing.process);
        let args = args.number(held).number(self.leasing.handed_off.load(Ordering::Relaxed));
        let leaves = self.link.one(Script::Nodes, 0, args).await?.number()?;
        self.leasing.draining.store(leaves == 1, Ordering::Relaxed);
        self.leasing.seen.store(now.as_micros(), Ordering::Relaxed);
        Ok(())
    }

    /// Leases from as many shards as there are hosts asked for, the next in turn.
    async fn lease_some(&self, hosts: usize, shards: u32) -> Result<(Vec<Lease>, Timestamp), FrontierError> {
        let asked = shards.min(u32::try_from(hosts).unwrap_or(u32::MAX)).max(1);
        let first = self.leasing.turn.fetch_add(asked, Ordering::Relaxed);
        let each = hosts / asked as usize;
        let more = hosts % asked as usize;
        let wanted: Vec<_> = (0..asked)
            .map(|n| (first.wrapping_add(n) % shards, each + usize::from((n as usize) < more)))
            .collect();
        self.lease_of(&wanted, hosts, shards).await
    }

    /// The shards where something is to be done now, with since when; and the first point at which there is in another.
    async fn due_shards(&self) -> Result<(Vec<(Timestamp, u32)>, Timestamp), FrontierError> {
        let mut due = Vec::new();
        let mut event = Timestamp::NEVER;
        let now = self.link.clock.now();
        let replies = self.link.everywhere(Script::Counts, Args::new).await?;
        for (shard, reply) in replies.into_iter().enumerate() {
            let mut parts = reply.parts(7)?.skip(4);
            let visit = next(&mut parts)?.text()?;
            let _room = next(&mut parts)?;
            let expiry = next(&mut parts)?.text()?;
            let first = [visit, expiry].iter().filter_map(|at| at.parse().ok()).min();
            match first.map(Timestamp::from_micros) {
                Some(at) if at <= now => due.push((at, shard as u32)),
                Some(at) => event = event.min(at),
                None => {}
            }
        }
        due.sort_unstable();
        Ok((due, event))
    }

    /// Leases from those shards where something is to be done now, the longest due first.
    async fn lease_where_due(
        &self,
        hosts: usize,
        shards: u32,
    ) -> Result<(Vec<Lease>, Timestamp), FrontierError> {
        let (due, mut event) = self.due_shards().await?;
        let mut leases = Vec::new();
        for (_, shard) in due {
            if leases.len() >= hosts {
                break;
            }
            let (mut some, next) = self.lease_of(&[(shard, hosts - leases.len())], hosts, shards).await?;
            leases.append(&mut some);
            event = event.min(next);
        }
        Ok((leases, event))
    }

    /// Leases from these shards so many hosts each; one after the other where a budget has to be kept over all of them.
    async fn lease_of(
        &self,
        wanted: &[(u32, usize)],
        most: usize,
        shards: u32,
    ) -> Result<(Vec<Lease>, Timestamp), FrontierError> {
        let mut leases = Vec::new();
        let mut event = Timestamp::NEVER;
        let mut take = |answer: Answer| {
            leases.extend(answer.leases);
            event = event.min(answer.next);
        };
        if shards > 1 && self.leasing.budgets.load(Ordering::Relaxed) {
            let mut used = self.budgets_used().await?;
            for (shard, hosts) in wanted {
                let mut args = Args::new().number(*hosts);
                for (crawl, by_shard) in &used {
                    let elsewhere: u64 = by_shard
                        .iter()
                        .enumerate()
                        .filter(|(n, _)| *n != *shard as usize)
                        .map(|(_, used)| used)
                        .sum();
                    args = args.number(crawl.0).number(elsewhere);
                }
                for answer in self.ask_for_leases(vec![(*shard, args)]).await? {
                    for url in answer.leases.iter().flat_map(|lease| &lease.urls) {
                        if let Some(by_shard) = used.get_mut(&url.crawl) {
                            by_shard[*shard as usize] += 1;
                        }
                    }
                    take(answer);
                }
            }
        } else {
            let calls = wanted.iter().map(|(shard, hosts)| (*shard, Args::new().number(*hosts))).collect();
            self.ask_for_leases(calls).await?.into_iter().for_each(take);
        }
        debug_assert!(leases.len() <= most.max(1));
        Ok((leases, event))
    }

    /// What each crawl with a budget has used of it, shard by shard.
    async fn budgets_used(&self) -> Result<HashMap<CrawlId, Vec<u64>>, FrontierError> {
        let replies = self.link.everywhere(Script::Counts, Args::new).await?;
        let shards = replies.len();
        let mut used: HashMap<CrawlId, Vec<u64>> = HashMap::new();
        for (shard, reply) in replies.into_iter().enumerate() {
            let mut parts = reply.parts(7)?.skip(7);
            while let Some(crawl) = parts.next() {
                let crawl = CrawlId(crawl.number()?);
                let _budget = next(&mut parts)?;
                let (stored, flight) = (next(&mut parts)?.number()?, next(&mut parts)?.number()?);
                used.entry(crawl).or_insert_with(|| vec![0; shards])[shard] =
                    (stored + flight).max(0).cast_unsigned();
            }
        }
        Ok(used)
    }

    async fn ask_for_leases(&self, calls: Vec<(u32, Args)>) -> Result<Vec<Answer>, FrontierError> {
        let epoch = self.link.session().await?.mark.epoch;
        let mut answers = Vec::with_capacity(calls.len());
        let mut failed = None;
        let mut budgets = false;
        // What some shards granted is kept where others refuse.
        for result in self.link.each(Script::Lease, calls).await? {
            match result.map_err(Failure::into_error) {
                Ok(reply) => {
                    let (answer, has_budget) = read_answer(reply, epoch)?;
                    budgets |= has_budget;
                    answers.push(answer);
                }
                Err(why) => failed = Some(why),
            }
        }
        self.leasing.budgets.store(budgets, Ordering::Relaxed);
        match failed {
            Some(why) if answers.iter().all(|answer| answer.leases.is_empty()) => Err(why),
            _ => Ok(answers),
        }
    }

    async fn end(
        &self,
        host: &HostKey,
        token: Token,
        due: String,
        note: Option<Note>,
    ) -> Result<Handed, FrontierError> {
        let mark = self.link.session().await?.mark;
        let shard = shards::of_host(host, mark.shards);
        match shards::of_token(token, mark.epoch, mark.shards) {
            Some((of, number)) if of == shard => {
                let args = Args::new().add(host.as_str()).number(number).add(due);
                handed(self.link.one(Script::Release, shard, with_note(args, note)?).await?)
            }
            _ => Ok(Handed::Stale),
        }
    }
}

fn handed(reply: Reply) -> Result<Handed, FrontierError> {
    Ok(match reply.number()? {
        0 => Handed::Stale,
        2 => Handed::Last,
        _ => Handed::Accepted,
    })
}

fn pack(entry: &Entry) -> Result<(Vec<u8>, usize), FrontierError> {
    wire::pack_entry(entry)
        .map_err(|why| FrontierError::Unusable(format!("a report cannot be written: {why}")))
}

/// The note as the last arguments of a script: none is an empty text.
fn with_note(args: Args, note: Option<Note>) -> Result<Args, FrontierError> {
    let Some(note) = note else { return Ok(args.add("").add("0").add("-1").add("-1").add("0")) };
    let (crawl, [block, delay, strikes]) = (note.crawl, said_pace(&note.pace));
    let (payload, _) = pack(&Entry::Note(Box::new(note)))?;
    Ok(args.add(payload).number(crawl.0).add(block).add(delay).add(strikes))
}
