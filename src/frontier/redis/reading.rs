//! How a storage process reads the streams: what is due in every shard, what a dead one left, and what was lost on the way.

use super::granted::unpack_held;
use super::link::{Args, Link};
use super::reply::{Reply, next};
use super::scripts::Script;
use super::{shards, wire};
use crate::crawl::host::HostKey;
use crate::crawl::report::{Entry, Outcome, Report};
use crate::crawl::time::Timestamp;
use crate::frontier::{EntryId, FrontierError, QUARANTINE};
use hashbrown::HashSet;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the stream is looked at while nothing is in it.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// Bytes of entries after which a batch is closed.
const BATCH_BYTES: usize = 8 << 20;

pub(super) type Taken = (Vec<(EntryId, Entry)>, Duration);

/// What a storage process remembers between its calls.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) batches: tokio::sync::Mutex<Batches>,
    held: Mutex<Held>,
}

/// What was read and not given out yet. A read runs as a task, so that nothing is lost where the caller goes away.
#[derive(Debug, Default)]
pub(super) struct Batches {
    pub(super) ready: VecDeque<(EntryId, Entry)>,
    pub(super) task: Option<JoinHandle<Result<Taken, FrontierError>>>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    /// Entries read and not acknowledged.
    pub(super) entries: HashSet<EntryId>,
    /// An answer was lost, perhaps with entries in it.
    recheck: bool,
    /// The caller heard of a failure, so that what it was given may never be acknowledged: it is given again.
    forfeit: bool,
    epoch: u32,
    pub(super) seen: HashSet<(u32, i64)>,
}

impl Reading {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a failure on; what the caller was given is given to it again.
    pub(super) fn forfeit<T>(&self, result: Result<T, FrontierError>) -> Result<T, FrontierError> {
        self.held().forfeit |= result.is_err();
        result
    }

    /// After a failure all that was read and not acknowledged is read anew: it stands among what is pending. What was
    /// acknowledged none the less is there no more, and what comes twice passes no gate twice.
    pub(super) async fn take_back(&self, batches: &mut Batches) {
        if !std::mem::take(&mut self.held().forfeit) {
            return;
        }
        if let Some(task) = batches.task.take() {
            // What it read is pending, too.
            _ = task.await;
        }
        batches.ready.clear();
        let mut held = self.held();
        held.entries.clear();
        held.recheck = true;
    }

    /// What is remembered holds for one epoch.
    pub(super) fn enter(&self, epoch: u32) {
        let mut held = self.held();
        if held.epoch != epoch {
            *held = Held { epoch, ..Held::default() };
        }
    }
}

/// Reads from every shard what is due; what was cut off with an answer is asked for again first.
pub(super) async fn take(
    link: &Arc<Link>,
    reading: &Reading,
    most: usize,
    linger: Duration,
) -> Result<Taken, FrontierError> {
    let mark = link.session().await?.mark;
    reading.enter(mark.epoch);
    let again = std::mem::take(&mut reading.held().recheck);
    let mut read = read_streams(link, reading, again, most, linger).await;
    if let Err(FrontierError::Unavailable(_)) = read {
        // The line was cut, perhaps with entries in it.
        read = read_streams(link, reading, true, most, linger).await;
    }
    reading.held().recheck |= read.is_err();
    let (read, wait) = read?;
    let mut entries = Vec::new();
    let mut strange = Vec::new();
    for (shard, entry) in read {
        let Some((id, fields)) = read_entry(shard, entry)? else { continue };
        if !reading.held().entries.insert(id) {
            continue;
        }
        match decode(fields, mark.epoch) {
            Ok(entry) => entries.push((id, entry)),
            Err(wire::Unreadable::Garbage(why)) => strange.push((id, why)),
            Err(why) => {
                let mut held = reading.held();
                held.entries.remove(&id);
                held.recheck = true;
                return Err(FrontierError::Unusable(format!("a report cannot be read: {why}")));
            }
        }
    }
    for (id, why) in strange {
        drop_strange(link, reading, id, &why).await?;
    }
    Ok((entries, wait))
}

