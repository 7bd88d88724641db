//! From an answer to a report: parsing, off the runtime where it may take long, and then the rules.

use super::{Job, Sitemaps};
use crate::crawl::assess;
use crate::crawl::lease::{CrawlId, Queued, Token};
use crate::crawl::page::Page;
use crate::crawl::report::{Outcome, Report};
use crate::crawl::sitemap::{Listing, MAX_BYTES, NoSitemap};
use crate::crawl::traps;
use crate::crawl::visit::{Answer, Visit};
use crate::parse::{self, Limits, Parser, Selectors, Want};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// A body longer than this is parsed on the blocking pool, so that leases are renewed meanwhile.
const INLINE_BYTES: usize = 256 * 1024;
/// Parsers kept for their buffers.
const PARSERS: usize = 16;

/// What is read from the pages of a crawl.
#[derive(Debug)]
pub struct Reading {
    /// The crawl whose pages these are.
    pub crawl: CrawlId,
    /// Whether the visible text is kept.
    pub text: bool,
    /// The user's selectors.
    pub selectors: Option<Arc<Selectors>>,
    /// Our product token: pages and header fields may speak to us by name.
    pub robots_name: Arc<str>,
    parsers: Arc<Mutex<Vec<Parser>>>,
}

impl Reading {
    /// Reads title, metadata, headings and outlinks, and what is asked for beside.
    pub fn new(crawl: CrawlId, text: bool, selectors: Option<Selectors>, robots_name: &str) -> Self {
        let selectors = selectors.map(Arc::new);
        Self { crawl, text, selectors, robots_name: robots_name.into(), parsers: Arc::default() }
    }

    /// Parses a body. A panic in a parser is an outcome of the page, not the end of the node.
    fn page(
        parsers: &Mutex<Vec<Parser>>,
        answer: &Answer,
        (text, sketch): (bool, bool),
        selectors: Option<&Selectors>,
        robots_name: &str,
    ) -> Option<Page> {
        let idle = parsers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut parser = idle.unwrap_or_else(|| Parser::new(Limits::default()));
        let want = Want { text, selectors, sketch, robots_name: Some(robots_name), ..Want::default() };
        let page = catch_unwind(AssertUnwindSafe(|| {
            let page = parser.parse(&answer.body, answer.content_type.as_deref(), &want);
            (page, parser)
        }));
        let (page, parser) = page.ok()?;
        let mut parsers = parsers.lock().unwrap_or_else(PoisonError::into_inner);
        if parsers.len() < PARSERS {
            parsers.push(parser);
        }
        Some(page)
    }
}

impl Job {
    /// Makes the report of a visit. A seed that was redirected widens the scope before its target can be admitted.
    pub(super) async fn read(&self, url: Queued, token: Token, visit: Visit) -> Report {
        let visit = match self.read_sitemap(&url, visit).await {
            (visit, Some(listing)) => return self.assess_sitemap(url, token, &visit, listing),
            (visit, None) => visit,
        };
        let (visit, page) = self.reading.parsed(visit, traps::is_sketched(&url)).await;
        let Some(page) = page else {
            let mut report = self.assess(url, token, visit, Page::default());
            report.outcome = Outcome::parse_panic();
            return report;
        };
        let report = self.assess(url, token, visit, page);
        for (url, kind) in report.opens() {
            self.open_scope(&url, kind);
        }
        report
    }

    fn assess(&self, url: Queued, token: Token, visit: Visit, page: Page) -> Report {
        self.with_rules(|rules| assess::assess(url, token, visit, page, rules))
    }

    fn assess_sitemap(
        &self,
        url: Queued,
        token: Token,
        visit: &Visit,
        listing: Result<Listing, NoSitemap>,
    ) -> Report {
        self.with_rules(|rules| assess::sitemap(url, token, visit, listing, rules))
    }

