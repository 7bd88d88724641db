//! Storage's side: entries are read by a consumer of its own name, and what was found and committed is admitted.

use super::failure::Failure;
use super::link::Args;
use super::reading::{POLL, take};
use super::reply::said;
use super::scripts::Script;
use super::{RedisFrontier, shards, wire};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::Entry;
use crate::crawl::scope::ScopeKind;
use crate::crawl::url::UrlKey;
use crate::frontier::{Ack, EntryId, FrontierError, Reports};
use async_trait::async_trait;
use hashbrown::HashSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// URLs, or acknowledgements, in one script: it holds up the server for a few milliseconds at most.
const PER_SCRIPT: usize = 500;
/// Fingerprints known to be seen without asking: most links of a site stand on all of its pages.
const REMEMBERED: usize = 1 << 18;

#[async_trait]
impl Reports for RedisFrontier {
    async fn reports(&self, most: usize, linger: Duration) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        let mut batches = self.reading.batches.lock().await;
        self.reading.take_back(&mut batches).await;
        loop {
            if !batches.ready.is_empty() {
                let most = most.min(batches.ready.len());
                return Ok(batches.ready.drain(..most).collect());
            }
            let (link, reading) = (Arc::clone(&self.link), Arc::clone(&self.reading));
            let task = batches.task.get_or_insert_with(|| {
                tokio::spawn(async move { take(&link, &reading, most, linger).await })
            });
            let taken = task.await;
            batches.task = None;
            let (entries, wait) = match taken {
                Ok(taken) => taken?,
                Err(why) => {
                    return Err(FrontierError::Unavailable(format!("reading the stream failed: {why}")));
                }
            };
            batches.ready.extend(entries);
            if batches.ready.is_empty() {
                tokio::time::sleep(wait.clamp(Duration::from_millis(1), POLL)).await;
            }
        }
    }

    async fn taken(&self) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        let mut batches = self.reading.batches.lock().await;
        if let Some(task) = batches.task.take() {
            let (entries, _) = task.await.map_err(|why| FrontierError::Unavailable(why.to_string()))??;
            batches.ready.extend(entries);
        }
        Ok(batches.ready.drain(..).collect())
    }

    async fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, FrontierError> {
        self.reading.forfeit(self.ask_unseen(crawl, keys).await)
    }

    async fn admit(
        &self,
        urls: Vec<Queued>,
        crawl: CrawlId,
        seen: &[UrlKey],
    ) -> Result<usize, FrontierError> {
        self.reading.forfeit(self.admit_new(urls, crawl, seen).await)
    }

    async fn acknowledge(&self, acks: Vec<Ack>) -> Result<(), FrontierError> {
        self.reading.forfeit(self.settle(acks).await)
    }

    async fn open_scope(&self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> Result<(), FrontierError> {
        self.reading.forfeit(self.open_scope_of(crawl, seeds).await)
    }
}

impl RedisFrontier {
    async fn ask_unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, FrontierError> {
        let mark = self.link.session().await?.mark;
        self.reading.enter(mark.epoch);
        let prints: Vec<_> = keys.iter().map(|key| shards::fingerprint(crawl, *key, mark.shards)).collect();
        let mut unseen = vec![false; keys.len()];
        let mut asked: HashMap<u32, (Args, Vec<usize>)> = HashMap::new();
        {
            let held = self.reading.held();
            for (at, print) in prints.iter().enumerate().filter(|(_, print)| !held.seen.contains(*print)) {
                let (args, places) = asked.entry(print.0).or_default();
                args.push(print.1.to_string());
                places.push(at);
            }
        }
        if asked.is_empty() {
            return Ok(unseen);
        }
        let (calls, places): (Vec<_>, Vec<_>) =
            asked.into_iter().map(|(shard, (args, places))| ((shard, args), places)).unzip();
        let replies = self.link.all(Script::Unseen, calls).await?;
        let mut seen = Vec::new();
        for (reply, places) in replies.into_iter().zip(places) {
            for (digit, at) in reply.bytes()?.into_iter().zip(places) {
                unseen[at] = digit == b'1';
                if !unseen[at] {
                    seen.push(prints[at]);
                }
            }
        }
        self.remember(seen);
        Ok(unseen)
    }

    async fn admit_new(
        &self,
        urls: Vec<Queued>,
        crawl: CrawlId,
        seen: &[UrlKey],
    ) -> Result<usize, FrontierError> {
        let queued = self.queue("admit", true, urls).await?.0;
        let marked: HashSet<UrlKey> = seen.iter().copied().collect();
        let more = queued.iter().filter(|(of, key)| *of != crawl || !marked.contains(key));
        let prints = marked.iter().map(|key| (crawl, *key)).chain(more.copied()).collect();
        self.mark_seen(prints).await?;
        Ok(queued.len())
    }

