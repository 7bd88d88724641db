//! When a URL is tried again, and when it is given up.

use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::crawl::visit::FailureClass;
use std::time::Duration;

/// How often a URL may be told to wait (429, 503 with Retry-After) in a row before an attempt counts.
pub const MAX_THROTTLED: u32 = 5;
/// Attempts after which a page on which our parser fails is given up, however many a crawl allows.
pub const MAX_UNREAD: u32 = 3;
/// Attempts that a failure can use at most, where it would otherwise be retried for ever.
pub const MAX_RETRIES: u32 = 20;

const FIRST: Duration = Duration::from_secs(2);
const FACTOR: u32 = 5;
const LONGEST: Duration = Duration::from_secs(600);

/// Whether a status says "perhaps later".
pub fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=524)
}

/// How often a failure is tried again where the crawl says `retries`. A name that does not exist is tried like the
/// rest, since resolvers flap; a certificate that is not valid once more, since deployments do; a forbidden address
/// stays forbidden.
pub fn retries_of(class: FailureClass, retries: u32) -> u32 {
    use FailureClass::{ForbiddenAddress, TlsExpired, TlsName, TlsUntrusted};
    match class {
        ForbiddenAddress => 0,
        TlsExpired | TlsName | TlsUntrusted => retries.min(1),
        _ => retries,
    }
}

/// The due time after attempt number `attempt` (1 for the first) failed at `now`, or `None` where `retries` are used
/// up. 2 s, 10 s, 50 s ..., spread by up to a quarter so that a thousand URLs that failed together do not come back
/// together; the spread is made of the key, so that a trace repeats.
pub fn next_attempt(key: UrlKey, attempt: u32, retries: u32, now: Timestamp) -> Option<Timestamp> {
    if attempt > retries.min(MAX_RETRIES) {
        return None;
    }
    let span = FIRST.saturating_mul(FACTOR.saturating_pow(attempt - 1)).min(LONGEST);
    let spread = u32::from(key.as_bytes()[15] ^ attempt as u8);
    Some(now + span + span / 4 * spread / 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_back_off_and_end() {
        let key = UrlKey::of("http://h/");
        let now = Timestamp::EPOCH;
        let spans: Vec<_> = (1..=3)
            .map(|attempt| next_attempt(key, attempt, 2, now).map(|due| due.since(now).as_secs()))
            .collect();
        assert!(matches!(spans[..], [Some(2), Some(10..=12), None]), "{spans:?}");
        assert!(next_attempt(key, MAX_RETRIES, 99, now).unwrap().since(now) <= LONGEST * 5 / 4);
        assert_eq!(next_attempt(key, MAX_RETRIES + 1, 99, now), None);
    }
}
