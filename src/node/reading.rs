//! From an answer to a report: parsing, off the runtime where it may take long, and then the rules.

use super::parsing::{ParsePool, guarded};
use super::{Job, Sitemaps};
use crate::crawl::assess::{self, Unread};
use crate::crawl::lease::{CrawlId, Queued, Token};
use crate::crawl::page::Page;
use crate::crawl::report::Report;
use crate::crawl::sitemap::{Listing, MAX_BYTES, NoSitemap};
use crate::crawl::traps;
use crate::crawl::visit::{Answer, Remark, Visit};
use crate::parse::{self, Kind, Limits, Parser, Selectors, Want};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// A body longer than this is parsed on the pool, so that leases are renewed meanwhile.
const INLINE_BYTES: usize = 256 * 1024;
/// Parsers kept for their buffers.
const PARSERS: usize = 16;
/// ... unless a page has made them larger than this.
const BUFFER_BYTES: usize = 1 << 20;

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
    pool: ParsePool,
}

impl Reading {
    /// Reads title, metadata, headings and outlinks, and what is asked for beside.
    pub fn new(crawl: CrawlId, text: bool, selectors: Option<Selectors>, robots_name: &str) -> Self {
        let (selectors, robots_name) = (selectors.map(Arc::new), robots_name.into());
        Self { crawl, text, selectors, robots_name, parsers: Arc::default(), pool: ParsePool::default() }
    }

    /// The same, parsed on a pool that others share.
    #[must_use]
    pub fn on(self, pool: &ParsePool) -> Self {
        Self { pool: pool.clone(), ..self }
    }

    /// Parses a body.
    fn page(
        parsers: &Mutex<Vec<Parser>>,
        answer: &Answer,
        (text, sketch): (bool, bool),
        selectors: Option<&Selectors>,
        robots_name: &str,
    ) -> Page {
        let idle = parsers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut parser = idle.unwrap_or_else(|| Parser::new(Limits::default()));
        let want = Want { text, selectors, sketch, robots_name: Some(robots_name), ..Want::default() };
        let page = parser.parse(&answer.body, answer.content_type.as_deref(), &want);
        let mut parsers = parsers.lock().unwrap_or_else(PoisonError::into_inner);
        if parsers.len() < PARSERS && parser.weight() <= BUFFER_BYTES {
            parsers.push(parser);
        }
        page
    }
}

impl Job {
    /// Makes the report of a visit. A seed that was redirected widens the scope before its target can be admitted.
    pub(super) async fn read(&self, url: Queued, token: Token, visit: Visit) -> Report {
        let visit = match self.read_sitemap(&url, visit).await {
            (visit, Some(listing)) => return self.assess_sitemap(url, token, &visit, listing),
            (visit, None) => visit,
        };
        let report = match self.reading.parsed(visit, traps::is_sketched(&url)).await {
            (visit, Ok(page)) => self.with_rules(|rules| assess::assess(url, token, visit, page, rules)),
            (visit, Err(why)) => {
                tracing::error!(url = url.url, %why, "a page could not be parsed");
                self.with_rules(|rules| assess::unread(url, token, &visit, &why, rules))
            }
        };
        for (url, kind) in report.opens() {
            self.open_scope(&url, kind);
        }
        report
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
            Some(_) => url.origin.hops == 0 || kind(answer).0 != Kind::Html || !self.is_in_scope(url),
            None => {
                self.settings.sitemaps != Sitemaps::Skip
                    && parse::is_sitemap(&answer.body, answer.content_type.as_deref())
            }
        };
        if !(200..300).contains(&answer.status) || answer.status == 206 || !is_sitemap {
            return (visit, None);
        }
        let is_small = answer.body.len() <= INLINE_BYTES && !parse::is_gzip(&answer.body);
        let listed = self.reading.off_or_here(answer, is_small, move |answer| listing(answer, most)).await;
        let listing = listed.unwrap_or_else(|why| Err(NoSitemap(why.to_string())));
        (visit, Some(listing))
    }

    fn is_in_scope(&self, url: &Queued) -> bool {
        Url::parse(&url.url).is_ok_and(|url| self.with_scope(|scope| scope.admits(&url).is_ok()))
    }
}

impl Reading {
    /// Parses the answer of a visit, where it is a document that we read, with a sketch where that is asked for.
    pub async fn parsed(&self, mut visit: Visit, sketch: bool) -> (Visit, Result<Page, Unread>) {
        let Ok(answer) = &mut visit.result else { return (visit, Ok(Page::default())) };
        if !(200..300).contains(&answer.status) {
            return (visit, Ok(Page::default()));
        }
        let (kind, is_as_named) = kind(answer);
        answer.remarks.add(Remark::NotTheTypeNamed, !is_as_named);
        if kind != Kind::Html {
            return (visit, Ok(Page::default()));
        }
        let (text, selectors, parsers) = (self.text, self.selectors.clone(), Arc::clone(&self.parsers));
        let robots_name = Arc::clone(&self.robots_name);
        let is_small = answer.body.len() <= INLINE_BYTES && selectors.is_none();
        let parse = move |answer: &Answer| {
            Reading::page(&parsers, answer, (text, sketch), selectors.as_deref(), &robots_name)
        };
        let page = self.off_or_here(answer, is_small, parse).await;
        (visit, page)
    }

    /// Does `work` on an answer, on the pool unless it is small.
    async fn off_or_here<T: Send + 'static>(
        &self,
        answer: &mut Answer,
        is_small: bool,
        work: impl FnOnce(&Answer) -> T + Send + 'static,
    ) -> Result<T, Unread> {
        if is_small {
            return guarded(|| work(answer));
        }
        let shared = Arc::new(std::mem::take(answer));
        let theirs = Arc::clone(&shared);
        let done = self.pool.run(move || work(&theirs)).await;
        // A parser that runs on has it still: then the evidence is a copy.
        *answer = Arc::try_unwrap(shared).unwrap_or_else(|shared| Answer::clone(&shared));
        done
    }
}

/// Reads a sitemap.
fn listing(answer: &Answer, most: usize) -> Result<Listing, NoSitemap> {
    let listing = parse::sitemap(&answer.body, answer.content_type.as_deref(), most)?;
    let cut = answer.truncated.map(|_| "the body was cut at a limit".to_owned());
    Ok(Listing { cut: listing.cut.or(cut), ..listing })
}

/// What kind of document the answer is, and whether that is what it is called.
fn kind(answer: &Answer) -> (Kind, bool) {
    parse::kind(answer.content_type.as_deref(), answer.nosniff, &answer.body)
}
