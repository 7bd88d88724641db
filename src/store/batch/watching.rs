//! What the rules against traps say to a batch, before any SQL.

use super::{Finding, ParkedRow, RowKey, Visited};
use crate::crawl::host::HostKey;
use crate::crawl::lease::CrawlId;
use crate::crawl::traps::{Guard, Held, Taken};
use crate::store::Committed;
use std::collections::HashSet;
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

/// Judges findings; `parked` is what they have waited for.
pub(in crate::store) fn judged<'a>(
    guard: &mut Guard,
    findings: Vec<Finding<'a>>,
    parked: &str,
) -> Judged<'a> {
    let mut judged =
        Judged { accepted: Vec::with_capacity(findings.len()), taken: Vec::new(), held: Vec::new() };
    for finding in findings {
        match guard.judge(finding.crawl, finding.found, finding.report, parked) {
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
