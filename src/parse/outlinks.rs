//! The outlinks of one page while it is read: each distinct `href`, without its fragment, once, within the limits.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Limits;
use crate::crawl::page::{Link, LinkSource, Links};

/// Bytes of a `rel` that are kept.
const MAX_REL: usize = 128;

/// Collects links. The table of known ones is kept from page to page; its hash is seeded, so that a page cannot
/// choose colliding links.
#[derive(Debug, Default)]
pub(super) struct Outlinks {
    links: Links,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
    dropped: u64,
}

impl Outlinks {
    /// Forgets the links of the page before.
    pub(super) fn restart(&mut self) {
        self.known.clear();
        // The table of a huge page would cost every small one its clearing.
        self.known.shrink_to(1_024, |_| 0);
        self.links = Links::default();
        self.dropped = 0;
    }

    /// Takes a link and tells its index if it can still use an anchor text.
    pub(super) fn add(
        &mut self,
        href: &str,
        rel: &str,
        source: LinkSource,
        limits: &Limits,
    ) -> Option<usize> {
        let Self { links, known, hasher, dropped } = self;
        let hash = hasher.hash_one(href.as_bytes());
        let nofollow = has_token(rel, "nofollow");
        let rel = &rel[..rel.floor_char_boundary(MAX_REL)];
        if let Some(index) = known.find(hash, |index| links.href(*index as usize) == href) {
            let index = *index as usize;
            if !nofollow {
                links.allow(index, rel);
            }
            return (!links.has_anchor(index)).then_some(index);
        }
        if links.len() >= limits.links
            || href.len() > limits.href_bytes
            || links.text_len() + href.len() + rel.len() > limits.link_bytes
        {
            *dropped += 1;
            return None;
        }
        if links.is_empty() {
            *links = Links::with_capacity(64, 4_096);
        }
        let index = links.push(Link { href, anchor: "", rel, source, nofollow });
        let (links, hasher) = (&*links, &*hasher);
        known.insert_unique(hash, index as u32, |index| {
            hasher.hash_one(links.href(*index as usize).as_bytes())
        });
        Some(index)
    }

    /// Gives a link its anchor text.
    pub(super) fn set_anchor(&mut self, index: usize, anchor: &str, limits: &Limits) {
        if self.links.text_len() + anchor.len() <= limits.link_bytes {
            self.links.set_anchor(index, anchor);
        }
    }

    /// The links of the page, and how many did not fit.
    pub(super) fn take(&mut self) -> (Links, u64) {
        (std::mem::take(&mut self.links), self.dropped)
    }
}

/// Whether the space separated list `tokens` has `token`, in any case.
pub(super) fn has_token(tokens: &str, token: &str) -> bool {
    tokens.len() >= token.len()
        && tokens.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(token))
}
