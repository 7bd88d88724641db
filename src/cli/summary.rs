//! What is said when a crawl ends: totals that add up, problems with a page that links there, the next commands.

use super::figures::{bytes, count, plural, span};
use super::problems::Problem;
use crate::crawl::time::Timestamp;
use crate::telemetry::Paint;
use crate::telemetry::escape::{fit, visible};
use serde::{Serialize, Serializer};
use std::fmt::Write;
use std::time::Duration;

/// The version of the summary's JSON: raised when a member changes its meaning or goes.
pub const SCHEMA: u32 = 1;

const SHOWN_PROBLEMS: usize = 10;
const SHOWN_SLOWDOWNS: usize = 5;
const LABEL: usize = 14;
const FIGURE: usize = 9;

/// The end of a crawl, or of the part of it that this process did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version of the program.
    pub version: String,
    /// Name of the crawl.
    pub crawl: String,
    /// Why it ended.
    pub ended: Ended,
    /// The command that goes on with it; in JSON it stands in `next`.
    #[serde(skip)]
    pub resume: String,
    /// The flag that leads a command to the store, with a space before it; empty where it needs none.
    #[serde(skip)]
    pub store_flag: String,
    /// When this process started on it.
    #[serde(serialize_with = "rfc3339")]
    pub started: Timestamp,
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub finished: Timestamp,
    /// What became of the URLs.
    pub found: Found,
    /// Stored pages.
    pub pages: Pages,
    /// Requests of this process.
    pub requests: Requests,
    /// Hosts that asked us to slow down, the longest wait first.
    pub slowdowns: Vec<Slowdown>,
    /// URLs that failed for good, by reason, the largest number first.
    pub failures: Vec<Reason>,
    /// What failed for good, the largest group first.
    pub problems: Vec<Problem>,
    /// Where the results are.
    pub data: Data,
    /// Commands to go on with.
    pub next: Vec<String>,
}

/// Why a crawl ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Ended {
    /// The frontier is empty.
    Finished,
    /// A limit that was asked for is reached.
    Limit {
        /// Which, in words: `1,000 pages`.
        limit: String,
    },
    /// All that is left waits for its hosts, longer than we stay.
    Waiting {
        /// URLs that wait.
        urls: u64,
        /// Hosts they belong to.
        hosts: u64,
        /// When the first of them is due.
        #[serde(serialize_with = "rfc3339")]
        until: Timestamp,
    },
    /// Interrupted; nothing is lost.
    Paused,
    /// Interrupted, while other processes of its installation go on with it.
    Left,
    /// Given up by an operator.
    Cancelled,
    /// Our own machinery failed; nothing is lost.
    Failed {
        /// How.
        why: String,
    },
}

/// What became of every URL that was found: `total` is the sum of the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Distinct canonical URLs.
    pub total: u64,
    /// Stored as pages.
    pub stored: u64,
    /// Answered with a redirect.
    pub redirects: u64,
    /// Failed for good, gone ones included.
    pub failed: u64,
    /// Read as sitemaps, which are no pages; one that was looked for in vain at the usual path counts here, too.
    pub sitemaps: u64,
    /// Not asked for, by reason.
    pub not_fetched: Vec<Reason>,
    /// In the frontier: queued or on their way.
    pub queued: u64,
    /// In the frontier, waiting for a host that asked for it.
    pub waiting: u64,
}

/// A reason not to fetch a URL, or to give it up, and how many URLs it was said of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// As `skipped.reason` or `dead_letters.reason` holds it.
    pub reason: String,
    /// URLs.
    pub count: u64,
}

/// Stored pages by what they were before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// Rows of `pages`.
    pub stored: u64,
    /// Not there before.
    pub new: u64,
    /// There with other content.
    pub changed: u64,
    /// There with the same content.
    pub unchanged: u64,
    /// Whose content is that of another URL.
    pub duplicate_content: u64,
}

/// Requests by what came back.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Requests {
    /// All of them, robots.txt included.
    pub total: u64,
    /// Bytes of bodies on the wire.
    pub bytes: u64,
    /// Half of the answers were complete within this, in milliseconds.
    pub median_ms: Option<f64>,
    /// 95 of 100 were.
    pub p95_ms: Option<f64>,
    /// By class, in the order shown: `2xx`, `3xx`, `404/410`, `429`, `4xx`, `5xx`, `no answer`, `robots`,
    /// `sitemaps`.
    pub classes: Vec<RequestClass>,
}

/// How many requests had one kind of answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestClass {
    /// Which kind.
    pub class: String,
    /// How many.
    pub count: u64,
    /// What is to be said of them: `retried`.
    pub note: Option<String>,
}

