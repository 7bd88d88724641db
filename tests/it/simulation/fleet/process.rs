//! One process of the installation: it dies at a step, or is stopped for a while and wakes as if nothing had been.

use huntsman::clock::Clock;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::visit::{Failure, FailureClass, Visit};
use huntsman::fetch::{Fetch, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use super::super::web::Web;

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    /// No other process has it, a restarted one included.
    pub number: u32,
    clock: Clock,
    steps_left: AtomicI64,
    stopped_until: AtomicI64,
    /// Fires at its death.
    pub dead: CancellationToken,
    /// Fires where it is asked to end.
    pub asked_to_stop: CancellationToken,
}

impl Process {
    pub(super) fn new(number: u32, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            number,
            clock,
            steps_left: AtomicI64::new(i64::MAX),
            stopped_until: AtomicI64::new(0),
            dead: CancellationToken::new(),
            asked_to_stop: CancellationToken::new(),
        })
    }

    /// It dies after so many steps more.
    pub(super) fn dies_after(&self, steps: i64) {
        self.steps_left.store(steps, Ordering::Relaxed);
    }

    /// It does nothing until then.
    pub(super) fn stops_until(&self, until: Timestamp) {
        self.stopped_until.fetch_max(until.as_micros(), Ordering::Relaxed);
    }

    /// A step: returns unless the process dies here, and not while it is stopped.
    pub(super) async fn step(&self) {
        self.awake().await;
        if self.steps_left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.dead.cancel();
            std::future::pending::<()>().await;
        }
    }

    async fn awake(&self) {
        loop {
            let until = Timestamp::from_micros(self.stopped_until.load(Ordering::Relaxed));
            if until <= self.clock.now() {
                return;
            }
            self.clock.sleep_until(until).await;
        }
    }
}

/// How a process asks the web: the request leaves from a task of its own, as from a connection, and the process may stand still
/// before it has left. Between the last look at the fence and the request there is nothing.
#[derive(Debug)]
pub(super) struct Asking {
    pub process: Arc<Process>,
    pub web: Arc<Web>,
}

/// From the call to the moment when the request leaves: names, connections, the hop to the task that writes.
const ON_ITS_WAY_OUT: Duration = Duration::from_millis(100);

#[async_trait::async_trait]
impl Fetch for Asking {
    async fn get(&self, request: Request) -> Visit {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        let path = request.url.path().to_owned();
        let (process, web, leaving) = (Arc::clone(&self.process), Arc::clone(&self.web), request.clone());
        // It goes on whether or not anybody waits for it.
        let arrived = tokio::spawn(async move {
            moment(ON_ITS_WAY_OUT).await;
            process.awake().await;
            let may_leave = leaving.fence.as_ref().is_none_or(|fence| fence.lets_through());
            (may_leave && !process.dead.is_cancelled()).then(|| web.take(&leaving, process.number))
        });
        let Some(arrived) = arrived.await.expect("the web does not panic") else {
            let now = self.process.clock.now();
            let detail = "withheld".to_owned();
            let result = Err(Failure { class: FailureClass::Incomplete, detail });
            return Visit { started: now, first_byte: None, finished: now, result };
        };
        let visit = self.web.answer_to(&request, arrived).await;
        self.process.step().await;
        self.web.was_heard(self.process.number, &host, &path);
        visit
    }
}

/// A pause of the simulation.
pub(super) async fn moment(span: Duration) {
    tokio::time::sleep(span).await;
}
