//! The rules that one file has for one product token, and their verdict on a URL.

use super::index::{Index, MAX_STEPS, TooCostly};
use super::parse::{self, Draft, Sitemaps};
use super::pattern::{Pattern, Slash, Target};
use super::signals::Signals;
use std::cmp::Reverse;
use std::time::Duration;
use url::{Position, Url};

/// Longest text of a rule that is kept for people to read, in bytes.
const MAX_TEXT: usize = 256;

/// What a robots.txt file says to one product token. The default says nothing: everything is allowed.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Most specific first, and allow before disallow: the first that matches is the verdict.
    ranked: Vec<Ranked>,
    encoded: Index,
    /// Where a rule reads in two ways.
    decoded: Option<Index>,
    group: String,
    delay: Option<Duration>,
    signals: Signals,
    sitemaps: Sitemaps,
    /// Why nothing at all is allowed, where that is so.
    closed: Option<String>,
}

/// Whether a URL may be fetched, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the URL may be fetched.
    pub allowed: bool,
    /// The rule that says so; `None` where none matches.
    pub rule: Option<MatchedRule>,
    /// Where it may not be fetched and no rule says so: why, in words.
    pub because: Option<String>,
}

impl Verdict {
    const ALLOWED: Self = Self { allowed: true, rule: None, because: None };

    fn forbidden(because: &str) -> Self {
        Self { allowed: false, rule: None, because: Some(because.to_owned()) }
    }

    /// The reason of a verdict in words: `line 3: "Disallow: /a" (group "*")`, `no rule`. What a stranger wrote is quoted and escaped.
    pub fn reason(&self) -> String {
        match (&self.rule, &self.because) {
            (Some(rule), _) => format!("line {}: {:?} (group {:?})", rule.line, rule.text, rule.group),
            (None, Some(why)) => why.clone(),
            (None, None) => "no rule".to_owned(),
        }
    }
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

/// What is kept of a rule beside its pattern.
#[derive(Debug, Clone)]
struct Ranked {
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
        signals: Signals,
        sitemaps: Sitemaps,
    ) -> Self {
        // Stable: of equal rules the first line is named.
        rules.sort_by_key(|rule| (Reverse(rule.pattern.octets()), !rule.allow));
        rules.dedup_by(|later, first| later.allow == first.allow && later.pattern.same(&first.pattern));
        let patterns = || rules.iter().map(|rule| &rule.pattern);
        let encoded = Index::new(patterns().map(|pattern| pattern.glob(Slash::Encoded)));
        let decoded = patterns()
            .any(Pattern::has_two_readings)
            .then(|| Index::new(patterns().map(|pattern| pattern.glob(Slash::Decoded))));
        let ranked =
            rules.into_iter().map(|Rule { allow, line, text, .. }| Ranked { allow, line, text }).collect();
        let group = group.to_owned();
        Self { ranked, encoded, decoded, group, delay, signals, sitemaps, closed: None }
    }

    /// Rules that allow nothing, with the reason in words: `robots.txt was refused: status 403`.
    pub fn closed(why: impl Into<String>) -> Self {
        Self { closed: Some(why.into()), ..Self::default() }
    }

    /// Whether `url` may be fetched: the longest matching rule decides, allow wins a tie, `/robots.txt` itself is
    /// always allowed.
    pub fn verdict(&self, url: &Url) -> Verdict {
        if url.path() == "/robots.txt" {
            return Verdict::ALLOWED;
        }
        if let Some(why) = &self.closed {
            return Verdict::forbidden(why);
        }
        if self.ranked.is_empty() {
            return Verdict::ALLOWED;
        }
        match self.best(&Target::of(&url[Position::BeforePath..Position::AfterQuery])) {
            Err(TooCostly) => Verdict::forbidden("its rules take too long to be compared with this URL"),
            Ok(None) => Verdict::ALLOWED,
            Ok(Some(rank)) => {
                let Ranked { allow, line, text } = &self.ranked[rank as usize];
                let (line, text, group) = (*line, text.to_string(), self.group.clone());
                Verdict { allowed: *allow, rule: Some(MatchedRule { line, text, group }), because: None }
            }
        }
    }

    /// The rank of the rule that decides: it matches in one reading or the other.
    fn best(&self, target: &Target<'_>) -> Result<Option<u32>, TooCostly> {
        let mut steps = MAX_STEPS;
        let best = self.encoded.best(&target.encoded, u32::MAX, &mut steps)?;
        if self.decoded.is_none() && target.decoded.is_none() {
            return Ok(best);
        }
        let index = self.decoded.as_ref().unwrap_or(&self.encoded);
        let path = target.decoded.as_deref().unwrap_or(&target.encoded);
        let better = index.best(path, best.unwrap_or(u32::MAX), &mut steps)?;
        Ok(better.or(best))
    }

    /// Why nothing is allowed, whatever the URL, where that is so.
    pub fn why_closed(&self) -> Option<&str> {
        self.closed.as_deref()
    }

    /// The least gap between requests that our groups ask for: the largest of their `Crawl-delay` and
    /// `Request-rate` lines. Not capped to anything practical: the caller decides what a day means.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.delay
    }

    /// About how many bytes of memory these rules take, for a cache that is bounded by them.
    pub fn bytes(&self) -> usize {
        let rules: usize = self.ranked.iter().map(|rule| size_of::<Ranked>() + 16 + rule.text.len()).sum();
        let patterns = self.encoded.bytes() + self.decoded.as_ref().map_or(0, Index::bytes);
        let sitemaps: usize = self.sitemaps.kept.iter().map(|url| size_of::<String>() + url.len()).sum();
        size_of::<Self>() + rules + patterns + sitemaps
    }

    /// What our groups say of uses of the content.
    pub fn signals(&self) -> Signals {
        self.signals
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
