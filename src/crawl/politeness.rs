//! How fast a host may be asked.
//!
//! One due time a host: the first byte of its last answer (or the end of a visit without one) plus the crawl delay,
//! robots.txt included; and a block, where the host said so or stayed silent. Nothing here shortens what a host
//! asked for: a Crawl-delay counts however long it is, a Retry-After up to [`MAX_RETRY_AFTER`].

use crate::crawl::lease::Pace;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{FailureClass, Visit};
use std::net::IpAddr;
use std::time::Duration;

/// The longest Retry-After that is kept; a host that names a longer one is asked again after this.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// The first block of a host that says 429 without a Retry-After; it doubles with each strike.
pub const FIRST_THROTTLE: Duration = Duration::from_secs(5);
/// The first block of a host that does not answer at all; it doubles with each strike.
pub const FIRST_SILENCE: Duration = Duration::from_secs(1);
/// No back-off of ours is longer.
pub const MAX_BACKOFF: Duration = Duration::from_secs(900);
/// The delay of a host that asks for none, where the user set none.
pub const DEFAULT_DELAY: Duration = Duration::from_millis(250);

/// The delay that the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// [`DEFAULT_DELAY`], and none for hosts on loopback.
    Auto,
    /// This one, for every host.
    Fixed(Duration),
}

impl Delay {
    /// The least gap between two requests to `host`: the larger of ours and the host's own.
    pub fn of(self, host: &str, pace: &Pace) -> Duration {
        self.ours(is_loopback(host)).max(pace.crawl_delay.unwrap_or_default())
    }

    /// The gap that we keep where the host asks for none.
    pub fn ours(self, on_loopback: bool) -> Duration {
        match self {
            Self::Fixed(delay) => delay,
            Self::Auto if on_loopback => Duration::ZERO,
            Self::Auto => DEFAULT_DELAY,
        }
    }
}

/// Whether a host, by its name or address, is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The pace of a host after `visit`. Where it differs from `pace` it has to be noted before the host's next request.
///
/// With several requests at a time, one that was sent before a block may be answered after it: it lengthens the block
/// at most, never ends it, and is no further strike.
#[must_use]
pub fn after(pace: Pace, visit: &Visit) -> Pace {
    let is_earlier = pace.block_until.is_some_and(|until| visit.started < until);
    let strikes = if is_earlier { pace.strikes.saturating_sub(1) } else { pace.strikes };
    let span = match signal(visit) {
        Signal::Fine if is_earlier => return pace,
        Signal::Fine => return Pace { block_until: None, strikes: 0, ..pace },
        Signal::Neutral => return pace,
        Signal::Throttled { retry_after } => {
            retry_after.map_or_else(|| backoff(FIRST_THROTTLE, strikes), |span| span.min(MAX_RETRY_AFTER))
        }
        Signal::Silent => backoff(FIRST_SILENCE, strikes),
    };
    let until = visit.finished + span;
    let until = pace.block_until.map_or(until, |before| before.max(until));
    Pace { block_until: Some(until), strikes: strikes.saturating_add(1), ..pace }
}

/// The earliest next request to the host after a request that counts from `paced_from`.
pub fn next_due(paced_from: Timestamp, delay: Duration, pace: &Pace) -> Timestamp {
    (paced_from + delay).max(pace.block_until.unwrap_or(Timestamp::EPOCH))
}

/// Whether the answer tells us to slow down rather than something about the URL.
pub fn is_throttle(status: u16, retry_after: Option<Duration>) -> bool {
    status == 429 || (status == 503 && retry_after.is_some())
}

enum Signal {
    Fine,
    Neutral,
    Throttled { retry_after: Option<Duration> },
    Silent,
}

fn signal(visit: &Visit) -> Signal {
    match &visit.result {
        Ok(answer) if is_throttle(answer.status, answer.retry_after) => {
            Signal::Throttled { retry_after: answer.retry_after }
        }
        Ok(answer) if answer.status >= 500 => Signal::Neutral,
        Ok(_) => Signal::Fine,
        Err(failure) => match failure.class {
            FailureClass::Connect
            | FailureClass::ConnectTimeout
            | FailureClass::FirstByteTimeout
            | FailureClass::Dns
            | FailureClass::NoSuchHost => Signal::Silent,
            _ => Signal::Neutral,
        },
    }
}