/// A host that asked us to slow down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slowdown {
    /// Which.
    pub host: String,
    /// What it answered: `429`, `503`, `crawl-delay`.
    pub reason: String,
    /// How often.
    pub times: u64,
    /// How long we waited for it in all, in milliseconds.
    pub waited_ms: u64,
    /// Until when it wants to be left alone, where that was not over at the end.
    #[serde(serialize_with = "rfc3339_or_null")]
    pub until: Option<Timestamp>,
}

/// Where the results are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Data {
    /// The path or address of the store.
    pub store: String,
    /// Its size, where it is a file.
    pub bytes: Option<u64>,
}

impl Found {
    /// URLs that were not asked for, all reasons together.
    pub fn not_fetched(&self) -> u64 {
        self.not_fetched.iter().map(|reason| reason.count).sum()
    }

    /// Whether every URL that was found is accounted for exactly once.
    pub fn reconciles(&self) -> bool {
        self.total == self.accounted()
    }

    fn accounted(&self) -> u64 {
        self.stored
            + self.redirects
            + self.failed
            + self.sitemaps
            + self.not_fetched()
            + self.queued
            + self.waiting
    }
}

impl Summary {
    /// Whether the totals add up: see [`Found::reconciles`].
    pub fn reconciles(&self) -> bool {
        self.found.reconciles()
    }