    /// Reads the answer as a sitemap where the URL is one, or its content says so; `None` where it is a page.
    async fn read_sitemap(
        &self,
        url: &Queued,
        mut visit: Visit,
    ) -> (Visit, Option<Result<Listing, NoSitemap>>) {
        let Ok(answer) = &mut visit.result else { return (visit, None) };
        let most = match self.settings.sitemaps {
            Sitemaps::Read { max_bytes } => max_bytes,
            Sitemaps::Skip => MAX_BYTES,
        };
        let is_sitemap = match url.origin.sitemap {
            // What a sitemap was moved to may be a page of the site, as where every unknown path leads home.
            Some(_) => url.origin.hops == 0 || !is_html(answer) || !self.is_in_scope(url),
            None => {
                self.settings.sitemaps != Sitemaps::Skip
                    && parse::is_sitemap(&answer.body, answer.content_type.as_deref())
            }
        };
        if !(200..300).contains(&answer.status) || answer.status == 206 || !is_sitemap {
            return (visit, None);
        }
        if answer.body.len() <= INLINE_BYTES && !parse::is_gzip(&answer.body) {
            let listing = listing(answer, most);
            return (visit, Some(listing));
        }
        let answer = std::mem::take(answer);
        let reading = tokio::task::spawn_blocking(move || {
            let listing = listing(&answer, most);
            (answer, listing)
        });
        match reading.await {
            Ok((answer, listing)) => {
                visit.result = Ok(answer);
                (visit, Some(listing))
            }
            // Only where the runtime goes down: nobody reads this report.
            Err(_) => (visit, Some(Err(NoSitemap("the process ends".into())))),
        }
    }

    fn is_in_scope(&self, url: &Queued) -> bool {
        Url::parse(&url.url).is_ok_and(|url| self.with_scope(|scope| scope.admits(&url).is_ok()))
    }
}

impl Reading {
    /// Parses the answer of a visit, where it is a document that we read, with a sketch where that is asked for; no page where
    /// the parser panicked.
    pub async fn parsed(&self, mut visit: Visit, sketch: bool) -> (Visit, Option<Page>) {
        let Ok(answer) = &mut visit.result else { return (visit, Some(Page::default())) };
        if !(200..300).contains(&answer.status) || !is_html(answer) {
            return (visit, Some(Page::default()));
        }
        let Reading { text, selectors, parsers, robots_name, .. } = self;
        if answer.body.len() <= INLINE_BYTES && selectors.is_none() {
            let page = Reading::page(parsers, answer, (*text, sketch), None, robots_name);
            return (visit, page);
        }
        let (text, selectors, parsers) = (*text, selectors.clone(), Arc::clone(parsers));
        let robots_name = Arc::clone(robots_name);
        let answer = std::mem::take(answer);
        let parsing = tokio::task::spawn_blocking(move || {
            let page = Reading::page(&parsers, &answer, (text, sketch), selectors.as_deref(), &robots_name);
            (answer, page)
        });
        match parsing.await {
            Ok((answer, page)) => {
                visit.result = Ok(answer);
                (visit, page)
            }
            // Only where the runtime goes down: nobody reads this report.
            Err(_) => (visit, None),
        }
    }
}

/// Reads a sitemap. A panic in a parser is an outcome of the document, not the end of the node.
fn listing(answer: &Answer, most: usize) -> Result<Listing, NoSitemap> {
    let read = || parse::sitemap(&answer.body, answer.content_type.as_deref(), most);
    let failed = |_| Err(NoSitemap("the parser failed on it; please report it with its URL".into()));
    let listing = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(failed)?;
    let cut = answer.truncated.map(|_| "the body was cut at a limit".to_owned());
    Ok(Listing { cut: listing.cut.or(cut), ..listing })
}

/// Whether the answer is a document whose outlinks we read: HTML by its type, or by its first byte where it has none.
fn is_html(answer: &Answer) -> bool {
    match answer.content_type.as_deref().map(|field| field.split(';').next().unwrap_or_default().trim()) {
        Some(media) if !media.is_empty() => {
            media.eq_ignore_ascii_case("text/html") || media.eq_ignore_ascii_case("application/xhtml+xml")
        }
        _ => answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<'),
    }
}
