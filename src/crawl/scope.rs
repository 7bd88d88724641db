//! Which outlinks belong to the crawl.
//!
//! The scope is the union of what each seed opens, narrowed by the include patterns, minus the exclude patterns.
//! Every link of every page passes here, so a verdict allocates nothing: sets are asked with slices of the URL.

use crate::crawl::host::{HostKey, registrable_domain};
use crate::crawl::url::canonical;
use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use url::{Position, Url};

/// Longest compiled form of all patterns of one kind, in bytes.
const MAX_PATTERN_BYTES: usize = 16 << 20;

/// How much of the web a seed opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// The seed and nothing else.
    Page,
    /// The seed's host, below the directory of the seed's path.
    Prefix,
    /// The seed's host, `www.` or not, http or https; another port is another host.
    #[default]
    Host,
    /// Every host under the seed's registrable domain, on any port.
    Domain,
    /// The whole web.
    Any,
}

impl ScopeKind {
    /// Every kind, from the narrowest to the widest.
    pub const ALL: [Self; 5] = [Self::Page, Self::Prefix, Self::Host, Self::Domain, Self::Any];

    /// The word for it in settings, seed lists and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Prefix => "prefix",
            Self::Host => "host",
            Self::Domain => "domain",
            Self::Any => "any",
        }
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no [`ScopeKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scope is one of page, prefix, host, domain, any")]
pub struct UnknownScope;

impl FromStr for ScopeKind {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownScope)
    }
}

/// The scope as an operator writes it: what a seed opens unless it says otherwise, and the patterns.
///
/// Patterns are regular expressions searched for anywhere in the canonical URL.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScopeRules {
    /// What a seed opens that names no kind of its own.
    pub kind: ScopeKind,
    /// Where not empty, a URL must match one of these.
    pub include: Vec<String>,
    /// A URL that matches one of these is out, whatever `include` says.
    pub exclude: Vec<String>,
}

/// A pattern that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a regular expression: {pattern:?}: {why}")]
pub struct BadPattern {
    /// The pattern as given.
    pub pattern: String,
    /// What is wrong with it, in one line.
    pub why: String,
}

/// Why a URL is out of scope. `reason` is the word that `skipped.reason` holds, `detail` says which rule it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfScope<'a> {
    /// `out-of-scope`, `include` or `exclude`.
    pub reason: &'static str,
    /// The pattern that spoke, or what the seeds opened.
    pub detail: &'a str,
}

/// Answers for any URL whether it belongs to the crawl.
///
/// Seeds themselves are not asked: what an operator names is fetched, and only its outlinks are judged.
#[derive(Debug, Clone)]
pub struct Scope {
    any: bool,
    /// Host and port, `www.` taken off.
    hosts: HashSet<Box<str>>,
    domains: HashSet<Box<str>>,
    /// Host and port, `www.` taken off, to directories that end with a slash.
    prefixes: HashMap<Box<str>, Vec<Box<str>>>,
    /// Canonical URLs.
    pages: HashSet<Box<str>>,
    include: Option<RegexSet>,
    exclude: Option<RegexSet>,
    /// Said when the first URL is refused, forgotten when a seed is added.
    words: OnceLock<String>,
}

impl Scope {
    /// A scope with the patterns of `rules` that no seed has opened yet.
    pub fn new(rules: &ScopeRules) -> Result<Self, BadPattern> {
        Ok(Self {
            any: false,
            hosts: HashSet::new(),
            domains: HashSet::new(),
            prefixes: HashMap::new(),
            pages: HashSet::new(),
            include: compile(&rules.include)?,
            exclude: compile(&rules.exclude)?,
            words: OnceLock::new(),
        })
    }

    /// Opens what `seed` stands for. The target of a seed's redirect is a seed, too.
    pub fn add_seed(&mut self, seed: &Url, kind: ScopeKind) {
        let host = without_www(host_and_port(seed));
        match kind {
            ScopeKind::Page => _ = self.pages.insert(canonical(seed).into()),
            ScopeKind::Prefix => {
                let directories = self.prefixes.entry(host.into()).or_default();
                let directory = directory_of(seed);
                if !directories.iter().any(|known| directory.starts_with(&**known)) {
                    directories.retain(|known| !known.starts_with(&directory));
                    directories.push(directory.into());
                }
            }
            ScopeKind::Host => _ = self.hosts.insert(host.into()),
            ScopeKind::Domain => {
                _ = self.domains.insert(registrable_domain(seed.host_str().unwrap_or_default()).into());
            }
            ScopeKind::Any => self.any = true,
        }
        self.words.take();
    }

    /// Says whether `url` belongs to the crawl, and if not, by which rule. `exclude` beats `include`.
    pub fn admits(&self, url: &Url) -> Result<(), OutOfScope<'_>> {
        if !self.opened(url) {
            return Err(OutOfScope { reason: "out-of-scope", detail: self.as_words() });
        }
        if self.include.is_none() && self.exclude.is_none() {
            return Ok(());
        }
        let text = canonical(url);
        if let Some(exclude) = self.exclude.as_ref().filter(|exclude| exclude.is_match(&text)) {
            let which = exclude.matches(&text).iter().next().unwrap_or_default();
            return Err(OutOfScope { reason: "exclude", detail: &exclude.patterns()[which] });
        }
        match &self.include {
            Some(include) if !include.is_match(&text) => {
                Err(OutOfScope { reason: "include", detail: "matches no include pattern" })
            }
            _ => Ok(()),
        }
    }

    /// What [`Scope::admits`] says of every URL of a host, by the text of its key; `None` where that depends on more.
    pub fn admits_host(&self, key: &str) -> Option<Result<(), OutOfScope<'_>>> {
        if self.include.is_some() || self.exclude.is_some() {
            return None;
        }
        if self.any || self.opened_host(without_www(key), || HostKey::from_stored(key)) {
            return Some(Ok(()));
        }
        let is_all = self.prefixes.is_empty() && self.pages.is_empty();
        is_all.then(|| Err(OutOfScope { reason: "out-of-scope", detail: self.as_words() }))
    }

    /// Says whether a sitemap at `url` that `from` speaks of is read. It is a way to pages and no page: on the host of
    /// `from` it may stand outside of what the seeds opened, and no `include` pattern need match it.
    pub fn admits_sitemap(&self, url: &Url, from: &Url) -> Result<(), OutOfScope<'_>> {
        if let Some(out) = self.excludes(url) {
            return Err(out);
        }
        let is_near = without_www(host_and_port(url)) == without_www(host_and_port(from));
        if is_near || self.opened(url) {
            return Ok(());
        }
        Err(OutOfScope { reason: "out-of-scope", detail: self.as_words() })
    }

    /// The exclude pattern that matches `url`, if one does.
    pub fn excludes(&self, url: &Url) -> Option<OutOfScope<'_>> {
        let exclude = self.exclude.as_ref()?;
        let text = canonical(url);
        let which = exclude.matches(&text).iter().next()?;
        Some(OutOfScope { reason: "exclude", detail: &exclude.patterns()[which] })
    }

    /// What the seeds opened, in words: for the header line and for `why`.
    pub fn as_words(&self) -> &str {
        self.words.get_or_init(|| self.describe())
    }

    fn opened(&self, url: &Url) -> bool {
        if self.any {
            return true;
        }
        let host = without_www(host_and_port(url));
        self.opened_host(host, || HostKey::of(url))
            || (!self.prefixes.is_empty() && self.below_a_prefix(host, url))
            || (!self.pages.is_empty() && self.pages.contains(&*canonical(url)))
    }

    fn opened_host(&self, host: &str, key: impl FnOnce() -> HostKey) -> bool {
        self.hosts.contains(host)
            || (!self.domains.is_empty() && self.domains.contains(registrable_domain(key().host())))
    }

    fn below_a_prefix(&self, host: &str, url: &Url) -> bool {
        let Some(directories) = self.prefixes.get(host) else { return false };
        let canonical = canonical(url);
        let path = &canonical[url[..Position::BeforePath].len()..];
        directories.iter().any(|directory| path.starts_with(&**directory))
    }

    fn describe(&self) -> String {
        if self.any {
            return "any host".to_owned();
        }
        let prefixes: Vec<String> = self
            .prefixes
            .iter()
            .flat_map(|(host, directories)| {
                directories.iter().map(move |directory| format!("{host}{directory}"))
            })
            .collect();
        let parts: Vec<String> = [
            said("host", self.hosts.iter().map(AsRef::as_ref)),
            said("domain", self.domains.iter().map(AsRef::as_ref)),
            said("prefix", prefixes.iter().map(String::as_str)),
            said("page", self.pages.iter().map(AsRef::as_ref)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() { "nothing: no seed".to_owned() } else { parts.join(", ") }
    }
}

/// `host example.org`, `3 hosts`, or nothing.
fn said<'a>(noun: &str, mut names: impl Iterator<Item = &'a str>) -> Option<String> {
    let first = names.next()?;
    Some(match names.count() {
        0 => format!("{noun} {first}"),
        more if noun == "prefix" => format!("{} prefixes", more + 1),
        more => format!("{} {noun}s", more + 1),
    })
}

/// What a seed of this kind opens, as text: of seeds that open the same, one is enough. `None` where it opens itself alone.
pub fn opened_by(seed: &Url, kind: ScopeKind) -> Option<String> {
    let host = without_www(host_and_port(seed));
    let what = match kind {
        ScopeKind::Page => return None,
        ScopeKind::Prefix => format!("{host}{}", directory_of(seed)),
        ScopeKind::Host => host.to_owned(),
        ScopeKind::Domain => registrable_domain(seed.host_str().unwrap_or_default()).to_owned(),
        ScopeKind::Any => String::new(),
    };
    Some(format!("{} {what}", kind.as_str()))
}

fn host_and_port(url: &Url) -> &str {
    match url.port() {
        None | Some(80 | 443) => &url[Position::BeforeHost..Position::AfterHost],
        Some(_) => &url[Position::BeforeHost..Position::AfterPort],
    }
}

/// `www.example.org` is `example.org`; the rest must still be a name with a dot, or `www.org` would be `org`.
fn without_www(host: &str) -> &str {
    match host.strip_prefix("www.") {
        Some(apex) if apex.contains('.') => apex,
        _ => host,
    }
}

/// The canonical path of `url` up to and with its last slash.
fn directory_of(url: &Url) -> String {
    let canonical = canonical(url);
    let tail = &canonical[url[..Position::BeforePath].len()..];
    let path = tail.split_once('?').map_or(tail, |(path, _)| path);
    let end = path.rfind('/').map_or(0, |slash| slash + 1);
    path[..end].to_owned()
}

fn compile(patterns: &[String]) -> Result<Option<RegexSet>, BadPattern> {
    if patterns.is_empty() {
        return Ok(None);
    }
    for pattern in patterns {
        check_pattern(pattern)?;
    }
    let set = RegexSetBuilder::new(patterns).size_limit(MAX_PATTERN_BYTES).build();
    set.map(Some)
        .map_err(|why| BadPattern { pattern: patterns.join(" | "), why: last_line(&why.to_string()) })
}

/// Says whether `pattern` is a regular expression, and if not, what is wrong with it.
pub fn check_pattern(pattern: &str) -> Result<(), BadPattern> {
    RegexSetBuilder::new([pattern])
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map(drop)
        .map_err(|why| BadPattern { pattern: pattern.to_owned(), why: last_line(&why.to_string()) })
}

/// The regex crate draws the pattern over several lines; its last line says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or(text).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests;
