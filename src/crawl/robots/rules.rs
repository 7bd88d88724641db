//! The rules that one file has for one product token, and their verdict on a URL.

use super::parse::{self, Draft, Sitemaps};
use super::pattern::{Pattern, Target};
use std::cmp::Reverse;
use std::time::Duration;
use url::{Position, Url};

/// Longest text of a rule that is kept for people to read, in bytes.
const MAX_TEXT: usize = 256;

/// What a robots.txt file says to one product token. The default says nothing: everything is allowed.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Most specific first, and allow before disallow: the first that matches is the verdict.
    ranked: Vec<Rule>,
    group: String,
    delay: Option<Duration>,
    sitemaps: Sitemaps,
}

/// Whether a URL may be fetched, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the URL may be fetched.
    pub allowed: bool,
    /// The rule that says so; `None` where none matches.
    pub rule: Option<MatchedRule>,
}

/// The rule behind a verdict, for people. The text is a stranger's: escape it wherever it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedRule {
    /// The line in the file, from 1.
    pub line: u32,
    /// The line as it stands there, trimmed; invalid UTF-8 replaced, at most 256 bytes.
    pub text: String,
    /// The group it was taken from: our token, or `*`.
    pub group: String,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pattern: Pattern,
    allow: bool,
    line: u32,
    text: Box<str>,
}

impl Rule {
    /// The rule of a line; `None` where its value is empty, which matches nothing.
    pub(super) fn of(draft: &Draft<'_>) -> Option<Self> {
        let pattern = Pattern::of(draft.value)?;
        let line = draft.line.trim_ascii();
        let mut text = String::from_utf8_lossy(&line[..line.len().min(MAX_TEXT)]).into_owned();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        Some(Self { pattern, allow: draft.allow, line: draft.number, text: text.into() })
    }
}

impl Rules {
    /// Reads a file for `token`, which is compared without case. Never fails: what cannot be read is passed over,
    /// line by line. At most [`MAX_BYTES`](super::MAX_BYTES) are read.
    pub fn parse(body: &[u8], token: &str) -> Self {
        parse::parse(body, false, token)
    }

    /// Reads the front of a file that was cut, so that its last line cannot be trusted.
    pub fn parse_front(body: &[u8], token: &str) -> Self {
        parse::parse(body, true, token)
    }

    pub(super) fn new(
        mut rules: Vec<Rule>,
        group: &str,
        delay: Option<Duration>,
        sitemaps: Sitemaps,
    ) -> Self {
        // Stable: of equal rules the first line is named.
        rules.sort_by_key(|rule| (Reverse(rule.pattern.octets()), !rule.allow));
        rules.dedup_by(|later, first| later.allow == first.allow && later.pattern.same(&first.pattern));
        rules.shrink_to_fit();
        Self { ranked: rules, group: group.to_owned(), delay, sitemaps }
    }

    /// Whether `url` may be fetched: the longest matching rule decides, allow wins a tie, `/robots.txt` itself is
    /// always allowed.
    pub fn verdict(&self, url: &Url) -> Verdict {
        if self.ranked.is_empty() || url.path() == "/robots.txt" {
            return Verdict { allowed: true, rule: None };
        }
        let target = Target::of(&url[Position::BeforePath..Position::AfterQuery]);
        match self.ranked.iter().find(|rule| rule.pattern.matches(&target)) {
            None => Verdict { allowed: true, rule: None },
            Some(rule) => Verdict {
                allowed: rule.allow,
                rule: Some(MatchedRule {
                    line: rule.line,
                    text: rule.text.to_string(),
                    group: self.group.clone(),
                }),
            },
        }
    }

    /// The least gap between requests that our groups ask for: the largest of their `Crawl-delay` and
    /// `Request-rate` lines. Not capped to anything practical: the caller decides what a day means.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.delay
    }

    /// About how many bytes of memory these rules take, for a cache that is bounded by them.
    pub fn bytes(&self) -> usize {
        /// Of a rule: its pattern, in both spellings, and what the allocations cost.
        const RULE: usize = size_of::<Rule>() + 64;
        let rules: usize = self.ranked.iter().map(|rule| RULE + 2 * rule.text.len()).sum();
        let sitemaps: usize = self.sitemaps.kept.iter().map(|url| size_of::<String>() + url.len()).sum();
        size_of::<Self>() + rules + sitemaps
    }

    /// The sitemaps that the file names, as written; they belong to no group.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps.kept
    }

    /// Where the file names more sitemaps than are read, or such as are too long to be a URL of ours: how many, in words.
    pub fn sitemaps_cut(&self) -> Option<String> {
        let (kept, left_out) = (self.sitemaps.kept.len(), self.sitemaps.left_out);
        (left_out > 0).then(|| format!("{kept} of the {} sitemaps that it names are read", kept + left_out))
    }
}
