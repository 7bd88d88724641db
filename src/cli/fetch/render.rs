//! What `fetch` shows, as lines. Everything that a stranger wrote is escaped here, once, at the end.

use super::page::{LinkShown, PageShown};
use super::shown::{Exchange, Hop, RobotsShown, Shown};
use crate::cli::escape::{json, visible};
use crate::cli::figures::{bytes, count};
use crate::crawl::page::{CharsetSource, RobotsMeta};
use std::fmt::Write;

/// Links and headings that are shown without `-v`.
const FIRST: usize = 20;

/// The lines of one URL. `all` shows every link and heading.
pub(super) fn lines(shown: &Shown, all: bool) -> Vec<String> {
    let mut lines = Lines { lines: Vec::new(), all };
    lines.say("asked for", &shown.asked_for);
    for (at, hop) in shown.hops.iter().enumerate() {
        if at > 0 {
            lines.lines.push(String::new());
        }
        lines.hop(hop);
    }
    lines.lines
}

struct Lines {
    lines: Vec<String>,
    all: bool,
}

impl Lines {
    fn say(&mut self, label: &str, text: &str) {
        self.lines.push(format!("{label:<16} {}", visible(text)).trim_end().to_owned());
    }

    fn maybe(&mut self, label: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.say(label, text);
        }
    }

    fn hop(&mut self, hop: &Hop) {
        let identity = &hop.identity;
        self.say("fetched as", &identity.url);
        self.say("identity", &format!("{} (key {})", identity.canonical, identity.key));
        for change in &identity.changes {
            self.say("changed", change);
        }
        self.say("host", &identity.host);
        self.say("scope", &hop.scope);
        self.robots(&hop.robots);
        if let Some(request) = &hop.request {
            self.request(request);
        }
        if let (Some(page), Some(request)) = (&hop.page, &hop.request) {
            self.page(page, request);
        }
        self.say("next", &hop.next.words);
    }

    fn robots(&mut self, robots: &RobotsShown) {
        let rule = match (robots.line, &robots.group) {
            (Some(line), Some(group)) => format!("line {line}: {} (group {group})", robots.text),
            _ => robots.text.clone(),
        };
        self.say("robots", &format!("{}: {rule}", robots.verdict));
        if robots.requests.is_empty() && robots.verdict != "ignored" {
            self.say("", &format!("as {} was answered above", robots.url));
        }
        for request in &robots.requests {
            let answer = outcome(request);
            self.say(
                "",
                &format!("{} {}: {answer}, {}", request.method, request.url, took(request.total_ms)),
            );
        }
        if let Some(delay) = robots.crawl_delay_ms {
            self.say("crawl delay", &took(delay));
        }
        if !robots.signals.is_empty() {
            self.say("signals", &robots.signals.join(", "));
        }
    }

    fn request(&mut self, request: &Exchange) {
        self.say("request", &format!("{} {}", request.method, request.url));
        for (name, value) in &request.sent {
            self.say("  >", &format!("{name}: {value}"));
        }
        let http = request.http.as_ref().map_or_else(String::new, |http| format!("{http} "));
        let from = request.peer.as_ref().map_or_else(String::new, |peer| format!(" from {peer}"));
        self.say("answer", &format!("{http}{}{from}", outcome(request)));
        for (name, value) in &request.received {
            self.say("  <", &format!("{name}: {value}"));
        }
        let head =
            request.head_ms.map_or_else(|| "no head".to_owned(), |head| format!("head after {}", took(head)));
        self.say(
            "timing",
            &format!("sent {}, {head}, the whole {}", request.started, took(request.total_ms)),
        );
        if request.status.is_some() {
            let coding = request.field("content-encoding").unwrap_or_else(|| "no coding".to_owned());
            let (wire, body) = (count(request.wire_bytes), count(request.body_bytes));
            self.say("body", &format!("{wire} bytes on the wire ({coding}), {body} decoded"));
            self.maybe("odd", request.remarks.as_deref());
        }
    }

    fn page(&mut self, page: &PageShown, request: &Exchange) {
        self.say("content type", page.content_type.as_deref().unwrap_or("not said"));
        if let Some(limit) = page.truncated {
            self.say("cut", &format!("at the {limit} limit, after {}", bytes(request.body_bytes)));
        }
        if !page.is_html {
            self.say("document", "not HTML: it is stored, and nothing is read from it");
            return;
        }
        let errors = if page.flags.decode_errors { "; some bytes are invalid in it" } else { "" };
        self.say("charset", &format!("{}, {}{errors}", page.charset, decided(page.charset_source)));
        self.say("title", page.title.as_deref().unwrap_or("none"));
        self.maybe("description", page.description.as_deref());
        self.maybe("canonical", page.canonical.as_deref());
        self.maybe("robots meta", meta(&page.robots).as_deref());
        self.maybe("language", page.language.as_deref());
        self.maybe("refresh", page.refresh.as_deref());
        self.headings(page);
        self.links(page);
        self.selected(page);
        if let Some(text) = &page.text {
            self.say("text", &format!("{} bytes{}", count(text.len() as u64), cut(page.flags.text_cut)));
            for line in text.lines() {
                self.say("", line);
            }
        }
    }

    fn headings(&mut self, page: &PageShown) {
        let shown = self.most(page.headings.len());
        for heading in &page.headings[..shown] {
            self.say(&format!("h{}", heading.level), &heading.text);
        }
        self.more("headings", page.headings.len() - shown);
    }

    fn links(&mut self, page: &PageShown) {
        let links = &page.links;
        let mut words = format!("{} on the page, {} to follow", count(links.total), links.found);
        for (at, (reason, number)) in links.skipped.iter().enumerate() {
            _ = write!(words, "{} {number} {reason}", if at == 0 { "; skipped:" } else { "," });
        }
        if links.dropped > 0 {
            _ = write!(words, "; {} more than are read of a page", count(links.dropped));
        }
        self.say("links", &words);
        let shown = self.most(links.list.len());
        for link in &links.list[..shown] {
            self.say(&format!("  {}", link.verdict), &link_words(link));
        }
        self.more("links", links.list.len() - shown);
    }

    fn selected(&mut self, page: &PageShown) {
        if let Some(reason) = page.selectors_skipped {
            self.say("select", &format!("not run on this page: {}", reason.as_str()));
        }
        if let Some(extracted) = &page.extracted {
            self.say("select", &json(extracted));
        }
    }

    fn most(&self, number: usize) -> usize {
        if self.all { number } else { number.min(FIRST) }
    }

    fn more(&mut self, what: &str, number: usize) {
        if number > 0 {
            self.say("", &format!("and {} more {what}: -v shows them all", count(number as u64)));
        }
    }
}