/// What is due in every shard, each entry with its shard; and when more will be.
async fn read_streams(
    link: &Link,
    reading: &Reading,
    again: bool,
    most: usize,
    linger: Duration,
) -> Result<(Vec<(u32, Reply)>, Duration), FrontierError> {
    let session = link.session().await?;
    let shards = session.mark.shards;
    let name = &*link.settings.name;
    let each = most.div_ceil(shards as usize).max(most.min(64));
    // A stage that dies holds up what it had taken no longer than a node that dies.
    let claim_after = link.settings.claim_after.min(2 * session.mark.lease);
    let args = || {
        let args = Args::new().number(each).number(linger.as_micros()).add(name);
        args.number(claim_after.as_millis()).number(BATCH_BYTES / shards as usize)
    };
    let mut wait = POLL;
    let mut read = Vec::new();
    let mut asked = Vec::new();
    for (shard, reply) in (0..).zip(link.everywhere(Script::Take, args).await?) {
        let mut parts = reply.parts(2)?;
        if let Ok(micros) = u64::try_from(next(&mut parts)?.number()?) {
            wait = wait.min(Duration::from_micros(micros));
        }
        let count = next(&mut parts)?.count()?;
        read.extend(parts.map(|entry| (shard, entry)));
        if count > 0 {
            asked.push((shard, count, ">"));
        }
    }
    if again {
        // What was given before and lost on the way is among what this consumer has pending.
        let pending = most + reading.held().entries.len();
        asked.extend((0..shards).map(|shard| (shard, pending, "0")));
    }
    for (shard, reply) in link.read_streams(&session, name, &asked).await? {
        for stream in reply.list()? {
            let mut parts = stream.parts(2)?;
            let _name = next(&mut parts)?;
            read.extend(next(&mut parts)?.list()?.into_iter().map(|entry| (shard, entry)));
        }
    }
    Ok((read, wait))
}

/// An entry that nobody can read leaves the stream; its URL is open in the store and comes back by refill.
async fn drop_strange(link: &Link, reading: &Reading, id: EntryId, why: &str) -> Result<(), FrontierError> {
    let (shard, number) = shards::of_entry(id);
    tracing::error!(
        shard,
        entry = number,
        why,
        "an entry of the stream cannot be read and is dropped; its URL stays open"
    );
    let args = Args::new().number(number).add("0").add("0");
    link.one(Script::Acknowledge, shard, args).await?;
    reading.held().entries.remove(&id);
    Ok(())
}

/// The number and the fields of an entry; `None` where it was deleted meanwhile.
fn read_entry(shard: u32, reply: Reply) -> Result<Option<(EntryId, Vec<Reply>)>, FrontierError> {
    let mut parts = reply.parts(2)?;
    let id = next(&mut parts)?.text()?;
    let number = id.split('-').next().and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| FrontierError::Unavailable(format!("{id:?} is no entry of ours")))?;
    let fields = next(&mut parts)?.list()?;
    Ok((!fields.is_empty()).then(|| (shards::entry(shard, number), fields)))
}

fn decode(fields: Vec<Reply>, epoch: u32) -> Result<Entry, wire::Unreadable> {
    let garbage = || wire::Unreadable::Garbage("its fields are none of ours".into());
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        values.push(field.bytes().map_err(|_| garbage())?);
    }
    match &values[..] {
        [kind, payload] if **kind == *b"r" || **kind == *b"n" => wire::unpack_entry(payload),
        [kind, held, _, host, _, token, _, at] if **kind == *b"q" => {
            let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<i64>().ok();
            let host = HostKey::from_stored(std::str::from_utf8(host).map_err(|_| garbage())?);
            let url = unpack_held(held, &host).ok_or_else(garbage)?;
            let token = shards::token(epoch, number(token).ok_or_else(garbage)?);
            let at = Timestamp::from_micros(number(at).ok_or_else(garbage)?);
            let detail =
                format!("{QUARANTINE} nodes in a row did not survive or finish a visit of this URL alone");
            let outcome = Outcome::Failed { reason: "quarantined".into(), detail };
            let report =
                Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() };
            Ok(Entry::Report(Box::new(report)))
        }
        _ => Err(garbage()),
    }
}