fn backoff(first: Duration, strikes: u32) -> Duration {
    first.saturating_mul(1 << strikes.min(16)).min(MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::visit::{Answer, Failure};

    const T: Timestamp = Timestamp::from_millis(1_000_000);

    fn answered(status: u16, retry_after: Option<u64>) -> Visit {
        let answer =
            Answer { status, retry_after: retry_after.map(Duration::from_secs), ..Answer::default() };
        Visit { started: T, first_byte: Some(T), finished: T, result: Ok(answer) }
    }

    fn failed(class: FailureClass) -> Visit {
        let failure = Failure { class, detail: String::new() };
        Visit { started: T, first_byte: None, finished: T, result: Err(failure) }
    }

    /// The same after the block of `pace`.
    fn later(pace: &Pace, visit: Visit) -> Visit {
        let at = pace.block_until.unwrap_or(T);
        Visit { started: at, first_byte: visit.first_byte.map(|_| at), finished: at, ..visit }
    }

    #[test]
    fn an_answer_to_a_request_from_before_a_block_does_not_end_or_double_it() {
        let blocked = after(Pace::default(), &answered(429, Some(20)));
        assert_eq!(after(blocked, &answered(200, None)), blocked);
        assert_eq!(after(blocked, &answered(429, Some(3))), blocked, "nor shorten it");
        assert_eq!(after(blocked, &answered(429, None)), blocked, "5 s end before the 20");
        let longer = after(blocked, &answered(429, Some(30)));
        assert_eq!((longer.block_until, longer.strikes), (Some(T + Duration::from_secs(30)), 1));
        let strikes = after(blocked, &later(&blocked, answered(429, None))).strikes;
        assert_eq!(strikes, 2, "one that was sent after it is a strike");
    }

    #[test]
    fn a_retry_after_blocks_the_host_and_is_never_shortened_below_a_day() {
        let pace = after(Pace::default(), &answered(429, Some(3_600)));
        assert_eq!(pace.block_until, Some(T + Duration::from_secs(3_600)));
        let pace = after(Pace::default(), &answered(503, Some(1_000_000)));
        assert_eq!(pace.block_until, Some(T + MAX_RETRY_AFTER));
    }

    #[test]
    fn refusals_and_silences_double_the_block_and_one_answer_ends_it() {
        let mut pace = Pace::default();
        let mut spans = Vec::new();
        for _ in 0..4 {
            let visit = later(&pace, answered(429, None));
            let started = visit.started;
            pace = after(pace, &visit);
            spans.push(pace.block_until.unwrap().since(started).as_secs());
        }
        assert_eq!(spans, [5, 10, 20, 40]);
        pace = after(pace, &later(&pace, answered(200, None)));
        assert_eq!(pace, Pace::default());
        pace = after(pace, &failed(FailureClass::Connect));
        assert_eq!(pace.block_until, Some(T + FIRST_SILENCE));
        assert_eq!(after(Pace::default(), &answered(503, None)), Pace::default());
        assert_eq!(backoff(FIRST_THROTTLE, 40), MAX_BACKOFF);
    }

    #[test]
    fn the_larger_delay_wins_and_loopback_has_none_of_ours() {
        let asked = Pace { crawl_delay: Some(Duration::from_secs(400)), ..Pace::default() };
        assert_eq!(Delay::Auto.of("example.org", &Pace::default()), DEFAULT_DELAY);
        assert_eq!(Delay::Auto.of("127.3.0.9", &Pace::default()), Duration::ZERO);
        assert_eq!(Delay::Auto.of("[::1]", &Pace::default()), Duration::ZERO);
        assert_eq!(Delay::Auto.of("127.0.0.1", &asked), Duration::from_secs(400));
        assert_eq!(
            Delay::Fixed(Duration::from_secs(1)).of("127.0.0.1", &Pace::default()),
            Duration::from_secs(1)
        );
    }
}
