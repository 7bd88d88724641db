//! Sitemaps: what makes a URL one, what was read from one, and how much of them is read (sitemaps.org protocol 0.9).

use serde::{Deserialize, Serialize};

/// URLs read from one file, as the protocol limits them.
pub const MAX_URLS: usize = 50_000;
/// Decoded bytes read from one file, as the protocol limits them; a smaller limit of the crawl wins.
pub const MAX_BYTES: usize = 50 << 20;
/// Sitemaps taken from one index.
pub const MAX_SITEMAPS: usize = 1_000;
/// Indexes one below the other; the protocol knows one.
pub const MAX_NESTING: u8 = 3;

/// Why a URL is visited as a sitemap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sitemap {
    /// It is the usual path on a host whose robots.txt names none: nothing is wrong where there is none.
    Usual,
    /// robots.txt names it.
    Named,
    /// An index lists it; so many indexes are above it, [`MAX_NESTING`] at most.
    Listed(u8),
}

impl Sitemap {
    /// Every one that a URL can be.
    pub const ALL: [Self; 5] =
        [Self::Usual, Self::Named, Self::Listed(1), Self::Listed(2), Self::Listed(MAX_NESTING)];

    /// The word that `urls.sitemap` holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Named => "named",
            Self::Listed(..=1) => "listed-1",
            Self::Listed(2) => "listed-2",
            Self::Listed(_) => "listed-3",
        }
    }

    /// The sitemap of that word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sitemap| sitemap.as_str() == word)
    }

    /// What a sitemap is that stands in this one; `None` below the lowest.
    pub fn below(self) -> Option<Self> {
        let above = match self {
            Self::Usual | Self::Named => 0,
            Self::Listed(above) => above,
        };
        (above < MAX_NESTING).then(|| Self::Listed(above + 1))
    }
}

/// What a sitemap lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// Pages.
    Pages,
    /// Other sitemaps.
    Sitemaps,
}

/// What was read from a sitemap: raw URLs in the order of the file, with repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What the URLs are.
    pub lists: Lists,
    /// The URLs as written, white space around them removed and references resolved.
    pub urls: Vec<String>,
    /// Why the file was not read to its end, where it was not.
    pub cut: Option<String>,
}

/// Why a document is no sitemap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSitemap(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sitemap_has_its_word_and_nesting_ends() {
        for sitemap in Sitemap::ALL {
            assert_eq!(Sitemap::from_stored(sitemap.as_str()), Some(sitemap));
        }
        let mut below = vec![Sitemap::Usual];
        while let Some(next) = below.last().and_then(|last| last.below()) {
            below.push(next);
        }
        assert_eq!(below.len(), 1 + usize::from(MAX_NESTING));
        assert!(below.iter().all(|sitemap| Sitemap::ALL.contains(sitemap)));
    }
}
