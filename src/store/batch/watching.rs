//! What the rules against traps say to a batch, before any SQL.

use super::{Finding, ParkedRow, RowKey, Unparked, Visited};
use crate::crawl::host::HostKey;
use crate::crawl::lease::CrawlId;
use crate::crawl::traps::{Guard, Held, Room, Taken};
use crate::store::Committed;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// How often one batch looks whether there is room for what is parked: what was opened may have made none.
pub(in crate::store) const MOST_ROUNDS: usize = 8;

/// The hosts that the rules must know of.
pub(in crate::store) fn hosts<'a>(
    reports: &[&'a Visited<'a>],
    findings: &[Finding<'a>],
) -> Vec<(CrawlId, &'a HostKey)> {
    let of_reports = reports.iter().map(|visit| (visit.report.url.crawl, &visit.report.url.host));
    of_reports.chain(findings.iter().map(|finding| (finding.crawl, &finding.found.host))).collect()
}

/// Findings as the rules judge them.
pub(in crate::store) struct Judged<'a> {
    pub(in crate::store) accepted: Vec<Finding<'a>>,
    taken: Vec<Taken>,
    pub(in crate::store) held: Vec<(Finding<'a>, Held)>,
}

/// Judges findings.
pub(in crate::store) fn judged<'a>(guard: &mut Guard, findings: Vec<Finding<'a>>) -> Judged<'a> {
    let mut judged =
        Judged { accepted: Vec::with_capacity(findings.len()), taken: Vec::new(), held: Vec::new() };
    for finding in findings {
        match guard.judge(finding.crawl, finding.found, finding.report, finding.parked) {
            Ok(taken) => {
                judged.accepted.push(finding);
                judged.taken.push(taken);
            }
            Err(held) => judged.held.push((finding, held)),
        }
    }
    judged
}

impl Judged<'_> {
    /// Takes what was known already out of the count, and tells what the new ones are worth to the pages that led there.
    pub(in crate::store) fn settle(&self, guard: &mut Guard, new: &HashSet<RowKey>) {
        for (finding, taken) in self.accepted.iter().zip(&self.taken) {
            match finding.report {
                _ if !new.contains(&finding.row()) => guard.give_back(taken),
                Some(report) => guard.led_on(report, finding.found),
                None => {}
            }
        }
    }

    /// The keys of what is parked, to the entries that found it.
    pub(in crate::store) fn tell(&self, committed: &mut [Committed]) {
        for (finding, _) in &self.held {
            committed[finding.entry].parked.push(finding.found.key);
        }
    }

    /// Of what has waited, the rows that go: what is accepted, and what waits for something else from now on. What waits for
    /// the same as before stays where it is.
    pub(in crate::store) fn unparked(&self, waiting: &[Unparked]) -> Vec<i64> {
        let accepted: HashSet<RowKey> = self.accepted.iter().map(Finding::row).collect();
        let moved: HashSet<_> = self.moved().map(|(finding, _)| (finding.row(), finding.parked)).collect();
        let is_gone = |one: &&Unparked| {
            let row = (one.crawl, one.found.key);
            accepted.contains(&row) || moved.contains(&(row, &*one.parked))
        };
        waiting.iter().filter(is_gone).map(|one| one.id).collect()
    }

    /// What has waited and waits for something else from now on.
    pub(in crate::store) fn moved(&self) -> impl Iterator<Item = &(Finding<'_>, Held)> {
        self.held.iter().filter(|(finding, held)| &*held.parked != finding.parked)
    }
}

/// Says which of the rooms nothing waits for beyond what was found there.
pub(in crate::store) fn note_emptied(guard: &mut Guard, rooms: &[Room], waiting: &[Unparked]) {
    let mut found: HashMap<(CrawlId, &str), usize> = HashMap::new();
    for one in waiting {
        *found.entry((one.crawl, &*one.parked)).or_default() += 1;
    }
    for room in rooms {
        if found.get(&(room.crawl, &*room.parked)).is_none_or(|found| *found < room.most) {
            guard.emptied(room);
        }
    }
}

/// Rows of `skipped` for what is parked.
pub(in crate::store) fn held_rows<'r>(
    held: impl IntoIterator<Item = &'r (Finding<'r>, Held)>,
) -> Vec<ParkedRow<'r>> {
    let row = |(finding, held): &'r (Finding<'r>, Held)| ParkedRow {
        crawl: finding.crawl,
        key: finding.found.key,
        url: &finding.found.url,
        host: finding.found.host.clone(),
        origin: finding.found.origin,
        reason: held.rule.as_str(),
        detail: Some(held.detail.as_str().into()),
        parked: Arc::clone(&held.parked),
        on: finding.on.clone(),
        at: finding.at,
    };
    held.into_iter().map(row).collect()
}
