//! What is known of the robots.txt of each authority: the latest ones, within a bound.

use crate::crawl::host::Authority;
use crate::crawl::robots::Rules;
use crate::crawl::time::Timestamp;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// Authorities whose robots.txt is kept...
const CACHE: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
/// ... and the memory that their rules may take; the one that was looked at longest ago goes, and is asked for again.
const CACHE_BYTES: usize = 64 << 20;

/// What is known of an authority's robots.txt.
#[derive(Debug, Clone)]
pub(super) enum Known {
    Allowed {
        until: Timestamp,
    },
    Rules {
        rules: Arc<Rules>,
        until: Timestamp,
    },
    /// Nobody knows what the site wants: nothing is fetched before `retry_at`.
    Unreachable {
        retry_at: Timestamp,
        failures: u32,
    },
    /// Moved: to be asked for there.
    Pending {
        at: Url,
        hops: u8,
        since: Timestamp,
        failures: u32,
    },
}

impl Known {
    /// Whether this is what the site wants, a missing file included.
    fn is_answer(&self) -> bool {
        matches!(self, Self::Rules { .. } | Self::Allowed { .. })
    }

    /// The crawl delay that the file asks for.
    pub(super) fn delay(&self) -> Option<Duration> {
        if let Self::Rules { rules, .. } = self { rules.crawl_delay() } else { None }
    }

    fn bytes(&self) -> usize {
        if let Self::Rules { rules, .. } = self { rules.bytes() } else { 0 }
    }
}

/// The robots.txt of the authorities a node has asked, the latest ones.
#[derive(Debug)]
pub(in crate::node) struct RobotsCache(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    latest: LruCache<Authority, Known>,
    bytes: usize,
}

impl Default for RobotsCache {
    fn default() -> Self {
        Self(Mutex::new(Kept { latest: LruCache::new(CACHE), bytes: 0 }))
    }
}

impl RobotsCache {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, authority: &Authority) -> Option<Known> {
        self.kept().latest.get(authority).cloned()
    }

    pub(super) fn put(&self, authority: &Authority, known: Known) {
        let mut kept = self.kept();
        kept.bytes += known.bytes();
        // What it displaces: the same authority's, or the oldest.
        let displaced = kept.latest.push(authority.clone(), known);
        kept.bytes -= displaced.map_or(0, |(_, known)| known.bytes());
        while kept.bytes > CACHE_BYTES && kept.latest.len() > 1 {
            let oldest = kept.latest.pop_lru();
            kept.bytes -= oldest.map_or(0, |(_, known)| known.bytes());
        }
    }

    /// The crawl delay of a host once `known` is known of one of its authorities: the largest that any of them asks for. A delay
    /// is shortened only by the authority that asked for it, or where all others are known.
    pub(super) fn crawl_delay(
        &self,
        authority: &Authority,
        known: &Known,
        before: Option<Duration>,
    ) -> Option<Duration> {
        if !known.is_answer() {
            return before;
        }
        let kept = self.kept();
        let siblings = authority.siblings();
        let others: Vec<&Known> = siblings.iter().filter_map(|one| kept.latest.peek(one)).collect();
        let asked_before = kept.latest.peek(authority).and_then(Known::delay);
        let are_known = others.iter().any(|other| other.is_answer()) || asked_before == before;
        let doubtful = if are_known { None } else { before };
        others.into_iter().filter_map(Known::delay).chain(known.delay()).chain(doubtful).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    const SECOND: Duration = Duration::from_secs(1);

    fn authority(url: &str) -> Authority {
        Authority::of(&Url::parse(url).unwrap())
    }

    fn rules(text: &str) -> Known {
        let rules = Arc::new(Rules::parse(text.as_bytes(), "huntsman"));
        Known::Rules { rules, until: Timestamp::EPOCH }
    }

    #[test]
    fn the_largest_delay_of_a_hosts_authorities_counts() {
        let cache = RobotsCache::default();
        let (plain, secure) = (authority("http://h/"), authority("https://h/"));
        let three = rules("User-agent: *\nCrawl-delay: 3\n");
        let none = Known::Allowed { until: Timestamp::EPOCH };
        assert_eq!(cache.crawl_delay(&plain, &three, None), Some(SECOND * 3));
        cache.put(&plain, three.clone());
        assert_eq!(
            cache.crawl_delay(&secure, &none, Some(SECOND * 3)),
            Some(SECOND * 3),
            "the other one asked"
        );
        cache.put(&secure, none.clone());
        assert_eq!(
            cache.crawl_delay(&plain, &none, Some(SECOND * 3)),
            None,
            "both are known to ask for none"
        );
        let pending = Known::Unreachable { retry_at: Timestamp::EPOCH, failures: 1 };
        assert_eq!(
            cache.crawl_delay(&plain, &pending, Some(SECOND * 3)),
            Some(SECOND * 3),
            "no answer says nothing"
        );
    }

    #[test]
    fn a_delay_of_an_earlier_process_stays_until_who_asked_for_it_is_known() {
        let cache = RobotsCache::default();
        let plain = authority("http://h/");
        let one = rules("User-agent: *\nCrawl-delay: 1\n");
        assert_eq!(cache.crawl_delay(&plain, &one, Some(SECOND * 40)), Some(SECOND * 40));
        cache.put(&plain, rules("User-agent: *\nCrawl-delay: 40\n"));
        assert_eq!(cache.crawl_delay(&plain, &one, Some(SECOND * 40)), Some(SECOND), "it asks for less now");
    }

    #[test]
    fn the_cache_is_bounded_in_bytes() {
        let cache = RobotsCache::default();
        let mut text = String::from("User-agent: *\n");
        (0..20_000).for_each(|n| writeln!(text, "Disallow: /a/{n}").unwrap());
        let large = rules(&text);
        let each = large.bytes();
        assert!((1_000_000..6_000_000).contains(&each), "{each}");
        for n in 0..2 * CACHE_BYTES / each {
            cache.put(&authority(&format!("http://h{n}/")), large.clone());
            cache.put(&authority(&format!("http://h{n}/")), large.clone());
            let kept = cache.kept();
            assert!(kept.bytes <= CACHE_BYTES);
            assert_eq!(kept.bytes, kept.latest.len() * each);
        }
        assert!(cache.get(&authority("http://h0/")).is_none());
        assert_eq!(cache.kept().latest.len(), CACHE_BYTES / each);
    }
}
