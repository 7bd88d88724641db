//! From a visit to a report: what became of the URL, and which of its outlinks belong to the crawl.

mod outlinks;
mod sitemap;
mod withholding;

pub use sitemap::{sitemap, sitemaps_of};

pub use outlinks::{Outlink, unpack};
pub use withholding::{OnNoindex, OnSignal, Withholding};

use crate::crawl::host::HostKey;
use crate::crawl::lease::{Queued, Token};
use crate::crawl::page::Page;
use crate::crawl::politeness::is_throttle;
use crate::crawl::report::{Fetched, Found, Outcome, Report, Skipped, StoredPage, reasons};
use crate::crawl::retry;
use crate::crawl::robots::Signals;
use crate::crawl::scope::Scope;
use crate::crawl::time::Timestamp;
use crate::crawl::traps;
use crate::crawl::url::{self, UrlKey, canonical};
use crate::crawl::visit::{Answer, Failure, FailureClass, Limit, Remark, Remarks, Visit};
use ::url::Url;
use std::time::Duration;

/// Redirects in a row that are followed.
pub const MAX_HOPS: u8 = 10;
/// Bytes of `Content-Type`, `ETag`, `Last-Modified` and details that are kept.
const FIELD_BYTES: usize = 512;

/// Whether the outlinks of a page are kept as rows of `links`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepLinks {
    /// All, with anchor and rel.
    All,
    /// None; they are followed all the same.
    None,
}

/// The rules of a crawl that a report depends on.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Which outlinks belong to the crawl.
    pub scope: &'a Scope,
    /// Whether links are kept.
    pub links: KeepLinks,
    /// Attempts after the first.
    pub retries: u32,
    /// Our product token: what `X-Robots-Tag` says to others is not for us.
    pub robots_name: &'a str,
}

/// The report of an answer that our parser did not get through: tried again like what failed for now, since it may
/// have been the machine, and given up after [`retry::MAX_UNREAD`] attempts, with `why` and what the page was as evidence.
pub fn unread(url: Queued, token: Token, visit: &Visit, why: &Unread, rules: &Rules<'_>) -> Report {
    let (at, fetch) = (visit.finished, Some(fetched(visit)));
    let hash = visit.result.as_ref().map(|answer| blake3::hash(&answer.body).to_hex()).ok();
    let hash = hash.as_ref().map_or("", |hash| &hash[..32]);
    let detail = cut(&format!("{why}; the body has the hash {hash}; please report it with its URL"));
    let retries = rules.retries.min(retry::MAX_UNREAD - 1);
    let outcome = ended_or_retried(&url, why.reason().to_owned(), detail, retries, at);
    Report { url, token, fetch, outcome, at, found: Vec::new(), skipped: Vec::new() }
}

/// Why our parser brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It panicked, with these words.
    #[error("the parser failed on this page: {0}")]
    Panicked(String),
    /// It took longer than this.
    #[error("the parser took longer than {} s for this page", .0.as_secs_f64())]
    Overran(Duration),
}

impl Unread {
    fn reason(&self) -> &'static str {
        match self {
            Self::Panicked(_) => reasons::PARSE_PANIC,
            Self::Overran(_) => reasons::PARSE_OVERRUN,
        }
    }
}

/// Makes the report of a visit to `url`. `page` is what was parsed, for a 2xx answer with a document that we read.
pub fn assess(url: Queued, token: Token, mut visit: Visit, page: Page, rules: &Rules<'_>) -> Report {
    let fetch = Some(fetched(&visit));
    let at = visit.finished;
    let mut report = Report {
        token,
        fetch,
        outcome: Outcome::Failed { reason: String::new(), detail: String::new() },
        at,
        found: Vec::new(),
        skipped: Vec::new(),
        url,
    };
    report.outcome = match &mut visit.result {
        Err(failure) => failed(&report.url, failure, rules, at),
        Ok(answer) if (200..300).contains(&answer.status) && answer.status != 206 => {
            stored(&mut report, answer, page, rules)
        }
        Ok(answer) if matches!(answer.status, 301 | 302 | 303 | 307 | 308) => {
            redirected(&mut report, answer, rules)
        }
        Ok(answer) => refused(&report.url, answer, rules, at),
    };
    if visit.result.is_ok() {
        report.outcome = sitemap::quiet(&report.url, report.outcome);
    }
    report
}

