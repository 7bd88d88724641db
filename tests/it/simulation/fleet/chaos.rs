//! What goes wrong, and when: drawn from the seed before anything runs.

use crate::rng::Rng;
use std::time::Duration;

/// A fault.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// The process in this place dies after so many steps.
    Kill { place: usize, steps: i64 },
    /// It does nothing for a while, and wakes.
    Stop { place: usize, span: Duration },
    /// It is asked to end, and does so in order.
    Ask { place: usize },
    /// The index forgets everything.
    Forget,
    /// The index is restarted; what it still has is worth nothing.
    Restart,
    /// The index is out of reach for all.
    IndexAway { span: Duration },
    /// It is for one process.
    CutOff { place: usize, span: Duration },
    /// The store is out of reach for all.
    StoreAway { span: Duration },
}

/// What the operator chose, and what befalls it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub schedulers: usize,
    pub storages: usize,
    pub nodes: usize,
    /// The delay of each crawl.
    pub delays: Vec<Duration>,
    pub per_host: usize,
    pub concurrency: usize,
    pub urls: usize,
    pub host_urls: usize,
    pub stream_entries: usize,
    /// Per mille of exchanges in which something is lost.
    pub noise: u64,
    /// Per mille of answers that take seconds.
    pub slow: u64,
    /// Each with the pause before it.
    pub faults: Vec<(Duration, Fault)>,
    /// The longest that a dead process stays away.
    pub away: u64,
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let delays = if rng.chance(30) {
            (0..2).map(|_| Duration::from_millis(rng.pick(&[0, 200, 1_000]))).collect()
        } else {
            vec![Duration::from_millis(rng.pick(&[0, 0, 200, 1_000]))]
        };
        let no_delay = delays.iter().all(Duration::is_zero);
        let mut plan = Self {
            schedulers: rng.range(1..3) as usize,
            storages: rng.range(1..3) as usize,
            nodes: rng.range(1..5) as usize,
            per_host: if no_delay && rng.chance(30) { 3 } else { 1 },
            delays,
            concurrency: rng.range(1..6) as usize,
            urls: rng.pick(&[8, 30, 1_000]),
            host_urls: rng.pick(&[3, 8, 500]),
            stream_entries: rng.pick(&[2, 6, 1_000]),
            noise: rng.pick(&[0, 0, 10, 50]),
            slow: rng.pick(&[0, 0, 50]),
            faults: Vec::new(),
            away: rng.pick(&[100, 3_000]),
        };
        let kinds: Vec<u64> = (0..8).filter(|_| rng.chance(50)).collect();
        if !kinds.is_empty() {
            for _ in 0..rng.range(0..7) {
                let pause = Duration::from_millis(rng.range(0..4_000));
                plan.faults.push((pause, plan.fault(kinds[rng.range(0..kinds.len() as u64) as usize], rng)));
            }
        }
        plan
    }

    pub(super) fn places(&self) -> usize {
        self.schedulers + self.storages + self.nodes
    }

    fn fault(&self, kind: u64, rng: &mut Rng) -> Fault {
        let place = rng.range(0..self.places() as u64) as usize;
        let span = Duration::from_millis(rng.pick(&[300, 1_500, 3_000, 9_000]) + rng.range(0..500));
        match kind {
            0 | 1 => Fault::Kill { place, steps: rng.range(0..60) as i64 },
            2 => Fault::Stop { place, span },
            3 => Fault::Ask { place },
            4 if rng.chance(70) => Fault::Forget,
            4 => Fault::Restart,
            5 => Fault::IndexAway { span },
            6 => Fault::CutOff { place, span },
            _ => Fault::StoreAway { span },
        }
    }
}
