//! The outlinks of a page: resolved once each, judged once each, packed for the store.

use super::{KeepLinks, Rules};
use crate::crawl::host::HostKey;
use crate::crawl::lease::Origin;
use crate::crawl::page::{Link, Page};
use crate::crawl::report::{Found, Report, Skipped};
use crate::crawl::scope::OutOfScope;
use crate::crawl::target::{Base, Target};
use crate::crawl::traps::{self, Rule};
use crate::crawl::url::{self, UrlKey};
use ::url::{Position, Url};
use hashbrown::HashSet;
use std::sync::Arc;

/// Sorts the page's outlinks into the report's `found` and `skipped`; answers with the packed value of `links` and with how
/// many of those found stay in the section of the page, and makes the canonical link of the page absolute.
pub(super) fn judge(report: &mut Report, page: &mut Page, rules: &Rules<'_>) -> (Option<String>, u32) {
    // The packed value is all that is kept of them.
    let links = std::mem::take(&mut page.links);
    let Ok(own) = Url::parse(&report.url.url) else { return (None, 0) };
    let base = page.base.as_deref().and_then(|href| url::resolve(&own, href).ok());
    let base = base.as_ref().unwrap_or(&own);
    if let Some(href) = page.canonical.take() {
        page.canonical = url::resolve(base, &href).ok().map(String::from);
    }
    let base_host = if report.url.host.answers(base) { report.url.host.clone() } else { HostKey::of(base) };
    let mut judging = Judging {
        origin: report.url.origin.outlink(),
        nofollow: page.robots.nofollow,
        found: Vec::new(),
        skipped: Vec::new(),
        keys: HashSet::with_capacity(links.len() + 1),
        packed: (rules.links == KeepLinks::All).then(|| Packed::new(&own, links.text_len())),
        detail: None,
        host: report.url.host.clone(),
        section: traps::Section::of(own.as_str()),
        inside: 0,
        rules,
        base: Base::of(base),
        verdict: rules.scope.admits_host(base_host.as_str()),
        base_host,
    };
    judging.keys.insert(report.url.key);
    for link in links.iter() {
        judging.link(link);
    }
    let Judging { found, skipped, packed, inside, .. } = judging;
    report.found = found;
    report.skipped = skipped;
    (packed.and_then(Packed::finish), inside)
}

struct Judging<'a> {
    rules: &'a Rules<'a>,
    base: Base<'a>,
    base_host: HostKey,
    /// What the scope says of the host of the base.
    verdict: Option<Result<(), OutOfScope<'a>>>,
    origin: Origin,
    nofollow: bool,
    found: Vec<Found>,
    skipped: Vec<Skipped>,
    keys: HashSet<UrlKey>,
    packed: Option<Packed>,
    /// The last detail, shared by the links that are skipped for the same.
    detail: Option<Arc<str>>,
    /// The host of the last link that was found: most links of a page lead to one.
    host: HostKey,
    /// The section of the page, and how many of its links stay there.
    section: traps::Section<'a>,
    inside: u32,
}

impl<'a> Judging<'a> {
    fn link(&mut self, link: Link<'_>) {
        let href = link.href;
        let target = match self.base.resolve(href) {
            Ok(target) => target,
            Err(why) => {
                let (key, text) = url::evidence(Some(self.base.url()), href);
                self.skip(key, text, why.reason(), &why.to_string());
                return;
            }
        };
        let key = UrlKey::of(&target.canonical());
        let is_new = self.keys.insert(key);
        if let Some(packed) = &mut self.packed {
            packed.push(target.as_str(), link);
        }
        if !is_new || !link.source.is_followed() {
            return;
        }
        if let Err(out) = self.admits(&target) {
            self.skip(key, target.into(), out.reason, out.detail);
        } else if self.nofollow || link.nofollow {
            self.skip(
                key,
                target.into(),
                "nofollow",
                if self.nofollow { "robots meta of the page" } else { "rel of the link" },
            );
        } else if !self.origin.within_depth() {
            let most = self.origin.max_depth.unwrap_or_default();
            self.skip(key, target.into(), "depth", &format!("depth {} is beyond {most}", self.origin.depth));
        } else {
            match &target {
                Target::Within { .. } => self.host = self.base_host.clone(),
                Target::Plain { text, host, .. } if self.host.as_str() == &text[host.clone()] => {}
                Target::Plain { text, host, .. } => self.host = HostKey::from_stored(&text[host.clone()]),
                Target::Parsed(url) if self.host.answers(url) => {}
                Target::Parsed(url) => self.host = HostKey::of(url),
            }
            let host = self.host.clone();
            if let Some((rule, why)) = traps::trap(target.path(), self.origin) {
                return self.park(key, target.into(), rule, &why);
            }
            self.inside += u32::from(self.section.contains(target.as_str()));
            self.found.push(Found { key, url: target.into(), host, origin: self.origin });
        }
    }

