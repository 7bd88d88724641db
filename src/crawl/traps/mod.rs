//! Traps: parts of the web that go on for ever, and how much of a host is taken.
//!
//! A URL that a rule here holds back is parked, not dropped: it stands in `skipped` with the rule as its reason and all
//! that is needed to open it, and `huntsman release` does so.

mod path;

pub use path::{MAX_SEGMENTS, PathTrap, path_trap};

use crate::crawl::lease::Origin;
use crate::crawl::report::Word;
use ::url::Url;

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
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::RepeatedPath, Self::DeepPath, Self::Far];

    /// The word for it.
    pub fn as_str(self) -> Word {
        match self {
            Self::RepeatedPath => "repeated-path",
            Self::DeepPath => "deep-path",
            Self::Far => "far",
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

/// The rule that holds a URL with this origin back whatever is known of its host, and why.
pub fn trap(url: &Url, origin: Origin) -> Option<(Rule, String)> {
    if let Some(trap) = path_trap(url.path()) {
        return Some((trap.rule(), trap.to_string()));
    }
    // Who sets a depth has said how far is too far.
    let is_far = origin.depth > MAX_FAR && origin.max_depth.is_none();
    is_far.then(|| (Rule::Far, format!("it is more than {MAX_FAR} hops from a seed")))
}
