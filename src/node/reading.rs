//! From an answer to a report: parsing, off the runtime where it may take long, and then the rules.

use super::Node;
use crate::crawl::assess::{self, Rules};
use crate::crawl::lease::{CrawlId, Queued, Token};
use crate::crawl::page::Page;
use crate::crawl::report::{Outcome, Report};
use crate::crawl::visit::{Answer, Visit};
use crate::parse::{Limits, Parser, Selectors, Want};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

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
    parsers: Arc<Mutex<Vec<Parser>>>,
}

impl Reading {
    /// Reads title, metadata, headings and outlinks, and what is asked for beside.
    pub fn new(crawl: CrawlId, text: bool, selectors: Option<Selectors>) -> Self {
        Self { crawl, text, selectors: selectors.map(Arc::new), parsers: Arc::default() }
    }

    /// Parses a body. A panic in a parser is an outcome of the page, not the end of the node.
    fn page(
        parsers: &Mutex<Vec<Parser>>,
        answer: &Answer,
        text: bool,
        selectors: Option<&Selectors>,
    ) -> Option<Page> {
        let idle = parsers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut parser = idle.unwrap_or_else(|| Parser::new(Limits::default()));
        let want = Want { text, selectors, ..Want::default() };
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

impl Node {
    /// Makes the report of a visit. A seed that was redirected widens the scope before its target can be admitted.
    pub(super) async fn read(&self, url: Queued, token: Token, visit: Visit) -> Report {
        let (visit, page) = self.reading.parsed(visit).await;
        let Some(page) = page else {
            let mut report = self.assess(url, token, visit, Page::default());
            report.outcome = Outcome::parse_panic();
            return report;
        };
        let report = self.assess(url, token, visit, page);
        for (url, kind) in report.opens() {
            self.scope.write().unwrap_or_else(PoisonError::into_inner).add_seed(&url, kind);
        }
        report
    }

    fn assess(&self, url: Queued, token: Token, visit: Visit, page: Page) -> Report {
        let scope = self.scope.read().unwrap_or_else(PoisonError::into_inner);
        let rules = Rules { scope: &scope, links: self.settings.links, retries: self.settings.retries };
        assess::assess(url, token, visit, page, &rules)
    }
}

impl Reading {
    /// Parses the answer of a visit, where it is a document that we read; no page where the parser panicked.
    pub async fn parsed(&self, mut visit: Visit) -> (Visit, Option<Page>) {
        let Ok(answer) = &mut visit.result else { return (visit, Some(Page::default())) };
        if !(200..300).contains(&answer.status) || !is_html(answer) {
            return (visit, Some(Page::default()));
        }
        let Reading { text, selectors, parsers, .. } = self;
        if answer.body.len() <= INLINE_BYTES && selectors.is_none() {
            let page = Reading::page(parsers, answer, *text, None);
            return (visit, page);
        }
        let (text, selectors, parsers) = (*text, selectors.clone(), Arc::clone(parsers));
        let answer = std::mem::take(answer);
        let parsing = tokio::task::spawn_blocking(move || {
            let page = Reading::page(&parsers, &answer, text, selectors.as_deref());
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

/// Whether the answer is a document whose outlinks we read: HTML by its type, or by its first byte where it has none.
fn is_html(answer: &Answer) -> bool {
    match answer.content_type.as_deref().map(|field| field.split(';').next().unwrap_or_default().trim()) {
        Some(media) if !media.is_empty() => {
            media.eq_ignore_ascii_case("text/html") || media.eq_ignore_ascii_case("application/xhtml+xml")
        }
        _ => answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<'),
    }
}
