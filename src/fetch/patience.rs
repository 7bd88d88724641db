//! The time limits of one request, kept by a single timer.
//!
//! A timer per limit and per piece of a body costs more than reading a small page. This one is set for the head and
//! moved only when a wait could end sooner than it is set for; when it fires too early it is set again.

use super::{MIN_RATE, Timeouts};
use crate::clock::Clock;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::FailureClass;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

pub(super) struct Patience<'a> {
    timeouts: &'a Timeouts,
    clock: Clock,
    started: Timestamp,
    /// `started` as the timer counts.
    origin: Instant,
    sleep: Pin<&'a mut Sleep>,
}

/// The first time limit of a request that starts now: for its head.
pub(super) fn head_limit(timeouts: &Timeouts) -> Duration {
    timeouts.first_byte.min(timeouts.total)
}

impl<'a> Patience<'a> {
    /// Patience from `started`; `sleep` was made then, for [`head_limit`].
    pub(super) fn new(
        timeouts: &'a Timeouts,
        clock: Clock,
        started: Timestamp,
        sleep: Pin<&'a mut Sleep>,
    ) -> Self {
        let origin = sleep.deadline() - head_limit(timeouts);
        Self { timeouts, clock, started, origin, sleep }
    }

    /// Waits for the head of the answer, the connection included.
    pub(super) async fn head<T>(&mut self, head: impl Future<Output = T>) -> Result<T, FailureClass> {
        let mut head = pin!(head);
        let class = if self.timeouts.total < self.timeouts.first_byte {
            FailureClass::TotalTimeout
        } else {
            FailureClass::FirstByteTimeout
        };
        poll_fn(|context| {
            if let Poll::Ready(head) = head.as_mut().poll(context) {
                return Poll::Ready(Ok(head));
            }
            self.sleep.as_mut().poll(context).map(|()| Err(class))
        })
        .await
    }

    /// Waits for the next piece of a body of which `wire` octets came since `head`.
    pub(super) async fn piece<T>(
        &mut self,
        piece: impl Future<Output = T>,
        head: Timestamp,
        wire: u64,
    ) -> Result<T, FailureClass> {
        let mut piece = pin!(piece);
        let mut limit = None;
        poll_fn(|context| {
            if let Poll::Ready(piece) = piece.as_mut().poll(context) {
                return Poll::Ready(Ok(piece));
            }
            let (until, class) = *limit.get_or_insert_with(|| self.limit(head, wire));
            if self.sleep.deadline() > self.origin + until {
                self.sleep.as_mut().reset(self.origin + until);
            }
            loop {
                ready!(self.sleep.as_mut().poll(context));
                if self.sleep.deadline() >= self.origin + until {
                    return Poll::Ready(Err(class));
                }
                self.sleep.as_mut().reset(self.origin + until);
            }
        })
        .await
    }

    /// Until when the next piece is waited for, from the start, and what it means where none comes.
    fn limit(&self, head: Timestamp, wire: u64) -> (Duration, FailureClass) {
        let stall = self.elapsed() + self.timeouts.stall;
        let earned = Duration::from_millis(wire.saturating_mul(1_000) / MIN_RATE);
        let slow = head.since(self.started) + self.timeouts.slow.max(earned);
        if self.timeouts.total <= stall.min(slow) {
            (self.timeouts.total, FailureClass::TotalTimeout)
        } else if stall <= slow {
            (stall, FailureClass::StallTimeout)
        } else {
            (slow, FailureClass::TooSlow)
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().since(self.started)
    }
}
