//! What a crawl would store of a page, and what would become of its outlinks.

use crate::crawl::assess::unpack;
use crate::crawl::page::{CharsetSource, Heading, Page, PageFlags, RobotsMeta, SelectorsSkipped};
use crate::crawl::report::{Report, Skipped, StoredPage};
use crate::crawl::url::{UrlKey, canonical, parse};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A page as it would be stored.
#[derive(Debug, Serialize)]
pub(super) struct PageShown {
    /// Whether it was read as HTML.
    pub(super) is_html: bool,
    pub(super) content_type: Option<String>,
    pub(super) charset: String,
    pub(super) charset_source: CharsetSource,
    pub(super) flags: PageFlags,
    /// The limit at which the body was cut.
    pub(super) truncated: Option<&'static str>,
    pub(super) content_hash: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) canonical: Option<String>,
    pub(super) robots: RobotsMeta,
    /// `X-Robots-Tag`, which is part of `robots`.
    pub(super) robots_tag: Option<String>,
    pub(super) language: Option<String>,
    pub(super) refresh: Option<String>,
    pub(super) headings: Vec<Heading>,
    pub(super) extracted: Option<Value>,
    pub(super) selectors_skipped: Option<SelectorsSkipped>,
    pub(super) text: Option<String>,
    pub(super) links: LinksShown,
}

/// The outlinks of a page.
#[derive(Debug, Default, Serialize)]
pub(super) struct LinksShown {
    /// With repetitions and links into the page itself.
    pub(super) total: u64,
    /// Those that a crawl neither keeps nor follows, since the page has more than are read of one.
    pub(super) dropped: u64,
    /// URLs that a crawl would put into the frontier unless it knows them.
    pub(super) found: usize,
    /// URLs that it would not, by reason.
    pub(super) skipped: BTreeMap<&'static str, usize>,
    /// One row a distinct link, in the order of the page; then those that are no URL of ours.
    pub(super) list: Vec<LinkShown>,
}

/// An outlink and what would become of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct LinkShown {
    pub(super) url: String,
    pub(super) anchor: String,
    pub(super) rel: String,
    /// The element; empty for what is no URL of ours.
    pub(super) source: String,
    /// `found`, `known`, `not-followed`, or the reason of `skipped`.
    pub(super) verdict: &'static str,
    /// The rule in words.
    pub(super) detail: String,
}

impl PageShown {
    /// What `stored` holds, with the outlinks that its report speaks of.
    pub(super) fn of(stored: StoredPage, report: &Report) -> Self {
        let StoredPage { page, content_type, robots_tag, content_hash, links, truncated, .. } = stored;
        let links = LinksShown::of(links.as_deref().unwrap_or_default(), &page, report);
        Self {
            is_html: !page.charset.is_empty(),
            content_type,
            charset: page.charset.into_owned(),
            charset_source: page.charset_source,
            flags: page.flags,
            truncated,
            content_hash: format!("{:032x}", u128::from_be_bytes(content_hash)),
            title: page.title,
            description: page.description,
            canonical: page.canonical,
            robots: page.robots,
            robots_tag,
            language: page.language,
            refresh: page.refresh,
            headings: page.headings,
            extracted: page.extracted,
            selectors_skipped: page.selectors_skipped,
            text: page.text,
            links,
        }
    }
}

impl LinksShown {
    fn of(packed: &str, page: &Page, report: &Report) -> Self {
        let found: HashSet<UrlKey> = report.found.iter().map(|found| found.key).collect();
        let mut skipped: HashMap<UrlKey, &Skipped> =
            report.skipped.iter().map(|skipped| (skipped.key, skipped)).collect();
        let mut seen = HashSet::from([report.url.key]);
        let mut list = Vec::new();
        for link in unpack(packed) {
            let key =
                parse(&link.url).map_or_else(|_| UrlKey::of(&link.url), |url| UrlKey::of(&canonical(&url)));
            let is_new = seen.insert(key);
            let (verdict, detail) = if !is_new && key == report.url.key {
                ("known", "this page".to_owned())
            } else if !is_new {
                ("known", "linked above".to_owned())
            } else if found.contains(&key) {
                ("found", String::new())
            } else if let Some(skipped) = skipped.remove(&key) {
                (skipped.reason, skipped.detail.to_string())
            } else {
                ("not-followed", format!("links of kind {} are kept, not followed", link.source))
            };
            let (url, anchor, rel, source) = (link.url, link.anchor, link.rel, link.source);
            list.push(LinkShown { url, anchor, rel, source, verdict, detail });
        }
        list.extend(report.skipped.iter().filter(|rest| skipped.contains_key(&rest.key)).map(|rest| {
            LinkShown {
                url: rest.url.clone(),
                anchor: String::new(),
                rel: String::new(),
                source: String::new(),
                verdict: rest.reason,
                detail: rest.detail.to_string(),
            }
        }));
        let mut reasons = BTreeMap::new();
        for skipped in &report.skipped {
            *reasons.entry(skipped.reason).or_default() += 1;
        }
        Self {
            total: page.links_total,
            dropped: page.links_dropped,
            found: report.found.len(),
            skipped: reasons,
            list,
        }
    }
}