    /// The summary as one JSON document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a summary has only string keys and finite numbers")
    }

    /// The summary for people, ASCII but for what pages wrote.
    pub fn render(&self, paint: Paint) -> String {
        let mut out = format!("{}\n\n", paint.bold(&self.headline()));
        self.totals(&mut out, paint);
        self.requests(&mut out);
        self.slowdowns(&mut out, paint);
        self.problems(&mut out, paint);
        self.ways_on(&mut out);
        out
    }

    /// The command that asks the store.
    pub fn query(&self, sql: &str) -> String {
        format!("huntsman query \"{sql}\"{}", self.store_flag)
    }

    fn headline(&self) -> String {
        let took = span(self.finished.since(self.started));
        let resume = visible(&self.resume);
        match &self.ended {
            Ended::Finished => format!("Finished in {took}: the frontier is empty."),
            Ended::Limit { limit } => format!("Stopped after {took}: the limit of {limit} is reached."),
            Ended::Waiting { urls, hosts, until } => {
                let (urls, hosts) = (plural(*urls, "URL"), plural(*hosts, "host"));
                format!("Stopped after {took}: {urls} of {hosts} wait until {until}; go on with {resume}")
            }
            Ended::Paused => format!("Paused after {took}; nothing is lost. Continue: {resume}"),
            Ended::Left => format!(
                "This process has ended after {took}; nothing is lost, and the rest of the installation goes on with the crawl."
            ),
            Ended::Cancelled => {
                format!("Cancelled after {took}; what was stored stays. Take it up again: {resume}")
            }
            Ended::Failed { why } => {
                format!("Failed after {took}: {}. Nothing is lost; go on with {resume}", visible(why))
            }
        }
    }

    fn totals(&self, out: &mut String, paint: Paint) {
        let found = &self.found;
        let parts = [
            ("stored", Some(found.stored)),
            ("redirects", Some(found.redirects)),
            ("failed", Some(found.failed)),
            ("sitemaps", Some(found.sitemaps).filter(|sitemaps| *sitemaps > 0)),
            ("not fetched", Some(found.not_fetched())),
            ("queued", Some(found.queued).filter(|queued| *queued > 0)),
            ("waiting", Some(found.waiting).filter(|waiting| *waiting > 0)),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter_map(|(word, figure)| figure.map(|figure| format!("{word} {}", count(figure))))
            .collect();
        row(out, "URLs found", &count(found.total), &parts.join(", "));
        if !found.reconciles() {
            let warning =
                format!("the parts add up to {}, not to {}", count(found.accounted()), count(found.total));
            row(out, "", "", &paint.red(&warning));
        }
        let Pages { stored, new, changed, unchanged, duplicate_content } = &self.pages;
        let parts = [
            ("new", new),
            ("changed", changed),
            ("unchanged", unchanged),
            ("duplicate content", duplicate_content),
        ]
        .map(|(word, figure)| format!("{word} {}", count(*figure)));
        row(out, "Pages stored", &count(*stored), &parts.join(", "));
        if !found.not_fetched.is_empty() {
            let mut reasons: Vec<&Reason> = found.not_fetched.iter().collect();
            reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
            let parts: Vec<String> = reasons
                .iter()
                .map(|reason| format!("{} {}", visible(&reason.reason), count(reason.count)))
                .collect();
            row(out, "Not fetched", &count(found.not_fetched()), &parts.join(", "));
        }
    }

    fn requests(&self, out: &mut String) {
        let requests = &self.requests;
        let seconds = self.finished.since(self.started).as_secs_f64();
        let mut parts = Vec::new();
        if seconds >= 0.1 {
            parts.push(format!("{:.1}/s", requests.total as f64 / seconds));
        }
        parts.push(bytes(requests.bytes));
        parts.extend(requests.median_ms.map(|millis| format!("median {millis:.0} ms")));
        parts.extend(requests.p95_ms.map(|millis| format!("p95 {millis:.0} ms")));
        row(out, "Requests", &count(requests.total), &parts.join(", "));
        let classes = requests.classes.iter().filter(|class| class.count > 0);
        let classes: Vec<String> = classes
            .map(|class| {
                let note = class.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
                format!("{} {}{note}", class.class, count(class.count))
            })
            .collect();
        if !classes.is_empty() {
            row(out, "", "", &classes.join(", "));
        }
    }

    fn slowdowns(&self, out: &mut String, paint: Paint) {
        if self.slowdowns.is_empty() {
            return;
        }
        let mut figure = plural(self.slowdowns.len() as u64, "host");
        let mut label = "Slowdowns";
        for slow in self.slowdowns.iter().take(SHOWN_SLOWDOWNS) {
            let times =
                if slow.times == 1 { "once".to_owned() } else { format!("{} times", count(slow.times)) };
            let waited = span(Duration::from_millis(slow.waited_ms));
            let until = slow
                .until
                .map_or_else(String::new, |until| format!(", wants to be left alone until {until}"));
            let text = format!(
                "{} answered {} {times}; waited {waited} in all{until}",
                fit(&slow.host, 60),
                visible(&slow.reason)
            );
            row(out, label, &figure, &paint.yellow(&text));
            (label, figure) = ("", String::new());
        }
        if let Some(more @ 1..) = self.slowdowns.len().checked_sub(SHOWN_SLOWDOWNS) {
            row(out, "", "", &format!("and {more} more"));
        }
    }

    fn problems(&self, out: &mut String, paint: Paint) {
        let problems = &self.problems;
        if problems.is_empty() {
            return;
        }
        let one_host = problems.iter().all(|problem| problem.host == problems[0].host);
        let place = |problem: &Problem| {
            let path =
                if one_host { problem.path.clone() } else { format!("{}{}", problem.host, problem.path) };
            fit(&path, 48)
        };
        let shown = &problems[..problems.len().min(SHOWN_PROBLEMS)];
        let class_width = shown.iter().map(|problem| problem.class.len()).max().unwrap_or(0);
        let count_width = shown.iter().map(|problem| count(problem.count).len()).max().unwrap_or(0);
        let place_width = shown.iter().map(|problem| place(problem).chars().count()).max().unwrap_or(0);
        _ = writeln!(out, "\n  {}", paint.bold(&format!("Problems ({})", problems.len())));
        for problem in shown {
            let class = paint.red(&format!("{:<class_width$}", visible(&problem.class)));
            let (count, place) = (count(problem.count), place(problem));
            let line =
                format!("    {class}  {count:>count_width$}x  {place:<place_width$}  {}", evidence(problem));
            _ = writeln!(out, "{}", line.trim_end());
        }
        if problems.len() > shown.len() {
            let more = problems.len() - shown.len();
            let query = self.query("select * from dead_letters");
            _ = writeln!(out, "    and {more} more: {}", visible(&query));
        }
    }

    fn ways_on(&self, out: &mut String) {
        out.push('\n');
        let size = self.data.bytes.map_or_else(String::new, |size| format!("  ({})", bytes(size)));
        _ = writeln!(out, "  {:<LABEL$}{}{size}", "Data", visible(&self.data.store));
        for (at, command) in self.next.iter().enumerate() {
            _ = writeln!(out, "  {:<LABEL$}{}", if at == 0 { "Next" } else { "" }, visible(command));
        }
    }
}

/// `connection reset; linked from 9 pages, e.g. http://h/guide`.
fn evidence(problem: &Problem) -> String {
    let detail = problem.detail.as_ref().map(|detail| fit(detail, 60));
    let linked = problem.example.as_ref().map(|example| {
        let pages = plural(problem.referrers, "page");
        format!("linked from {pages}, e.g. {}", fit(example, 80))
    });
    [detail, linked].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn row(out: &mut String, label: &str, figure: &str, text: &str) {
    let line = format!("  {label:<LABEL$}{figure:>FIGURE$}  {text}");
    _ = writeln!(out, "{}", line.trim_end());
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[expect(clippy::ref_option, reason = "serde asks for a reference")]
fn rfc3339_or_null<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(serializer)
}

#[cfg(test)]
mod tests;
