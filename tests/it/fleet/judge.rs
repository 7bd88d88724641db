//! The judges: the request log of the web, and the database. What the crawler says of itself counts for nothing here.

use super::form::now;
use super::installation::Installation;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

/// One request as the web saw it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) at: Duration,
}

impl Request {
    pub(crate) fn is_page(&self) -> bool {
        self.path != "/robots.txt"
    }

    fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }
}

/// Requests of which the database knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    pub(crate) in_flight: usize,
    pub(crate) after_thaw: usize,
}

/// What is to be held against the truth at the end.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// Pages that the web has and the database has not.
    pub(crate) lost: Vec<String>,
    /// Pages that the database has and no crawl can find.
    pub(crate) unexpected: Vec<String>,
    pub(crate) rows: i64,
    pub(crate) distinct: i64,
    pub(crate) open: i64,
    /// Requests that came too early after the one before to the same host.
    pub(crate) impolite: Vec<String>,
    /// The least gap between two requests to a host.
    pub(crate) least_gap: Duration,
    /// Requests for pages.
    pub(crate) requests: usize,
    /// Those beyond the first of each URL and crawl.
    pub(crate) extra: usize,
}

impl Installation {
    /// The requests so far, in the order of their arrival.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let lines = std::fs::read_to_string(&self.web.log).unwrap_or_default();
        let whole = lines.rfind('\n').map_or("", |end| &lines[..end]);
        let mut requests: Vec<Request> = whole
            .lines()
            .map(|line| {
                let request: serde_json::Value = serde_json::from_str(line).unwrap();
                let text = |name: &str| request[name].as_str().unwrap().to_owned();
                let at = Duration::from_secs_f64(request["at"].as_f64().unwrap());
                Request { host: text("host"), path: text("path"), at }
            })
            .collect();
        requests.sort_by_key(|request| request.at);
        requests
    }

    /// This moment by the clock of the web, as near as its log tells: a few milliseconds while it is asked often.
    pub(crate) fn web_time(&self) -> Duration {
        let moment = now();
        let mut log = std::fs::File::open(&self.web.log).unwrap();
        let mut began = self.web.began.lock().unwrap();
        for _ in 0..40 {
            log.seek(SeekFrom::End(-400)).unwrap();
            let mut end = String::new();
            log.read_to_string(&mut end).unwrap();
            let read = now();
            let whole = end.rfind('\n').map_or("", |newline| &end[..newline]);
            if let Some(Ok(request)) = whole.lines().last().map(serde_json::from_str::<serde_json::Value>) {
                *began = (*began)
                    .min(read.checked_sub(Duration::from_secs_f64(request["at"].as_f64().unwrap())).unwrap());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        moment - *began
    }

    /// Requests for pages that no row of `fetches` tells of, after these stops of a node: on their way when it was stopped,
    /// or sent when it was let go on and had no lease any more.
    pub(crate) fn unrecorded(&self, stops: &[(Duration, Duration)], latency: Duration) -> Unrecorded {
        /// What the times of two clocks may be apart.
        const SLACK: Duration = Duration::from_millis(100);
        let mut asked: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
        for request in self.requests().into_iter().filter(Request::is_page) {
            asked.entry(request.url()).or_default().push(request.at);
        }
        for url in self.texts("SELECT url FROM fetches WHERE kind = 'page'") {
            if let Some(times) = asked.get_mut(&url) {
                // One of them is told of: the latest, but for those that came when a node had just been let go on.
                let is_late =
                    |at: &Duration| stops.iter().any(|(_, thaw)| *at >= *thaw && *at < *thaw + 5 * SLACK);
                let told = times.iter().rposition(|at| !is_late(at)).or(times.len().checked_sub(1));
                told.map(|told| times.remove(told));
            }
        }
        let mut seen = Unrecorded::default();
        for at in asked.into_values().flatten() {
            let was_on_its_way =
                stops.iter().any(|(stop, _)| at < *stop + SLACK && at + latency + 2 * SLACK > *stop);
            if was_on_its_way {
                seen.in_flight += 1;
            } else {
                seen.after_thaw += 1;
            }
        }
        seen
    }

    /// Holds what was stored against what there is, and the requests against the delay.
    pub(crate) fn judge(&self) -> Verdict {
        let requests = self.requests();
        let mut last: BTreeMap<&str, Duration> = BTreeMap::new();
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        let (mut impolite, mut least_gap) = (Vec::new(), Duration::MAX);
        for request in &requests {
            if let Some(before) = last.insert(&request.host, request.at) {
                let gap = request.at.saturating_sub(before);
                least_gap = least_gap.min(gap);
                if gap < self.plan.delay {
                    impolite.push(format!("{} at {:?} after {gap:?}", request.url(), request.at));
                }
            }
            if request.is_page() {
                *asked.entry(request.url()).or_default() += 1;
            }
        }
        let count = |query: &str| self.number(query).expect("the database answers");
        let crawls = count("SELECT count(*) FROM crawls") as usize;
        let stored: BTreeSet<String> = self.texts("SELECT DISTINCT url FROM pages").into_iter().collect();
        let pages = asked.values().sum();
        Verdict {
            lost: self.web.truth.difference(&stored).cloned().collect(),
            unexpected: stored.difference(&self.web.truth).cloned().collect(),
            rows: count("SELECT count(*) FROM pages"),
            distinct: count("SELECT count(*) FROM (SELECT DISTINCT crawl_id, url FROM pages) AS p"),
            open: count("SELECT count(*) FROM urls WHERE state = 'open'"),
            impolite,
            least_gap,
            requests: pages,
            // Each crawl may ask once.
            extra: asked.values().map(|times| times.saturating_sub(crawls)).sum(),
        }
    }

    /// Where hosts have no delay, only what was stored can be judged.
    pub(crate) fn assert_lost_nothing(&self) {
        let verdict = self.judge();
        assert_eq!(
            (verdict.lost.len(), verdict.unexpected.len(), verdict.open),
            (0, 0, 0),
            "{}",
            self.logs()
        );
        assert_eq!(verdict.rows, verdict.distinct, "stored twice");
    }

    /// Judges, and fails where something was lost, doubled, left open, or a host was asked too fast; or where more than
    /// `extra` requests were made again.
    pub(crate) fn assert_all_is_well(&self, extra: usize) -> Verdict {
        let verdict = self.judge();
        let logs = || self.logs();
        assert_eq!(verdict.lost, [""; 0], "lost: {}", logs());
        assert_eq!(verdict.unexpected, [""; 0], "nobody can have found these");
        assert_eq!(verdict.rows, verdict.distinct, "stored twice");
        assert_eq!(verdict.open, 0, "open at the end: {}", logs());
        assert_eq!(verdict.impolite, [""; 0], "asked too fast: {}", logs());
        assert!(
            verdict.extra <= extra,
            "{} extra fetches, {extra} allowed: {:#?} {}",
            verdict.extra,
            self.repeated(),
            logs()
        );
        verdict
    }

    /// The requests for pages that were asked for more than once, and what the store knows of them.
    fn repeated(&self) -> Vec<String> {
        let requests = self.requests();
        let mut asked: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
        for request in requests.iter().filter(|request| request.is_page()) {
            asked.entry(request.url()).or_default().push(request.at);
        }
        let known = |url: &str| {
            self.texts(&format!(
                "SELECT concat_ws(' ', token, visit, attempt, outcome, started_at, total_ms) FROM fetches \
                 WHERE url = '{url}' ORDER BY id"
            ))
        };
        let again = asked.into_iter().filter(|(_, times)| times.len() > 1);
        again.map(|(url, times)| format!("{url} {times:?}: {:?}", known(&url))).collect()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} of {} pages, {} twice, {} open, {} too early (least gap {} ms), {} extra of {} fetches",
            self.rows - self.unexpected.len() as i64,
            self.rows - self.unexpected.len() as i64 + self.lost.len() as i64,
            self.rows - self.distinct,
            self.open,
            self.impolite.len(),
            self.least_gap.as_millis(),
            self.extra,
            self.requests
        )
    }
}
