//! What is shown while a crawl runs: two header lines, then one live line or a line every ten seconds.

use super::figures::{bytes, clock, plural, span};
use super::meter::{Meter, Outlook, Pace};
use crate::clock::Clock;
use crate::crawl::time::Timestamp;
use crate::settings::ProgressMode;
use crate::telemetry::escape::{columns, visible};
use crate::telemetry::{Terminal, live};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often the live line changes.
const LIVE_EVERY: Duration = Duration::from_millis(200);
/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

const GAP: &str = "  ";

/// How far a crawl is: one snapshot, cheap to make, since it is asked for several times a second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// URLs that are finished, whatever became of them at a visit.
    pub done: u64,
    /// URLs that wait for their visit, retries included.
    pub queued: u64,
    /// Requests on their way.
    pub in_flight: u64,
    /// Bytes of bodies on the wire.
    pub bytes: u64,
    /// URLs of `queued` that are to be tried again.
    pub retrying: u64,
    /// URLs that failed for good.
    pub failed: u64,
    /// Hosts that asked us to wait.
    pub waiting_hosts: u64,
    /// Of these the one that is due first: how long still, and why, as in `429` or `robots 503`.
    pub next_host: Option<(Duration, String)>,
}

/// What the header lines say of a crawl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Seeds, or those of the crawl that is resumed.
    pub seeds: u64,
    /// [`crate::crawl::scope::Scope::as_words`].
    pub scope: String,
    /// Whether robots.txt is obeyed.
    pub robots: bool,
    /// The least gap between two requests to a host.
    pub delay: Duration,
    /// Most pages, if there is a limit.
    pub max_pages: Option<u64>,
    /// Where the crawl is kept.
    pub data: String,
    /// URLs that were known before: the crawl is resumed.
    pub resumed: Option<u64>,
}

impl Header {
    /// The lines, without line ends.
    pub fn lines(&self) -> [String; 2] {
        let seeds = self.resumed.map_or_else(
            || plural(self.seeds, "seed"),
            |known| format!("resumed with {}", plural(known, "URL")),
        );
        let robots = if self.robots { "robots on" } else { "ROBOTS IGNORED" };
        let pace = if self.delay.is_zero() {
            "no delay per host".to_owned()
        } else {
            let rate = 1.0 / self.delay.as_secs_f64();
            if rate >= 1.0 {
                format!("at most {} req/s per host", (rate * 10.0).round() / 10.0)
            } else {
                format!("one request per host every {}", span(self.delay))
            }
        };
        let pages = self
            .max_pages
            .map_or_else(|| "no page limit".to_owned(), |limit| format!("at most {}", plural(limit, "page")));
        let version = env!("CARGO_PKG_VERSION");
        let scope = visible(&self.scope);
        [
            format!("huntsman {version}  {seeds}, scope {scope}, {robots}, {pace}, {pages}"),
            format!("data  {}    Ctrl-C pauses, nothing is lost", visible(&self.data)),
        ]
    }
}

/// The live line: `00:01:12  284 done  311 queued  1 in flight  3.9/s  8.4 MB  ~1m20s left`. What does not fit into
/// `room` columns is left out from its end.
pub fn live_line(elapsed: Duration, progress: &Progress, pace: &Pace, room: usize) -> String {
    let mut parts = vec![
        clock(elapsed),
        format!("{} done", progress.done),
        format!("{} queued", progress.queued),
        format!("{} in flight", progress.in_flight),
        format!("{:.1}/s", pace.per_second),
        bytes(progress.bytes),
    ];
    if progress.failed > 0 {
        parts.push(format!("{} failed", progress.failed));
    }
    if progress.retrying > 0 {
        parts.push(format!("{} retrying", progress.retrying));
    }
    if progress.waiting_hosts > 0 {
        let next = progress.next_host.as_ref();
        let next =
            next.map_or_else(String::new, |(left, why)| format!(" {} ({})", span(*left), visible(why)));
        parts.push(format!("{} waiting{next}", plural(progress.waiting_hosts, "host")));
    }
    match pace.outlook {
        Outlook::Unknown => {}
        Outlook::Growing if progress.queued == 0 => {}
        Outlook::Growing => parts.push("growing".to_owned()),
        Outlook::Left(left) => parts.push(format!("~{} left", span(left.max(Duration::from_secs(1))))),
    }
    let mut line = String::new();
    for part in parts {
        if !line.is_empty() && columns(&line) + GAP.len() + columns(&part) > room {
            break;
        }
        line.push_str(if line.is_empty() { "" } else { GAP });
        line.push_str(&part);
    }
    line
}

/// The line for logs: `2026-11-23T14:31:00Z INFO progress done=284 queued=311 ...`.
pub fn plain_line(at: Timestamp, progress: &Progress, pace: &Pace) -> String {
    let at = at.to_string();
    format!(
        "{}Z INFO progress done={} queued={} inflight={} rate={:.1} bytes={} retrying={} waiting_hosts={} failed={}",
        at.get(..19).unwrap_or(&at),
        progress.done,
        progress.queued,
        progress.in_flight,
        pace.per_second,
        progress.bytes,
        progress.retrying,
        progress.waiting_hosts,
        progress.failed
    )
}

/// Progress on its way to the terminal. Ended by [`Shown::end`]; dropped, the line stops where it is.
#[derive(Debug)]
pub struct Shown {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
    bar: Option<ProgressBar>,
}

