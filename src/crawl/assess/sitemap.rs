//! What a sitemap lists: judged like the outlinks of a page, and the sitemaps of an index by rules of their own.

use super::Rules;
use crate::crawl::host::{Authority, HostKey};
use crate::crawl::lease::{Origin, Queued, Token};
use crate::crawl::report::{Found, Outcome, Report, Skipped, reasons};
use crate::crawl::scope::{OutOfScope, Scope};
use crate::crawl::sitemap::{Listing, Lists, MAX_NESTING, MAX_SITEMAPS, NoSitemap, Sitemap};
use crate::crawl::url::{self, UrlKey, canonical};
use crate::crawl::visit::Visit;
use ::url::Url;
use hashbrown::HashSet;
use std::fmt::Write;
use std::sync::Arc;

/// Makes the report of a visit whose 2xx answer was read as a sitemap.
pub fn sitemap(
    url: Queued,
    token: Token,
    visit: &Visit,
    listing: Result<Listing, NoSitemap>,
    rules: &Rules<'_>,
) -> Report {
    let outcome = Outcome::Read { reason: None, detail: String::new() };
    let fetch = Some(super::fetched(visit));
    let mut report =
        Report { url, token, fetch, outcome, at: visit.finished, found: Vec::new(), skipped: Vec::new() };
    report.outcome = match listing {
        Ok(listing) => read(&mut report, &listing, rules),
        Err(why) => {
            let failed =
                Outcome::Failed { reason: reasons::NOT_A_SITEMAP.into(), detail: super::cut(&why.0) };
            quiet(&report.url, failed)
        }
    };
    report
}

/// What the answer to a URL means that nobody named: no sitemap there is no failure.
pub(super) fn quiet(url: &Queued, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Failed { reason, detail } if url.origin.sitemap == Some(Sitemap::Usual) => {
            Outcome::Read { reason: Some(reason), detail }
        }
        other => other,
    }
}

/// The sitemaps of an authority, to be found with a page of it that has `origin`: those that its robots.txt names, else
/// the usual path. One that is excluded or no URL is among the skipped.
pub fn sitemaps_of(
    authority: &Authority,
    named: &[String],
    origin: Origin,
    rules: &Rules<'_>,
) -> (Vec<Found>, Vec<Skipped>) {
    let robots = authority.robots_url();
    let mut judging = Judging::new(&robots);
    let usual = ["/sitemap.xml".to_owned()];
    let (texts, kind) = if named.is_empty() { (&usual[..], Sitemap::Usual) } else { (named, Sitemap::Named) };
    for text in texts {
        // robots.txt vouches for a sitemap wherever that stands; only what the operator excludes is left out.
        judging.entry(text, origin.sitemap(kind), |url| rules.scope.excludes(url).map_or(Ok(()), Err));
    }
    (judging.found, judging.skipped)
}

fn read(report: &mut Report, listing: &Listing, rules: &Rules<'_>) -> Outcome {
    let Ok(own) = Url::parse(&report.url.url) else {
        return Outcome::Failed {
            reason: reasons::NOT_A_SITEMAP.into(),
            detail: "its own URL does not parse".into(),
        };
    };
    let origin = report.url.origin;
    let mut judging = Judging::new(&own);
    judging.keys.insert(report.url.key);
    let listed = match listing.lists {
        Lists::Pages => {
            for text in &listing.urls {
                judging.entry(text, origin.listed(), |url| rules.scope.admits(url));
            }
            "URL"
        }
        Lists::Sitemaps => {
            judging.index(&listing.urls, origin, rules.scope);
            "sitemap"
        }
    };
    let Judging { found, skipped, .. } = judging;
    let mut detail = format!("{} {listed}s listed", listing.urls.len());
    if !skipped.is_empty() {
        write!(detail, ", {} skipped", skipped.len()).expect("a String takes any text");
    }
    if let Some(why) = &listing.cut {
        write!(detail, "; {why}").expect("a String takes any text");
    }
    (report.found, report.skipped) = (found, skipped);
    Outcome::Read { reason: None, detail: super::cut(&detail) }
}

struct Judging<'a> {
    base: &'a Url,
    keys: HashSet<UrlKey>,
    found: Vec<Found>,
    skipped: Vec<Skipped>,
    /// The host of the last URL that was found: most sitemaps list one host.
    host: HostKey,
}

impl<'a> Judging<'a> {
    fn new(base: &'a Url) -> Self {
        let host = HostKey::of(base);
        Self { base, keys: HashSet::new(), found: Vec::new(), skipped: Vec::new(), host }
    }

    /// The sitemaps of an index, as many and as deep as are read.
    fn index(&mut self, urls: &[String], origin: Origin, scope: &Scope) {
        // What was visited as a page and turned out to be an index stands where a named one does.
        let below = origin.sitemap.unwrap_or(Sitemap::Named).below();
        let too_many = format!("more than {MAX_SITEMAPS} sitemaps in one index");
        let too_deep = format!("more than {MAX_NESTING} indexes above it");
        let base = self.base;
        for text in urls {
            let limit = match below {
                None => Some(&too_deep),
                Some(_) => (self.found.len() >= MAX_SITEMAPS).then_some(&too_many),
            };
            let origin = origin.sitemap(below.unwrap_or(Sitemap::Named));
            self.entry(text, origin, |url| match limit {
                Some(detail) => Err(OutOfScope { reason: "sitemap-limit", detail }),
                None => scope.admits_sitemap(url, base),
            });
        }
    }

    /// One entry, found with `origin` or skipped for what `admits` says against it.
    fn entry<'o>(
        &mut self,
        text: &str,
        origin: Origin,
        admits: impl FnOnce(&Url) -> Result<(), OutOfScope<'o>>,
    ) {
        let target = match url::resolve(self.base, text) {
            Ok(target) => target,
            Err(why) => {
                let (key, text) = url::evidence(Some(self.base), text);
                return self.skip(key, text, why.reason(), &why.to_string());
            }
        };
        let key = UrlKey::of(&canonical(&target));
        if !self.keys.insert(key) {
            return;
        }
        if let Err(out) = admits(&target) {
            return self.skip(key, target.into(), out.reason, out.detail);
        }
        if !self.host.answers(&target) {
            self.host = HostKey::of(&target);
        }
        self.found.push(Found { key, url: target.into(), host: self.host.clone(), origin });
    }

    fn skip(&mut self, key: UrlKey, url: String, reason: &'static str, detail: &str) {
        let detail = match self.skipped.last() {
            Some(last) if &*last.detail == detail => Arc::clone(&last.detail),
            _ => Arc::from(detail),
        };
        self.skipped.push(Skipped { key, url, reason, detail, parked: None });
    }
}
