//! The seen-set: 64-bit fingerprints of URLs that have a row.

use crate::crawl::lease::CrawlId;
use crate::crawl::url::UrlKey;
use hashbrown::HashTable;

/// Tables that the set is made of.
const TABLES: usize = 64;

/// A filter in front of SQL: 10 to 21 bytes a URL, 15 on average, and bounded.
///
/// At the bound it takes no more: keys it does not hold are then looked up in SQL, which is slower and as right.
///
/// A table that is full moves to one of twice its size. One large table would at that moment take three times the memory
/// it needs; these differ in size, so that they grow one after the other.
#[derive(Debug)]
pub(super) struct SeenSet {
    tables: [HashTable<u64>; TABLES],
    held: usize,
    most: usize,
}

impl SeenSet {
    pub(super) fn new(most: usize) -> Self {
        Self { tables: std::array::from_fn(|_| HashTable::new()), held: 0, most }
    }

    pub(super) fn contains(&self, crawl: CrawlId, key: UrlKey) -> bool {
        let fingerprint = fingerprint(crawl, key);
        self.tables[table(fingerprint)].find(fingerprint, |held| *held == fingerprint).is_some()
    }

    pub(super) fn insert(&mut self, crawl: CrawlId, key: UrlKey) {
        let fingerprint = fingerprint(crawl, key);
        if self.held >= self.most || self.contains(crawl, key) {
            return;
        }
        self.tables[table(fingerprint)].insert_unique(fingerprint, fingerprint, |held| *held);
        self.held += 1;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }
}

/// Which table holds it: each has a little more than the one before, the last twice as much as the first. Goes by bits that
/// a table does not look at before it is very large.
fn table(fingerprint: u64) -> usize {
    let part = f64::from((fingerprint >> 32) as u16) / f64::from(1_u32 << 16);
    ((1.0 + part).log2() * TABLES as f64) as usize
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

    #[test]
    fn its_tables_grow_one_after_the_other() {
        let mut seen = SeenSet::new(usize::MAX);
        let slots = |seen: &SeenSet| seen.tables.iter().map(HashTable::capacity).sum::<usize>();
        let (mut before, mut most_at_once) = (0, 0.0_f64);
        for number in 0..400_000_u64 {
            seen.insert(CrawlId(1), UrlKey::of(&number.to_string()));
            let now = slots(&seen);
            if number > 100_000 {
                most_at_once = most_at_once.max((now - before) as f64 / now as f64);
            }
            before = now;
        }
        assert_eq!(seen.len(), 400_000);
        assert!(most_at_once < 0.02, "{most_at_once}");
        assert!(before < 400_000 * 2, "{before} slots");
        assert!(seen.tables.iter().all(|table| (3_000..10_000).contains(&table.len())));
    }
}
