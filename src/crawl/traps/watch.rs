//! What is counted of a host, or of the subdomains of a domain, so that a trap is known by its numbers.
//!
//! A group is what URLs of one kind have in common. It has room for some URLs at first, and for more with each page that is
//! worth it; what it has no room for is parked, and comes back by itself when it has. So a trap costs what it gets at first, and
//! a part of a site of any size is read whole.

use super::sketch::is_near;
use crate::crawl::sitemap::MAX_SITEMAPS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Groups of one host that are counted. Beyond that the smallest one is forgotten.
const MOST_GROUPS: usize = 128;
/// Marks of contents that a group remembers.
const MOST_MARKS: usize = 16;

/// URLs of one template, before its pages are known to be new...
const TEMPLATE: u64 = 48;
/// ... and for each page in which something new was seen, beyond the first ones, ...
const TEMPLATE_FRESH: u64 = 120;
/// ... which any template has. One page of four is looked at.
const TEMPLATE_FIRST: u64 = 2;
/// URLs of one section of a site that were found in the section...
const SECTION: u64 = 48;
/// ... and for each of its pages that is new and links to what is known already, as pages of a site do and random ones do not.
/// What leads to nothing new in the section takes no room at all.
const SECTION_FRESH: u64 = 200;
/// Sets of parameters of one path, before they are taken for facets that are combined freely...
const FACET_SETS: u64 = 8;
/// ... of which so many URLs are taken, ...
const FACETS: u64 = 48;
/// ... and for each that led to something new outside of the path.
const FACETS_FRESH: u64 = 20;
/// Subdomains of a domain, ...
const HOSTS: u64 = 20;
/// ... and for each whose first page is not that of another one.
const HOSTS_FRESH: u64 = 10;

/// The group of the sitemaps of a host.
pub(super) const SITEMAPS: &str = "sitemaps";

/// What kind of a group it is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Template,
    Section,
    Facets,
    /// Sitemaps, however they are nested.
    Sitemaps,
    /// URLs that wait.
    Urls,
    /// Pages.
    Pages,
    /// Subdomains.
    Hosts,
}

impl Kind {
    pub(super) fn of(group: &str) -> Self {
        match group {
            SITEMAPS => Self::Sitemaps,
            "urls" => Self::Urls,
            "pages" => Self::Pages,
            "hosts" => Self::Hosts,
            _ if group.ends_with("/**") => Self::Section,
            _ if group.ends_with("?*") => Self::Facets,
            _ => Self::Template,
        }
    }
}

/// URLs that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    /// URLs that were accepted.
    pub(super) urls: u64,
    /// Pages that were worth it.
    pub(super) fresh: u64,
    /// Contents, or sets of parameters, that were seen: the latest.
    pub(super) marks: Vec<u64>,
    /// Whether URLs may be parked for want of room.
    pub(super) is_waited_for: bool,
}

impl Group {
    /// How many URLs it has room for in all.
    fn most(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Template => TEMPLATE + TEMPLATE_FRESH * self.fresh.saturating_sub(TEMPLATE_FIRST),
            Kind::Section => SECTION + SECTION_FRESH * self.fresh,
            Kind::Facets if self.marks.len() as u64 > FACET_SETS => FACETS + FACETS_FRESH * self.fresh,
            Kind::Sitemaps => MAX_SITEMAPS as u64,
            Kind::Hosts => HOSTS + HOSTS_FRESH * self.fresh,
            _ => u64::MAX,
        }
    }

    pub(super) fn room(&self, kind: Kind) -> u64 {
        self.most(kind).saturating_sub(self.urls)
    }

    /// Remembers a content; `true` where none like it is remembered.
    pub(super) fn learn(&mut self, mark: u64) -> bool {
        if self.marks.iter().any(|known| is_near(*known, mark)) {
            return false;
        }
        if self.marks.len() == MOST_MARKS {
            self.marks.remove(0);
        }
        self.marks.push(mark);
        true
    }

    /// Remembers a set of parameters, as many as matter.
    pub(super) fn add_set(&mut self, set: u64) {
        if self.marks.len() as u64 <= FACET_SETS && !self.marks.contains(&set) {
            self.marks.push(set);
        }
    }
}

/// What is counted of one host, or of the subdomains of one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// URLs that were accepted.
    pub(super) urls: u64,
    /// Of these, those that wait for their visit.
    pub(super) open: u64,
    /// Pages that were stored.
    pub(super) pages: u64,
    pub(super) groups: BTreeMap<String, Group>,
}

