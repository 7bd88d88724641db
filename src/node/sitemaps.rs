//! Finding the sitemaps of an authority, with the first of its pages.
//!
//! They travel in the report of a page: the transaction that closes the page opens the sitemaps, so no authority has a
//! finished page and sitemaps that nobody knows of. An authority counts as announced only once such a report is in
//! the stream; a process that dies before the commit leaves the page open, and its next visit announces again.

use super::Job;
use super::robots::Named;
use crate::crawl::assess;
use crate::crawl::host::Authority;
use crate::crawl::report::{Outcome, Report};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// Authorities that are kept; one that is forgotten is announced again, and storage drops what it knows.
const KEPT: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Whether the sitemaps of the authorities visited are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sitemaps {
    /// They are found and read, so many decoded bytes of each at most.
    Read {
        /// The body limit of the crawl.
        max_bytes: usize,
    },
    /// They are not asked for.
    Skip,
}

/// The authorities whose sitemaps are in the stream or the store.
#[derive(Debug)]
pub(super) struct Announced(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    latest: LruCache<Authority, ()>,
    /// How often the stream was lost.
    losses: u64,
}

/// An announcement that travels in a report.
#[derive(Debug)]
pub(super) struct Announcement {
    authority: Authority,
    losses: u64,
}

impl Default for Announced {
    fn default() -> Self {
        Self(Mutex::new(Kept { latest: LruCache::new(KEPT), losses: 0 }))
    }
}

impl Announced {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be announced; `None` where the authority was.
    fn begin(&self, authority: Authority, is_again: bool) -> Option<Announcement> {
        let mut kept = self.kept();
        let is_known = kept.latest.get(&authority).is_some();
        (is_again || !is_known).then_some(Announcement { authority, losses: kept.losses })
    }

    /// Said when the report that carries it was handed off. One whose stream was lost meanwhile was announced in vain.
    pub(super) fn add(&self, announcement: Announcement) {
        let mut kept = self.kept();
        if announcement.losses == kept.losses {
            kept.latest.put(announcement.authority, ());
        }
    }

    /// Said when the stream was lost: nobody knows which reports were committed.
    pub(super) fn forget_all(&self) {
        let mut kept = self.kept();
        kept.latest.clear();
        kept.losses += 1;
    }

    /// Said when robots.txt was read anew: it may name others now.
    pub(super) fn forget(&self, authority: &Authority) {
        self.kept().latest.pop(authority);
    }
}

impl Job {
    /// Puts the sitemaps of the page's authority into its report, ahead of the outlinks, unless that was done before. The answer
    /// goes to [`Announced::add`] once the report is handed off.
    pub(super) fn announce(&self, page: &Url, report: &mut Report) -> Option<Announcement> {
        if self.settings.sitemaps == Sitemaps::Skip || !speaks_of_its_host(page, report) {
            return None;
        }
        let authority = Authority::of(page);
        // A report of this URL that came before may have been refused, with what it carried.
        let is_first = (report.url.visit, report.url.attempt, report.url.throttled) == (1, 1, 0);
        let announcement = self.announced.begin(authority.clone(), !is_first)?;
        let named = match self.sitemaps_named_by(&authority) {
            Named::Known(named) => named,
            // The next page asks for robots.txt again.
            Named::Unknown => return None,
        };
        let named = named.as_ref().map(|rules| rules.sitemaps()).unwrap_or_default();
        let origin = report.url.origin;
        let (mut found, skipped) =
            self.with_rules(|rules| assess::sitemaps_of(&authority, named, origin, rules));
        // The first of two entries of one URL counts: what is a sitemap is not visited as a page.
        found.append(&mut report.found);
        report.found = found;
        report.skipped.extend(skipped);
        Some(announcement)
    }
}

/// Whether a visit shows that its authority has pages of the crawl: an answer came, or robots.txt forbids the page; and it is no
/// mere pointer to another authority.
fn speaks_of_its_host(page: &Url, report: &Report) -> bool {
    if report.is_sitemap() {
        return false;
    }
    match &report.outcome {
        Outcome::Disallowed { .. } | Outcome::Withheld { .. } => true,
        Outcome::Redirected { to } => {
            Url::parse(to).is_ok_and(|to| Authority::of(&to) == Authority::of(page))
        }
        // A visit to come will end the page, and may find that it only points elsewhere.
        Outcome::Retry { .. } => false,
        _ => report.fetch.as_ref().is_some_and(|fetch| fetch.status.is_some()),
    }
}
