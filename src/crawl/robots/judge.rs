//! What an answer to `GET /robots.txt` means for the authority that was asked first.

use super::rules::Rules;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{FailureClass, Visit};
use std::time::Duration;
use url::Url;

/// Redirects of a robots.txt that are followed (RFC 9309 section 2.3.1.2).
pub const MAX_HOPS: u8 = 5;

/// Longest and shortest time that an answer is believed.
const FRESH: Duration = Duration::from_secs(24 * 3_600);
const FRESH_AT_LEAST: Duration = Duration::from_secs(600);

/// Longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// What it means for a site that its robots.txt is refused with 401 or 403.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Refused {
    /// As for every other 4xx, there is no file (RFC 9309 section 2.3.1.3): everything may be fetched.
    #[default]
    Allows,
    /// Who may not read the file may read nothing.
    Forbids,
}

/// What became of a request for robots.txt. The rules bind the authority that was asked first, also where the file
/// came from another one.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// There is no file: everything may be fetched.
    AllowAll {
        /// Why, in words: `status 404`.
        why: String,
    },
    /// The file.
    Rules(Rules),
    /// Nobody knows: nothing may be fetched until the file was asked for again.
    Unreachable {
        /// The span that the server asked for, at most 24 hours; `None` leaves it to [`unreachable_backoff`].
        retry_after: Option<Duration>,
        /// Why, in words: `status 503`, `connect: connection refused`.
        why: String,
    },
    /// Ask there next.
    Redirect(Url),
}

/// Judges the answer to a request for robots.txt at `asked`, reached over `hops` redirects.
///
/// 2xx is read, 3xx followed up to [`MAX_HOPS`] times, 4xx is no file, 401 and 403 are what `refused` says; 429, 5xx and every failure are unreachable. A
/// redirect that leads nowhere (no `Location`, one that is no http URL) is no file; one too many is unreachable,
/// since a loop says nothing about what the site wants.
pub fn judge(visit: &Visit, asked: &Url, hops: u8, token: &str, refused: Refused) -> Fetched {
    let answer = match &visit.result {
        Ok(answer) => answer,
        Err(failure) => {
            let why = format!("{}: {}", failure.class.as_str(), failure.detail);
            // The next request gets a connection of its own.
            let retry_after = (failure.class == FailureClass::Dropped).then_some(Duration::ZERO);
            return Fetched::Unreachable { retry_after, why };
        }
    };
    match answer.status {
        200..=299 if answer.truncated.is_some() => Fetched::Rules(Rules::parse_front(&answer.body, token)),
        200..=299 => Fetched::Rules(Rules::parse(&answer.body, token)),
        300..=399 => {
            let location = answer.location.as_deref().filter(|location| !location.trim().is_empty());
            match location.map(|location| crate::crawl::url::resolve(asked, location)) {
                None => Fetched::AllowAll { why: format!("status {} without a location", answer.status) },
                Some(Err(why)) => Fetched::AllowAll { why: format!("redirect to nowhere: {why}") },
                Some(Ok(_)) if hops >= MAX_HOPS => {
                    Fetched::Unreachable { retry_after: None, why: format!("more than {MAX_HOPS} redirects") }
                }
                Some(Ok(target)) => Fetched::Redirect(target),
            }
        }
        status @ (401 | 403) if refused == Refused::Forbids => {
            Fetched::Rules(Rules::closed(format!("it was refused with status {status}")))
        }
        status @ (400..=428 | 430..=499) => Fetched::AllowAll { why: format!("status {status}") },
        status => Fetched::Unreachable {
            retry_after: answer.retry_after.map(|span| span.min(MAX_RETRY_AFTER)),
            why: format!("status {status}"),
        },
    }
}

/// Until when the answer of `visit` may be believed: its `max-age`, but 10 minutes at least and 24 hours at most.
pub fn expires(visit: &Visit) -> Timestamp {
    let max_age = visit.result.as_ref().ok().and_then(|answer| answer.max_age);
    visit.finished
        + max_age.map_or(FRESH, |seconds| Duration::from_secs(seconds).clamp(FRESH_AT_LEAST, FRESH))
}

/// How long to wait before an unreachable robots.txt is asked for again, after `failures` in a row: 30 seconds,
/// doubled each time, at most an hour.
pub fn unreachable_backoff(failures: u32) -> Duration {
    const FIRST: u64 = 30;
    const LAST: u64 = 3_600;
    Duration::from_secs((FIRST << failures.saturating_sub(1).min(16)).min(LAST))
}