impl Watch {
    /// The group of a name, made where it is not there.
    pub(super) fn group(&mut self, name: &str) -> &mut Group {
        if !self.groups.contains_key(name) {
            if self.groups.len() >= MOST_GROUPS {
                let smallest = self.groups.iter().filter(|(_, group)| !group.is_waited_for);
                let smallest = smallest.min_by_key(|(_, group)| group.urls).map(|(name, _)| name.clone());
                smallest.map(|name| self.groups.remove(&name));
            }
            self.groups.insert(name.to_owned(), Group::default());
        }
        self.groups.get_mut(name).expect("it was just made")
    }

    /// As the store holds it.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("numbers and names can be written")
    }

    /// From the store; nothing is known where a later version wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        postcard::from_bytes(bytes).unwrap_or_default()
    }

    /// What became of `before`, done to what another process has made of it meanwhile.
    #[must_use]
    pub fn rebased(&self, before: &Self, current: &Self) -> Self {
        if before == current {
            return self.clone();
        }
        let add = |current: u64, before: u64, now: u64| (current + now).saturating_sub(before);
        let mut merged = current.clone();
        merged.urls = add(current.urls, before.urls, self.urls);
        merged.open = add(current.open, before.open, self.open);
        merged.pages = add(current.pages, before.pages, self.pages);
        for (name, now) in &self.groups {
            let before = before.groups.get(name).cloned().unwrap_or_default();
            let group = merged.group(name);
            group.urls = add(group.urls, before.urls, now.urls);
            group.fresh = add(group.fresh, before.fresh, now.fresh);
            group.is_waited_for |= now.is_waited_for;
            for mark in now.marks.iter().filter(|mark| !before.marks.contains(mark)) {
                if Kind::of(name) == Kind::Facets { group.add_set(*mark) } else { _ = group.learn(*mark) }
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_room_for_more_with_each_new_page_and_none_for_the_same_page_again() {
        let mut group = Group { urls: TEMPLATE, ..Group::default() };
        assert!(group.learn(7) && !group.learn(7) && !group.learn(5), "near is the same");
        group.fresh = TEMPLATE_FIRST;
        assert_eq!(group.room(Kind::Template), 0, "the first page is always new");
        group.fresh += 1;
        assert_eq!(group.room(Kind::Template), TEMPLATE_FRESH);
    }

    #[test]
    fn a_path_with_few_sets_of_parameters_has_any_room() {
        let mut group = Group { urls: 1_000_000, ..Group::default() };
        (0..FACET_SETS).for_each(|set| group.add_set(set));
        assert!(group.room(Kind::Facets) > 1_000_000);
        group.add_set(FACET_SETS);
        assert_eq!(group.room(Kind::Facets), 0);
        (0..1_000).for_each(|set| group.add_set(set));
        assert!(group.marks.len() <= MOST_MARKS, "what matters is kept");
    }

    #[test]
    fn groups_are_bounded_and_the_smallest_goes_first() {
        let mut watch = Watch::default();
        watch.group("/large/{n}").urls = 10;
        (0..10 * MOST_GROUPS).for_each(|n| watch.group(&format!("/{{n}}/{}", "*".repeat(n))).urls = 1);
        assert!(watch.groups.len() <= MOST_GROUPS);
        assert!(watch.groups.contains_key("/large/{n}"));
        assert_eq!(Watch::from_bytes(&watch.to_bytes()), watch);
        assert_eq!(Watch::from_bytes(b"\xff\xffno"), Watch::default());
    }

    #[test]
    fn what_two_processes_count_at_once_adds_up() {
        let mut before = Watch { urls: 10, open: 10, ..Watch::default() };
        before.group("/{n}").urls = 10;
        let (mut one, mut other) = (before.clone(), before.clone());
        one.open = 7;
        one.pages = 3;
        one.group("/{n}").learn(1);
        one.group("/{n}").fresh = 1;
        other.urls = 14;
        other.open = 14;
        other.group("/{n}").urls = 14;
        other.group("/{n}").learn(0xffff);
        other.group("/x/**").is_waited_for = true;
        let both = other.rebased(&before, &one);
        assert_eq!((both.urls, both.open, both.pages), (14, 11, 3));
        let group = &both.groups["/{n}"];
        assert_eq!((group.urls, group.fresh, &group.marks[..]), (14, 1, &[1, 0xffff][..]));
        assert!(both.groups["/x/**"].is_waited_for);
        assert_eq!(other.rebased(&before, &before), other);
    }
}