/// Shows the snapshots of `source` until [`Shown::end`]. `source` is called from a task of the runtime, at most five
/// times a second, and must not block.
pub fn show(
    mode: ProgressMode,
    terminal: &Terminal,
    clock: Clock,
    source: impl Fn() -> Progress + Send + 'static,
) -> Shown {
    let stop = CancellationToken::new();
    let live = match mode {
        ProgressMode::None => return Shown { stop, task: None, bar: None },
        ProgressMode::Auto => terminal.is_terminal(),
        ProgressMode::Bar => true,
        ProgressMode::Plain => false,
    };
    let bar = live.then(|| {
        let style = ProgressStyle::with_template("{msg}").expect("the template is constant");
        terminal.screen().add(ProgressBar::new_spinner().with_style(style))
    });
    let lines = Lines { terminal: terminal.clone(), clock, bar: bar.clone(), started: clock.now() };
    let task = tokio::spawn(lines.run(source, stop.clone()));
    Shown { stop, task: Some(task), bar }
}

impl Shown {
    /// Takes the live line away; a plain one is written once more.
    pub async fn end(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic in the source has been reported by the hook; the crawl's own end matters more.
            _ = task.await;
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

struct Lines {
    terminal: Terminal,
    clock: Clock,
    bar: Option<ProgressBar>,
    started: Timestamp,
}

impl Lines {
    async fn run(self, source: impl Fn() -> Progress + Send, stop: CancellationToken) {
        let mut meter = Meter::default();
        let every = if self.bar.is_some() { LIVE_EVERY } else { PLAIN_EVERY };
        meter.observe(self.started, &source());
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(every) => false,
            };
            let (now, progress) = (self.clock.now(), source());
            let pace = meter.observe(now, &progress);
            match &self.bar {
                Some(bar) => {
                    let room = live::room();
                    bar.set_message(live_line(now.since(self.started), &progress, &pace, room));
                }
                None => self.terminal.line(&plain_line(now, &progress, &pace)),
            }
            if stopped {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn progress() -> Progress {
        Progress {
            done: 284,
            queued: 311,
            in_flight: 1,
            bytes: 8_412_000,
            retrying: 2,
            failed: 0,
            waiting_hosts: 1,
            next_host: Some((Duration::from_secs(22), "429".to_owned())),
        }
    }

    #[test]
    fn the_live_line_reads_as_designed() {
        let pace = Pace { per_second: 3.94, outlook: Outlook::Left(Duration::from_secs(80)) };
        assert_eq!(
            live_line(Duration::from_secs(72), &progress(), &pace, 200),
            "00:01:12  284 done  311 queued  1 in flight  3.9/s  8.4 MB  2 retrying  \
             1 host waiting 22s (429)  ~1m20s left"
        );
        let growing = Pace { per_second: 0.0, outlook: Outlook::Growing };
        let line = live_line(Duration::ZERO, &Progress { queued: 1, ..Progress::default() }, &growing, 80);
        assert_eq!(line, "00:00:00  0 done  1 queued  0 in flight  0.0/s  0 B  growing");
        let narrow = |room| live_line(Duration::ZERO, &progress(), &pace, room);
        assert_eq!(narrow(40), "00:00:00  284 done  311 queued");
        assert_eq!(narrow(43), "00:00:00  284 done  311 queued  1 in flight");
        assert_eq!(narrow(0), "00:00:00");
    }

    #[test]
    fn the_plain_line_is_for_logs() {
        let pace = Pace { per_second: 3.94, outlook: Outlook::Unknown };
        assert_eq!(
            plain_line(Timestamp::from_millis(1_795_444_260_000), &progress(), &pace),
            "2026-11-23T14:31:00Z INFO progress done=284 queued=311 inflight=1 rate=3.9 bytes=8412000 retrying=2 \
             waiting_hosts=1 failed=0"
        );
    }

    #[test]
    fn the_header_says_what_is_about_to_happen() {
        let header = Header {
            seeds: 1,
            scope: "host docs.example.org".to_owned(),
            robots: true,
            delay: Duration::from_millis(250),
            max_pages: None,
            data: "crawls/docs.example.org.db".to_owned(),
            resumed: None,
        };
        let [first, second] = header.lines();
        assert!(first.ends_with(
            "1 seed, scope host docs.example.org, robots on, at most 4 req/s per host, no page limit"
        ));
        assert_eq!(second, "data  crawls/docs.example.org.db    Ctrl-C pauses, nothing is lost");
        let other = Header {
            robots: false,
            delay: Duration::from_secs(30),
            max_pages: Some(1_000),
            resumed: Some(5_000),
            ..header
        };
        assert!(other.lines()[0].ends_with(
            "resumed with 5,000 URLs, scope host docs.example.org, ROBOTS IGNORED, one request per host every 30s, at most 1,000 pages"
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn plain_progress_asks_every_ten_seconds_and_once_at_the_end() {
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let terminal = Terminal::stderr(crate::telemetry::Colours::Never);
        let shown = show(ProgressMode::Plain, &terminal, Clock::start_at(Timestamp::EPOCH), move || {
            counter.fetch_add(1, Ordering::Relaxed);
            Progress::default()
        });
        tokio::time::sleep(Duration::from_secs(35)).await;
        shown.end().await;
        assert_eq!(asked.load(Ordering::Relaxed), 5, "at the start, after 10, 20 and 30 seconds, at the end");
        show(ProgressMode::None, &terminal, Clock::start_at(Timestamp::EPOCH), Progress::default).end().await;
    }
}