/// The report of a URL that robots.txt forbids: no request was sent.
pub fn disallowed(url: Queued, token: Token, rule: String, at: Timestamp) -> Report {
    let outcome = Outcome::Disallowed { rule };
    Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() }
}

/// The report of a URL that is not asked for, as its owner wishes.
pub fn withheld(url: Queued, token: Token, outcome: Outcome, at: Timestamp) -> Report {
    Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() }
}

/// The report of a URL whose host did not even answer for its robots.txt: an attempt without a request.
pub fn unanswered(url: Queued, token: Token, failure: &Failure, rules: &Rules<'_>, at: Timestamp) -> Report {
    let outcome = failed(&url, failure, rules, at);
    Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() }
}

fn failed(url: &Queued, failure: &Failure, rules: &Rules<'_>, at: Timestamp) -> Outcome {
    let detail = cut(&failure.detail);
    if failure.class == FailureClass::Dropped && url.throttled + 1 < retry::MAX_THROTTLED {
        // It is asked again on a connection of its own; nothing is known against the URL or its host.
        let reason = failure.class.as_str().into();
        return Outcome::Retry { due: at, counts: false, reason, detail };
    }
    ended_or_retried(
        url,
        failure.class.as_str().into(),
        detail,
        retry::retries_of(failure.class, rules.retries),
        at,
    )
}

fn refused(url: &Queued, answer: &Answer, rules: &Rules<'_>, at: Timestamp) -> Outcome {
    let reason = reasons::of_status(answer.status);
    let detail = format!("the server answered {}", answer.status);
    if is_throttle(answer.status, answer.retry_after) && url.throttled + 1 < retry::MAX_THROTTLED {
        // The host is blocked, which is what makes the URL wait; it loses no attempt.
        return Outcome::Retry { due: at, counts: false, reason, detail };
    }
    let retries = if retry::is_transient(answer.status) { rules.retries } else { 0 };
    ended_or_retried(url, reason, detail, retries, at)
}

fn ended_or_retried(url: &Queued, reason: String, detail: String, retries: u32, at: Timestamp) -> Outcome {
    match retry::next_attempt(url.key, url.attempt, retries, at) {
        Some(due) => Outcome::Retry { due, counts: true, reason, detail },
        None => Outcome::Failed { reason, detail },
    }
}

