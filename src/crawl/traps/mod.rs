//! Traps: parts of the web that go on for ever, and how much of a host is taken.
//!
//! A URL that a rule here holds back is parked, not dropped: it stands in `skipped` with the rule as its reason and all
//! that is needed to open it, and `huntsman release` does so.

mod budgets;
mod guard;
mod path;
mod session;
mod shape;
pub mod sketch;
mod watch;

pub use budgets::Budgets;
pub use guard::{Guard, Held, Room, Taken, WatchName, is_sketched};
pub use path::{MAX_SEGMENTS, PathTrap, path_trap};
pub(in crate::crawl) use session::{is_session, may_have_session, without_session};
pub(in crate::crawl) use shape::Section;
pub use shape::{is_templated, template};
pub use watch::Watch;

use crate::crawl::lease::Origin;
use crate::crawl::report::Word;

/// Hops from a seed beyond which a crawl without a limit of its own does not follow links.
pub const MAX_FAR: u32 = 500;

/// The rules that park URLs: `skipped.reason` has their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A part of the path repeats itself.
    RepeatedPath,
    /// The path has too many segments.
    DeepPath,
    /// Too many hops from a seed.
    Far,
    /// Enough of numbered pages, or of answers to a query, that bring nothing new.
    Template,
    /// Enough of a part of a site whose pages lead to nothing that is known.
    Section,
    /// Enough combinations of parameters.
    Facets,
    /// Enough sitemaps of the host.
    HostSitemaps,
    /// Enough URLs of the host wait.
    HostUrls,
    /// Enough pages of the host.
    HostPages,
    /// Enough URLs of the subdomains of a domain wait.
    DomainUrls,
    /// Enough pages of the subdomains of a domain.
    DomainPages,
    /// Enough subdomains of a domain.
    DomainHosts,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 12] = [
        Self::RepeatedPath,
        Self::DeepPath,
        Self::Far,
        Self::Template,
        Self::Section,
        Self::Facets,
        Self::HostSitemaps,
        Self::HostUrls,
        Self::HostPages,
        Self::DomainUrls,
        Self::DomainPages,
        Self::DomainHosts,
    ];

    /// The word for it.
    pub fn as_str(self) -> Word {
        match self {
            Self::RepeatedPath => "repeated-path",
            Self::DeepPath => "deep-path",
            Self::Far => "far",
            Self::Template => "template",
            Self::Section => "section",
            Self::Facets => "facets",
            Self::HostSitemaps => "host-sitemaps",
            Self::HostUrls => "host-urls",
            Self::HostPages => "host-pages",
            Self::DomainUrls => "domain-urls",
            Self::DomainPages => "domain-pages",
            Self::DomainHosts => "domain-hosts",
        }
    }

    /// The rule of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }

    /// What `skipped.detail` says: why, and what takes it back.
    pub fn detail(self, why: &str, host: &str) -> String {
        format!("{why}; fetch it all the same: huntsman release --rule {} --host {host}", self.as_str())
    }
}

/// The rule that holds a URL with this path and origin back whatever is known of its host, and why.
pub fn trap(path: &str, origin: Origin) -> Option<(Rule, String)> {
    if let Some(trap) = path_trap(path) {
        return Some((trap.rule(), trap.to_string()));
    }
    // Who sets a depth has said how far is too far.
    let is_far = origin.depth > MAX_FAR && origin.max_depth.is_none();
    is_far.then(|| (Rule::Far, format!("it is more than {MAX_FAR} hops from a seed")))
}
