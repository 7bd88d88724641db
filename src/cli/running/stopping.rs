//! What stops a run before its end: a signal, or too many URLs that failed.

use super::super::exit::{ExitCode, Failure};
use crate::crawl::report::Outcome;
use crate::storage::{Event, Listener};
use crate::telemetry::Terminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// URLs that failed in this run, against `--max-errors`.
pub(super) struct Errors {
    pub(super) most: Option<u64>,
    pub(super) failed: Arc<AtomicU64>,
    pub(super) stop: CancellationToken,
}

impl Errors {
    /// Counts what fails before `listener` hears of it, and stops the run at the limit.
    pub(super) fn counted(&self, listener: Listener) -> Listener {
        let Some(most) = self.most else { return listener };
        let (failed, stop) = (Arc::clone(&self.failed), self.stop.clone());
        Arc::new(move |event: &Event<'_>| {
            if let Event::Visited { report, committed } = event
                && committed.effective
                && matches!(report.outcome, Outcome::Failed { .. })
                && failed.fetch_add(1, Ordering::Relaxed) + 1 >= most
            {
                stop.cancel();
            }
            listener(event);
        })
    }

    /// What to say where the limit was reached.
    pub(super) fn reached(&self) -> Option<String> {
        let (failed, most) = (self.failed.load(Ordering::Relaxed), self.most?);
        (failed >= most).then(|| errors_words(failed, most))
    }
}

pub(super) fn errors_words(failed: u64, most: u64) -> String {
    format!("{failed} URLs have failed, and --max-errors is {most}")
}

/// Signals as a wish to stop: the first pauses, the second ends the process at once.
pub(super) struct Stop {
    pub(super) token: CancellationToken,
    code: Arc<AtomicU8>,
}

impl Stop {
    pub(super) fn listen(terminal: &Terminal, quiet: bool, resume: String) -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let stop = Self { token: CancellationToken::new(), code: Arc::default() };
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (token, code, terminal) = (stop.token.clone(), Arc::clone(&stop.code), terminal.clone());
        tokio::spawn(async move {
            loop {
                let asked = tokio::select! {
                    _ = interrupt.recv() => ExitCode::Interrupted,
                    _ = terminate.recv() => ExitCode::Terminated,
                };
                if token.is_cancelled() {
                    terminal.end_live();
                    terminal.line(&format!("Stopped. Continue:  {resume}"));
                    std::process::exit(i32::from(asked as u8));
                }
                code.store(asked as u8, Ordering::Relaxed);
                if !quiet {
                    terminal.line(
                        "Pausing: letting the requests in flight finish (10 s at most; Ctrl-C again stops now; nothing is lost either way)",
                    );
                }
                token.cancel();
            }
        });
        Ok(stop)
    }

    /// Stops when `token` fires, too.
    pub(super) fn when(&self, token: CancellationToken) {
        let stop = self.token.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => stop.cancel(),
                () = stop.cancelled() => {}
            }
        });
    }

    /// The exit code that the signal asks for.
    pub(super) fn code(&self) -> Option<ExitCode> {
        let code = self.code.load(Ordering::Relaxed);
        [ExitCode::Interrupted, ExitCode::Terminated].into_iter().find(|known| *known as u8 == code)
    }
}