    async fn settle(&self, acks: Vec<Ack>) -> Result<(), FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let mut calls: Vec<Vec<(u32, Args)>> = Vec::new();
        let mut filled: HashMap<u32, usize> = HashMap::new();
        let ids: Vec<EntryId> = acks.iter().map(|ack| ack.id).collect();
        for Ack { id, requeue, stored } in acks {
            let (shard, number) = shards::of_entry(id);
            if shard >= shards {
                continue;
            }
            // Where one script is full, the next round has another.
            let so_many = filled.entry(shard).or_default();
            let round = *so_many / PER_SCRIPT;
            *so_many += 1;
            while calls.len() <= round {
                calls.push(Vec::new());
            }
            let at = calls[round].iter().position(|(one, _)| *one == shard).unwrap_or_else(|| {
                calls[round].push((shard, Args::new()));
                calls[round].len() - 1
            });
            let args = &mut calls[round][at].1;
            args.push(number.to_string());
            args.push(if stored { "1" } else { "0" });
            args.push(if requeue.is_some() { "1" } else { "0" });
            if let Some(url) = requeue {
                push_url(args, &url);
            }
        }
        for round in calls {
            self.link.all(Script::Acknowledge, round).await?;
        }
        let mut held = self.reading.held();
        for id in ids {
            held.entries.remove(&id);
        }
        Ok(())
    }

    fn remember(&self, seen: Vec<(u32, i64)>) {
        let mut held = self.reading.held();
        if held.seen.len() + seen.len() > REMEMBERED {
            held.seen.clear();
        }
        held.seen.extend(seen);
    }

    /// Queues URLs, each in the shard of its host and in the order given; answers with those that were queued, and whether
    /// a refill was cut short.
    pub(super) async fn queue(
        &self,
        how: &str,
        complete: bool,
        urls: Vec<Queued>,
    ) -> Result<(Vec<(CrawlId, UrlKey)>, bool), FrontierError> {
        let shards = self.link.session().await?.mark.shards;
        let mut by_shard: HashMap<u32, Vec<Queued>> = HashMap::new();
        for url in urls {
            by_shard.entry(shards::of_host(&url.host, shards)).or_default().push(url);
        }
        let mut queued = Vec::new();
        let mut cut = false;
        while !by_shard.is_empty() && !cut {
            let mut calls = Vec::with_capacity(by_shard.len());
            let mut asked = Vec::with_capacity(by_shard.len());
            for (shard, urls) in &mut by_shard {
                let some: Vec<Queued> = urls.drain(..urls.len().min(PER_SCRIPT)).collect();
                let last = complete && urls.is_empty();
                calls.push((*shard, say_urls(how, last, &some)));
                asked.push((*shard, some));
            }
            by_shard.retain(|_, urls| !urls.is_empty());
            let results = self.link.each(Script::Admit, calls).await?;
            for (result, (shard, some)) in results.into_iter().zip(asked) {
                let digits = match result {
                    Ok(reply) => reply.bytes()?,
                    Err(Failure::Full) => {
                        self.refuse(shard, &some).await?;
                        cut = true;
                        continue;
                    }
                    Err(why) => return Err(why.into_error()),
                };
                cut |= digits.last() == Some(&b'x');
                let some = some.iter().zip(digits).filter(|(_, digit)| *digit == b'1');
                queued.extend(some.map(|(url, _)| (url.crawl, url.key)));
            }
            // Only a refill stops where it is cut short: an admission is refused URL by URL.
            cut &= how == "refill";
        }
        Ok((queued, cut))
    }

    /// Memory is full: the hosts are marked as cut short, so that the refill brings their URLs later.
    async fn refuse(&self, shard: u32, urls: &[Queued]) -> Result<(), FrontierError> {
        tracing::warn!(urls = urls.len(), "the index is full: these URLs stay in the store for now");
        self.link.one(Script::Refuse, shard, say_urls("refuse", false, urls)).await.map(drop)
    }

    /// Marks URLs as seen. Where memory is full they are not: the store decides then.
    pub(super) async fn mark_seen(&self, urls: Vec<(CrawlId, UrlKey)>) -> Result<(), FrontierError> {
        let mark = self.link.session().await?.mark;
        self.reading.enter(mark.epoch);
        let mut new: Vec<_> =
            urls.into_iter().map(|(crawl, key)| shards::fingerprint(crawl, key, mark.shards)).collect();
        {
            let held = self.reading.held();
            new.retain(|print| !held.seen.contains(print));
        }
        for some in new.chunks(PER_SCRIPT * mark.shards as usize) {
            let mut calls: HashMap<u32, Args> = HashMap::new();
            for (shard, print) in some {
                calls.entry(*shard).or_default().push(print.to_string());
            }
            for result in self.link.each(Script::Seen, calls.into_iter().collect()).await? {
                match result {
                    Ok(_) | Err(Failure::Full) => {}
                    Err(why) => return Err(why.into_error()),
                }
            }
        }
        Ok(())
    }
}

fn push_url(args: &mut Args, url: &Queued) {
    args.push(url.crawl.0.to_string());
    args.push(url.origin.priority.to_string());
    args.push(said(url.due));
    args.push(wire::pack_url(url));
}

/// Runs of URLs of one host, as the script of an admission reads them.
fn say_urls(how: &str, complete: bool, urls: &[Queued]) -> Args {
    let mut args = Args::new().add(how).add(if complete { "1" } else { "0" });
    for run in urls.chunk_by(|one, other| one.host == other.host) {
        let host = &run[0].host;
        args = args.add(host.as_str()).number(shards::kind(host)).number(run.len());
        for url in run {
            push_url(&mut args, url);
        }
    }
    args
}
