//! How fast a crawl goes and how long it will take: smoothed over the last seconds.

use super::progress::Progress;
use crate::crawl::time::Timestamp;
use std::time::Duration;

/// The span that figures are smoothed over, in seconds.
const SMOOTHED_SECONDS: f64 = 10.0;
/// No forecast before this: the first pages say nothing.
const TOO_EARLY: Duration = Duration::from_secs(3);
/// A queue that shrinks by less than this a second does not shrink.
const STANDING: f64 = 0.02;

/// What can be said of the end of the crawl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outlook {
    /// Too early to say.
    Unknown,
    /// The queue does not shrink.
    Growing,
    /// It shrinks, and would be empty after this.
    Left(Duration),
}

/// The pace of a crawl.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Visits done a second.
    pub per_second: f64,
    /// When it may end.
    pub outlook: Outlook,
}

/// Turns snapshots into a pace.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    first: Option<Timestamp>,
    last: Option<(Timestamp, u64, u64)>,
    done: Smoothed,
    growth: Smoothed,
}

impl Meter {
    /// Takes the snapshot of `at` and says the pace.
    pub fn observe(&mut self, at: Timestamp, progress: &Progress) -> Pace {
        let first = *self.first.get_or_insert(at);
        let left = progress.queued + progress.in_flight;
        let (last, done_before, left_before) = *self.last.get_or_insert((at, progress.done, left));
        let seconds = at.since(last).as_secs_f64();
        if seconds > 0.0 {
            self.done.add(progress.done.saturating_sub(done_before) as f64, seconds);
            self.growth.add(left as f64 - left_before as f64, seconds);
            self.last = Some((at, progress.done, left));
        }
        let growth = self.growth.per_second();
        let outlook = if at.since(first) < TOO_EARLY {
            Outlook::Unknown
        } else if growth > -STANDING {
            Outlook::Growing
        } else {
            Outlook::Left(Duration::from_secs_f64((left as f64 / -growth).min(1e9)))
        };
        Pace { per_second: self.done.per_second(), outlook }
    }
}

/// An exponentially weighted mean that does not start at zero.
#[derive(Debug, Clone, Copy, Default)]
struct Smoothed {
    value: f64,
    weight: f64,
}

impl Smoothed {
    fn add(&mut self, amount: f64, seconds: f64) {
        let keep = (-seconds / SMOOTHED_SECONDS).exp();
        self.value = self.value * keep + amount / seconds * (1.0 - keep);
        self.weight = self.weight * keep + (1.0 - keep);
    }

    fn per_second(self) -> f64 {
        if self.weight > 0.0 { self.value / self.weight } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(meter: &mut Meter, second: i64, done: u64, queued: u64) -> Pace {
        let progress = Progress { done, queued, ..Progress::default() };
        meter.observe(Timestamp::from_millis(second * 1_000), &progress)
    }

    #[test]
    fn a_steady_crawl_shows_its_rate_and_its_end() {
        let mut meter = Meter::default();
        assert_eq!(observe(&mut meter, 0, 0, 1_000), Pace { per_second: 0.0, outlook: Outlook::Unknown });
        assert_eq!(observe(&mut meter, 1, 4, 996).outlook, Outlook::Unknown);
        for second in 2..100 {
            let pace = observe(&mut meter, second, second as u64 * 4, 1_000 - second as u64 * 4);
            assert!((pace.per_second - 4.0).abs() < 1e-9);
        }
        let Outlook::Left(left) = observe(&mut meter, 100, 400, 600).outlook else { panic!("shrinking") };
        assert!((left.as_secs_f64() - 150.0).abs() < 1.0, "{left:?}");
    }

    #[test]
    fn there_is_no_forecast_while_the_queue_grows_or_stands() {
        let mut meter = Meter::default();
        for second in 0..20 {
            let pace = observe(&mut meter, second, second as u64, second as u64 * 3);
            assert!(!matches!(pace.outlook, Outlook::Left(_)));
        }
        let mut meter = Meter::default();
        observe(&mut meter, 0, 5, 10);
        assert_eq!(observe(&mut meter, 10, 5, 10).outlook, Outlook::Growing);
    }

    #[test]
    fn a_burst_is_smoothed_away() {
        let mut meter = Meter::default();
        for second in 0..60 {
            observe(&mut meter, second, second as u64, 0);
        }
        let burst = observe(&mut meter, 60, 160, 0).per_second;
        assert!((5.0..20.0).contains(&burst), "{burst}");
        let mut last = burst;
        for second in 61..90 {
            let pace = observe(&mut meter, second, 160 + (second - 60) as u64, 0).per_second;
            assert!(pace < last);
            last = pace;
        }
        assert!(last < 2.0, "{last}");
    }
}