fn redirected(report: &mut Report, answer: &Answer, rules: &Rules<'_>) -> Outcome {
    let fail = |reason: &str, detail: String| Outcome::Failed { reason: reason.into(), detail };
    let Some(location) = answer.location.as_deref().map(str::trim).filter(|location| !location.is_empty())
    else {
        return fail(reasons::REDIRECT_INVALID, format!("status {} without a Location", answer.status));
    };
    let own = Url::parse(&report.url.url);
    let is_tls = own.as_ref().is_ok_and(|own| own.scheme() == "https");
    let target = own.map_err(|why| url::Unfetchable::Invalid(why.to_string()));
    let target = match target.and_then(|base| url::resolve(&base, location)) {
        Ok(target) => target,
        Err(why) => return fail(reasons::REDIRECT_INVALID, format!("to {:?}: {why}", cut(location))),
    };
    remark(report, Remark::Downgrade, is_tls && target.scheme() == "http");
    let key = UrlKey::of(&canonical(&target));
    if key == report.url.key {
        let again = answer.sets_cookie && report.url.attempt == 1 && rules.retries > 0;
        let detail = "redirected to itself".to_owned();
        return if again {
            Outcome::Retry { due: report.at, counts: true, reason: "redirect-cookie".into(), detail }
        } else {
            fail(reasons::REDIRECT_LOOP, detail)
        };
    }
    let origin = report.url.origin.redirect();
    if origin.hops > MAX_HOPS {
        let detail = format!("more than {MAX_HOPS} redirects in a row");
        report.skipped.push(Skipped {
            key,
            url: target.into(),
            reason: "hops",
            detail: detail.as_str().into(),
            parked: None,
        });
        return fail(reasons::TOO_MANY_REDIRECTS, detail);
    }
    let to = target.as_str().to_owned();
    let admits = match origin.sitemap {
        None => rules.scope.admits(&target),
        Some(_) => {
            Url::parse(&report.url.url).map_or(Ok(()), |own| rules.scope.admits_sitemap(&target, &own))
        }
    };
    match admits {
        Err(out) if origin.seed.is_none() => {
            let (reason, detail) = (out.reason, out.detail.into());
            report.skipped.push(Skipped { key, url: target.into(), reason, detail, parked: None });
        }
        _ => {
            let host = HostKey::of(&target);
            let trap = if origin.is_moved_seed() { None } else { traps::trap(target.path(), origin) };
            let url = target.into();
            match trap {
                Some((rule, why)) => report.skipped.push(Skipped {
                    key,
                    url,
                    reason: rule.as_str(),
                    detail: rule.detail(&why, host.as_str()).into(),
                    parked: Some(origin),
                }),
                None => report.found.push(Found { key, url, host, origin }),
            }
        }
    }
    Outcome::Redirected { to }
}

fn stored(report: &mut Report, answer: &mut Answer, mut page: Page, rules: &Rules<'_>) -> Outcome {
    if let Some(tag) = &answer.robots_tag {
        page.robots.add_fields(tag, rules.robots_name);
    }
    remark(report, Remark::InvalidOctets, page.flags.decode_errors);
    remark(report, Remark::TitleCut, page.flags.title_cut);
    remark(report, Remark::SelectorsSkipped, page.selectors_skipped.is_some());
    let (links, inside) = outlinks::judge(report, &mut page, rules);
    let mut content_hash = [0; 16];
    content_hash.copy_from_slice(&blake3::hash(&answer.body).as_bytes()[..16]);
    if traps::is_sketched(&report.url) && page.sketch.is_none() {
        // A document without a text, or with little: only the very same is the same.
        page.sketch = content_hash.first_chunk().map(|start| u64::from_le_bytes(*start));
    }
    Outcome::Stored(Box::new(StoredPage {
        page,
        content_type: answer.content_type.take().map(|text| cut(&text)),
        robots_tag: answer.robots_tag.take().map(|text| cut(&text.replace('\n', ", "))),
        etag: answer.etag.take().map(|text| cut(&text)),
        last_modified: answer.last_modified.take().map(|text| cut(&text)),
        content_hash,
        links,
        inside,
        signals: Signals::default(),
        truncated: answer.truncated.map(|limit| match limit {
            Limit::Wire => "wire",
            Limit::Decoded => "decoded",
            Limit::Ratio => "ratio",
        }),
    }))
}

fn remark(report: &mut Report, remark: Remark, holds: bool) {
    if let Some(fetch) = &mut report.fetch {
        fetch.remarks.add(remark, holds);
    }
}

/// The request as `fetches` holds it.
pub fn fetched(visit: &Visit) -> Fetched {
    let (status, error, wire_bytes, body_bytes) = match &visit.result {
        Ok(answer) => (Some(answer.status), None, answer.wire_bytes, answer.body.len() as u64),
        Err(failure) => (None, Some(failure.class.as_str()), 0, 0),
    };
    Fetched {
        status,
        error,
        started: visit.started,
        first_byte: visit.first_byte.map(|at| at.since(visit.started)),
        total: visit.finished.since(visit.started),
        wire_bytes,
        body_bytes,
        remarks: visit.result.as_ref().map_or_else(|_| Remarks::default(), |answer| answer.remarks),
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(FIELD_BYTES)].to_owned()
}

#[cfg(test)]
mod tests;