    fn admits(&self, target: &Target) -> Result<(), OutOfScope<'a>> {
        let scope = self.rules.scope;
        let verdict = match target {
            Target::Within { .. } => self.verdict,
            Target::Plain { text, host, .. } => scope.admits_host(&text[host.clone()]),
            Target::Parsed(url) => return scope.admits(url),
        };
        verdict.unwrap_or_else(|| scope.admits(&Url::parse(target.as_str()).expect("what is plain is a URL")))
    }

    fn skip(&mut self, key: UrlKey, url: String, reason: &'static str, detail: &str) {
        let detail = self.shared(detail);
        self.skipped.push(Skipped { key, url, reason, detail, parked: None });
    }

    fn park(&mut self, key: UrlKey, url: String, rule: Rule, why: &str) {
        let detail = self.shared(&rule.detail(why, self.host.as_str()));
        self.skipped.push(Skipped { key, url, reason: rule.as_str(), detail, parked: Some(self.origin) });
    }

    fn shared(&mut self, detail: &str) -> Arc<str> {
        let detail = match &self.detail {
            Some(last) if &**last == detail => Arc::clone(last),
            _ => Arc::from(detail),
        };
        self.detail = Some(Arc::clone(&detail));
        detail
    }
}

/// The outlinks as one JSON value, see `migrations/README.md`.
struct Packed {
    text: String,
    origin: String,
    links: usize,
}

impl Packed {
    fn new(page: &Url, bytes: usize) -> Self {
        let origin = page[..Position::BeforePath].to_owned();
        let mut packed = Self { text: String::with_capacity(bytes + bytes / 2 + 64), origin, links: 0 };
        packed.text.push_str("[[");
        push_json(&mut packed.text, &packed.origin);
        packed.text.push(']');
        packed
    }

    fn push(&mut self, url: &str, link: Link<'_>) {
        let url = url.strip_prefix(&self.origin).filter(|path| path.starts_with('/')).unwrap_or(url);
        self.text.push_str(",[");
        push_json(&mut self.text, url);
        self.text.push(',');
        push_json(&mut self.text, link.anchor);
        self.text.push(',');
        push_json(&mut self.text, link.rel);
        self.text.push_str(",\"");
        self.text.push_str(link.source.as_str());
        self.text.push_str("\"]");
        self.links += 1;
    }

    fn finish(mut self) -> Option<String> {
        self.text.push(']');
        (self.links > 0).then_some(self.text)
    }
}

/// Writes a JSON string (RFC 8259 section 7).
fn push_json(out: &mut String, text: &str) {
    use std::fmt::Write;
    let is_escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    out.push('"');
    // All of it is looked at, in strides: hardly any text has one.
    let has_any = text.bytes().fold(false, |has, byte| has | is_escaped(byte));
    let mut rest = text;
    while let Some(at) = if has_any { rest.bytes().position(is_escaped) } else { None } {
        out.push_str(&rest[..at]);
        let byte = rest.as_bytes()[at];
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            _ => write!(out, "\\u{byte:04x}").expect("a String takes any text"),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// One outlink out of the packed value of [`StoredPage::links`](crate::crawl::report::StoredPage::links).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlink {
    /// Its target, absolute and without fragment.
    pub url: String,
    /// Its text.
    pub anchor: String,
    /// Its `rel` as written.
    pub rel: String,
    /// Where on the page it stood, in a word.
    pub source: String,
}

/// The outlinks of a page in the order of the page; none out of a text that is no packed value.
pub fn unpack(packed: &str) -> Vec<Outlink> {
    let rows: Vec<Vec<String>> = serde_json::from_str(packed).unwrap_or_default();
    let mut rows = rows.into_iter();
    let origin = rows.next().and_then(|mut row| row.pop()).unwrap_or_default();
    rows.filter_map(|row| {
        let [url, anchor, rel, source] = row.try_into().ok()?;
        let url = if url.starts_with('/') { format!("{origin}{url}") } else { url };
        Some(Outlink { url, anchor, rel, source })
    })
    .collect()
}
