//! The seen-set: 64-bit fingerprints of URLs that have a row.

use crate::crawl::lease::CrawlId;
use crate::crawl::url::UrlKey;
use hashbrown::HashTable;

/// A filter in front of SQL: 9 bytes a URL at most 8/7 full, and bounded.
///
/// At the bound it takes no more: keys it does not hold are then looked up in SQL, which is slower and as right.
#[derive(Debug, Default)]
pub(super) struct SeenSet {
    fingerprints: HashTable<u64>,
    most: usize,
}

impl SeenSet {
    pub(super) fn new(most: usize) -> Self {
        Self { fingerprints: HashTable::new(), most }
    }

    pub(super) fn contains(&self, crawl: CrawlId, key: UrlKey) -> bool {
        let fingerprint = fingerprint(crawl, key);
        self.fingerprints.find(fingerprint, |held| *held == fingerprint).is_some()
    }

    pub(super) fn insert(&mut self, crawl: CrawlId, key: UrlKey) {
        let fingerprint = fingerprint(crawl, key);
        if self.fingerprints.len() >= self.most || self.contains(crawl, key) {
            return;
        }
        self.fingerprints.insert_unique(fingerprint, fingerprint, |held| *held);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.fingerprints.len()
    }
}

/// The keys are hashes already; crawls differ by a multiple of an odd constant.
fn fingerprint(crawl: CrawlId, key: UrlKey) -> u64 {
    key.fingerprint() ^ crawl.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seen_set_is_bounded_and_keeps_crawls_apart() {
        let mut seen = SeenSet::new(2);
        let [a, b, c] = ["a", "b", "c"].map(UrlKey::of);
        for key in [a, a, b, c] {
            seen.insert(CrawlId(1), key);
        }
        assert_eq!(seen.len(), 2);
        assert!(seen.contains(CrawlId(1), b) && !seen.contains(CrawlId(1), c));
        assert!(!seen.contains(CrawlId(2), a));
    }
}
