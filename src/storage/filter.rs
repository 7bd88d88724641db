//! A filter in front of `skipped`: the same footer link stands on every page.

use crate::crawl::lease::CrawlId;
use crate::crawl::report::Skipped;
use crate::crawl::url::UrlKey;
use hashbrown::HashSet;

/// Fingerprints kept; at the bound the filter starts anew, and SQL refuses what is there already.
const MOST: usize = 1_000_000;

/// Which (crawl, URL, reason) were written by this process not long ago.
#[derive(Debug, Default)]
pub(super) struct SkippedFilter(HashSet<u64>);

impl SkippedFilter {
    /// Whether this is worth a row, as far as the filter knows.
    pub(super) fn is_new(&mut self, crawl: CrawlId, skipped: &Skipped) -> bool {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(fingerprint(crawl, skipped))
    }

    /// Notes that a URL is parked: found again, it is neither judged nor written again.
    pub(super) fn park(&mut self, crawl: CrawlId, key: UrlKey) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(of_key(crawl, key, PARKED));
    }

    /// Whether the URL was parked not long ago; it may be open since.
    pub(super) fn is_parked(&self, crawl: CrawlId, key: UrlKey) -> bool {
        self.0.contains(&of_key(crawl, key, PARKED))
    }

    /// Takes back that this was written.
    pub(super) fn forget(&mut self, crawl: CrawlId, skipped: &Skipped) {
        self.0.remove(&fingerprint(crawl, skipped));
    }
}

/// What stands for the rule of a parked URL, whichever it is.
const PARKED: &str = "parked";

fn fingerprint(crawl: CrawlId, skipped: &Skipped) -> u64 {
    of_key(crawl, skipped.key, skipped.reason)
}

fn of_key(crawl: CrawlId, key: UrlKey, reason: &str) -> u64 {
    let reason = reason.bytes().fold(crawl.0.cast_unsigned(), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    key.fingerprint() ^ reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_new_once_a_reason() {
        let mut filter = SkippedFilter::default();
        let skipped = |reason| Skipped {
            key: UrlKey::of("x"),
            url: "x".into(),
            reason,
            detail: "".into(),
            parked: None,
        };
        assert!(filter.is_new(CrawlId(1), &skipped("depth")));
        assert!(!filter.is_new(CrawlId(1), &skipped("depth")));
        assert!(filter.is_new(CrawlId(1), &skipped("scheme")));
        assert!(filter.is_new(CrawlId(2), &skipped("depth")));
    }
}
