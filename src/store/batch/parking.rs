//! URLs that are parked, as rows, before any SQL.

use super::{Finding, Visited};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin};
use crate::crawl::report::{Found, Skipped};
use crate::crawl::url::UrlKey;
use hashbrown::HashSet;
use std::sync::Arc;
use url::Url;

/// A row of `skipped` that can be opened: a URL that is parked.
pub(in crate::store) struct ParkedRow<'a> {
    pub(in crate::store) crawl: CrawlId,
    pub(in crate::store) key: UrlKey,
    pub(in crate::store) url: &'a str,
    pub(in crate::store) host: HostKey,
    pub(in crate::store) origin: Origin,
    pub(in crate::store) reason: &'static str,
    pub(in crate::store) detail: Option<Arc<str>>,
    /// What it waits for; empty where the URL alone was looked at.
    pub(in crate::store) parked: Arc<str>,
    pub(in crate::store) on: Option<Arc<str>>,
    pub(in crate::store) at: &'a Arc<str>,
}

/// What the visits parked by themselves, each URL once a rule.
pub(in crate::store) fn parked_rows<'a>(reports: &[&'a Visited<'a>]) -> Vec<ParkedRow<'a>> {
    let mut known = HashSet::new();
    let mut rows = Vec::new();
    for visit in reports {
        let crawl = visit.report.url.crawl;
        for Skipped { key, url, reason, detail, parked } in &visit.report.skipped {
            let Some(origin) = *parked else { continue };
            let Some(host) = Url::parse(url).ok().map(|url| HostKey::of(&url)) else { continue };
            if known.insert((crawl, *key, *reason)) {
                let (detail, on) = (
                    Some(Arc::clone(detail)).filter(|detail| !detail.is_empty()),
                    Some(Arc::clone(&visit.url)),
                );
                let parked = Arc::from("");
                rows.push(ParkedRow {
                    crawl,
                    key: *key,
                    url,
                    host,
                    origin,
                    reason,
                    detail,
                    parked,
                    on,
                    at: &visit.at,
                });
            }
        }
    }
    rows
}

/// A parked URL that is to be opened.
pub(in crate::store) struct Unparked {
    /// The row of `skipped`.
    pub(in crate::store) id: i64,
    pub(in crate::store) crawl: CrawlId,
    pub(in crate::store) found: Found,
    pub(in crate::store) on: Option<Arc<str>>,
    /// What it has waited for.
    pub(in crate::store) parked: Arc<str>,
}

/// Parked URLs as findings of now, each URL once.
pub(in crate::store) fn unparked<'a>(rows: &'a [Unparked], at: &'a Arc<str>) -> Vec<Finding<'a>> {
    let mut known = HashSet::new();
    let new = rows.iter().filter(|row| known.insert((row.crawl, row.found.key)));
    let finding = |row: &'a Unparked| Finding {
        crawl: row.crawl,
        found: &row.found,
        on: row.on.clone(),
        at,
        entry: 0,
        report: None,
        parked: &row.parked,
    };
    new.map(finding).collect()
}
