//! How fast a host may be asked.
//!
//! One due time a host: the first byte of its last answer (or the end of a visit without one) plus the crawl delay,
//! robots.txt included; and a block, where the host said so or stayed silent. Nothing here shortens what a host
//! asked for: a Crawl-delay counts however long it is, a Retry-After up to [`MAX_RETRY_AFTER`].
//!
//! The delay is only the least gap: a host is left alone at least as long as it took to answer, and twice as long with
//! each refusal or silence, which is forgiven slowly. Where there is no delay, on loopback or since the user said so, the
//! gap does not grow either.

use crate::crawl::lease::Pace;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Contact, FailureClass, Visit};
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
/// No gap grows beyond this by itself: a longer one was asked for.
pub const MAX_GROWN_GAP: Duration = Duration::from_secs(30);
/// One strike of a host is forgiven with an answer that comes so long after its block, or after the last one was.
pub const FORGIVING: Duration = Duration::from_secs(10);
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
        Signal::Fine => return eased(pace, visit.started),
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

/// The pace after a host has answered well: its block, over by then, stays as the point from which the next strike is
/// forgiven, as long as there is one.
fn eased(pace: Pace, at: Timestamp) -> Pace {
    let is_soon = pace.block_until.is_some_and(|until| at < until + FORGIVING);
    match pace.strikes {
        0 => Pace { block_until: None, ..pace },
        _ if is_soon => pace,
        1 => Pace { block_until: None, strikes: 0, ..pace },
        strikes => Pace { block_until: Some(at), strikes: strikes - 1, ..pace },
    }
}

/// The earliest next request to a host whose delay, its own and ours, is `delay`.
pub fn next_due(last: Contact, delay: Duration, pace: &Pace) -> Timestamp {
    let block = pace.block_until.unwrap_or(Timestamp::EPOCH);
    (last.at + gap(last.latency, delay, pace.strikes)).max(block)
}

fn gap(latency: Duration, delay: Duration, strikes: u32) -> Duration {
    if delay.is_zero() {
        return delay;
    }
    let grown = delay.saturating_mul(1 << strikes.min(16)).max(latency);
    delay.max(grown.min(MAX_GROWN_GAP))
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
            // Closed without a byte: it did not answer.
            FailureClass::Incomplete if visit.first_byte.is_none() => Signal::Silent,
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
    fn refusals_and_silences_double_the_block_and_answers_forgive_them_slowly() {
        let mut pace = Pace::default();
        let mut spans = Vec::new();
        for _ in 0..4 {
            let visit = later(&pace, answered(429, None));
            let started = visit.started;
            pace = after(pace, &visit);
            spans.push(pace.block_until.unwrap().since(started).as_secs());
        }
        assert_eq!(spans, [5, 10, 20, 40]);
        let answer = |at| Visit { started: at, first_byte: Some(at), finished: at, ..answered(200, None) };
        for left in [3, 2, 1, 0] {
            let before = pace.block_until.unwrap();
            assert_eq!(after(pace, &answer(before + FORGIVING / 2)), pace, "not so soon");
            pace = after(pace, &answer(before + FORGIVING));
            assert_eq!(pace.strikes, left);
        }
        assert_eq!(pace, Pace::default());
        pace = after(pace, &failed(FailureClass::Connect));
        assert_eq!(pace.block_until, Some(T + FIRST_SILENCE));
        assert_eq!(after(Pace::default(), &answered(503, None)), Pace::default());
        assert_eq!(backoff(FIRST_THROTTLE, 40), MAX_BACKOFF);
    }

    #[test]
    fn the_gap_grows_with_the_latency_and_with_strikes_between_the_delay_and_a_bound() {
        let due = |latency: u64, delay: u64, strikes| {
            let last = Contact { at: T, latency: Duration::from_millis(latency) };
            let pace = Pace { strikes, ..Pace::default() };
            next_due(last, Duration::from_millis(delay), &pace).since(T).as_millis()
        };
        assert_eq!([due(10, 250, 0), due(900, 250, 0), due(90_000, 250, 0)], [250, 900, 30_000]);
        assert_eq!([due(10, 250, 1), due(10, 250, 3), due(10, 250, 99)], [500, 2_000, 30_000]);
        assert_eq!(due(10, 400_000, 3), 400_000, "a delay that is longer is kept as it is");
        assert_eq!(due(900, 0, 3), 0, "where there is no delay, the gap does not grow");
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
