//! What a shard grants, as a node reads it.

use super::reply::{self, Reply, next};
use super::{shards, wire};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Lease, Pace, Queued};
use crate::crawl::time::Timestamp;
use crate::frontier::FrontierError;
use std::time::Duration;

/// What one shard answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// When something is to be done next.
    pub(super) next: Timestamp,
    pub(super) leases: Vec<Lease>,
}

pub(super) fn read_answer(reply: Reply, epoch: u32) -> Result<(Answer, bool), FrontierError> {
    let mut parts = reply.parts(2)?;
    let event = next(&mut parts)?.point()?;
    let budgets = next(&mut parts)?.number()? > 0;
    let leases = parts.map(|lease| read_lease(lease, epoch)).collect::<Result<_, _>>()?;
    Ok((Answer { next: event, leases }, budgets))
}

fn read_lease(reply: Reply, epoch: u32) -> Result<Lease, FrontierError> {
    let mut parts = reply.parts(9)?;
    let host = next(&mut parts)?.host()?;
    let token = shards::token(epoch, next(&mut parts)?.number()?);
    let until = next(&mut parts)?.point()?;
    let pace: Pace = reply::pace(&mut parts)?;
    let delay = Duration::from_micros(next(&mut parts)?.count()? as u64);
    let mut urls = Vec::new();
    for held in next(&mut parts)?.list()? {
        let url = unpack_held(&held.bytes()?, &host);
        urls.push(
            url.ok_or_else(|| FrontierError::Unavailable(format!("a queued URL of {host} cannot be read")))?,
        );
    }
    let mut versions = next(&mut parts)?.list()?.into_iter();
    let mut rules = Vec::with_capacity(1);
    while let Some(crawl) = versions.next() {
        rules.push((CrawlId(crawl.number()?), next(&mut versions)?.count()? as u64));
    }
    Ok(Lease { host, token, until, pace, delay, urls, rules })
}

/// A URL as it stands in a lease: crawl, priority, place, and the packed URL.
pub(super) fn unpack_held(held: &[u8], host: &HostKey) -> Option<Queued> {
    let (crawl, rest) = held.split_first_chunk::<8>()?;
    let (priority, rest) = rest.split_first()?;
    let (_place, body) = rest.split_at_checked(4)?;
    wire::unpack_url(body, CrawlId(f64::from_le_bytes(*crawl) as i64), host, *priority)
}