fn outcome(request: &Exchange) -> String {
    match (request.status, request.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => format!("{error}: {}", request.detail.as_deref().unwrap_or_default()),
        (None, None) => "no answer".to_owned(),
    }
}

/// `2.3 ms`, `12.0 s`.
fn took(millis: f64) -> String {
    if millis < 1_000.0 { format!("{millis:.1} ms") } else { format!("{:.1} s", millis / 1_000.0) }
}

fn decided(source: CharsetSource) -> &'static str {
    match source {
        CharsetSource::Bom => "by its byte order mark",
        CharsetSource::Header => "by the Content-Type header",
        CharsetSource::Meta => "by a meta element or XML declaration",
        CharsetSource::Detected => "detected from its bytes",
        CharsetSource::Default => "by default: nobody says, and it is ASCII",
    }
}

fn meta(robots: &RobotsMeta) -> Option<String> {
    let words = [
        (robots.noindex, "noindex"),
        (robots.nofollow, "nofollow"),
        (robots.noarchive, "noarchive"),
        (robots.nosnippet, "nosnippet"),
    ];
    let mut words: Vec<String> =
        words.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()).collect();
    words.extend(robots.unavailable_after.as_ref().map(|date| format!("unavailable_after: {date}")));
    (!words.is_empty()).then(|| words.join(", "))
}

fn cut(is_cut: bool) -> &'static str {
    if is_cut { "; cut at a limit" } else { "" }
}

fn link_words(link: &LinkShown) -> String {
    let mut words = link.url.clone();
    if !link.anchor.is_empty() {
        _ = write!(words, " {:?}", link.anchor);
    }
    if !link.rel.is_empty() {
        _ = write!(words, " rel={}", link.rel);
    }
    if !matches!(&*link.source, "" | "a") {
        _ = write!(words, " <{}>", link.source);
    }
    if !link.detail.is_empty() {
        _ = write!(words, "  ({})", link.detail);
    }
    words
}
