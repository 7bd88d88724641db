//! The one door to the time of day.
//!
//! Wall time is read once, at the first call; from then on time moves with the runtime's monotonic clock. A wall
//! clock that is stepped while a crawl runs therefore moves no due time, and a paused runtime clock (the
//! simulation) moves every one.

use crate::crawl::time::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Reads the time; cheap to copy, so every role holds its own.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that starts at the wall time of now.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::start_at(Timestamp::EPOCH + wall)
    }

    /// A clock that starts at `wall`: for simulations that choose their time.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start_at(wall: Timestamp) -> Self {
        Self { started: Instant::now(), wall }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.wall + self.started.elapsed()
    }

    /// Waits until `due`, at once where that has passed. Never wakes before it.
    pub async fn sleep_until(&self, due: Timestamp) {
        let now = self.now();
        if due > now {
            // Far-off points would overflow the timer; nobody waits for a year.
            let span = due.since(now).min(Duration::from_secs(366 * 86_400));
            tokio::time::sleep(span).await;
        }
    }
}
