//! The shape of the web: addresses, fates, the trees that make every page reachable, redirects.
//!
//! Nothing here is stored: each answer is drawn anew from (seed, host, page).

use std::net::Ipv4Addr;

use super::{
    RobotsKind, Settings,
    dice::{Dice, Draw},
    filler::Filler,
    place::{Place, put},
};

/// Most tree links of a page in a flat web, and most hosts that `/hosts.html` lists: a page of links that a
/// crawler may still read whole.
pub(super) const FLAT_WIDTH: u32 = 5_000;

/// Most tree links of a page otherwise, unless it adopts.
const WIDTH: u32 = 8;

/// Hosts whose roots a root links to: the tree over hosts.
const HOST_WIDTH: u32 = 2;

/// One in so many redirects leads back to itself.
const LOOPS: u32 = 20;

/// A place on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Spot {
    pub(super) host: u32,
    pub(super) place: Place,
}

/// What becomes of a request for a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    Fine,
    /// Always 404.
    Missing,
    /// Always 500.
    Broken,
    /// The connection is closed without an answer, always.
    Closing,
    /// 503 to the first request, with or without a Retry-After, then fine.
    Transient {
        retry_after: bool,
    },
    Redirect(Redirect),
}

/// A page that is elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Redirect {
    pub(super) status: u16,
    /// Redirects until the target, 1 to 3: the page itself and its stops.
    pub(super) hops: u32,
    /// Where it ends; `None` where it leads back to the page.
    pub(super) target: Option<Spot>,
}

/// A web before anybody serves it.
#[derive(Debug)]
pub(super) struct Web {
    pub(super) settings: Settings,
    /// Host and port of each host, as they stand in its URLs.
    authorities: Vec<String>,
    pub(super) filler: Filler,
}

impl Web {
    /// The web of `settings` on `port`. There is at least one host and one page.
    pub(super) fn new(settings: &Settings, port: u16) -> Self {
        let mut settings = settings.clone();
        settings.hosts = settings.hosts.max(1);
        settings.pages = settings.pages.max(1);
        let authority = |host| match port {
            80 => address(host).to_string(),
            _ => format!("{}:{port}", address(host)),
        };
        let authorities = (0..settings.hosts).map(authority).collect();
        let filler = Filler::new(settings.seed);
        Self { settings, authorities, filler }
    }

    pub(super) fn hosts(&self) -> u32 {
        self.settings.hosts
    }

    pub(super) fn pages(&self) -> u32 {
        self.settings.pages
    }

    /// Pages under `/private/` of each host.
    pub(super) fn private_pages(&self) -> u32 {
        match self.settings.robots {
            RobotsKind::Rules => (self.settings.pages / 10).max(2),
            _ => 0,
        }
    }

    pub(super) fn authority(&self, host: u32) -> &str {
        &self.authorities[host as usize]
    }

    pub(super) fn write_url(&self, spot: Spot, out: &mut Vec<u8>) {
        put(out, "http://");
        put(out, self.authority(spot.host));
        spot.place.write_path(out);
    }

    pub(super) fn url(&self, spot: Spot) -> String {
        let mut out = Vec::new();
        self.write_url(spot, &mut out);
        String::from_utf8(out).expect("URLs of this web are ASCII")
    }

    pub(super) fn dice(&self, host: u32, number: u32, draw: Draw) -> Dice {
        Dice::new(self.settings.seed, host, number, draw)
    }

    /// What becomes of a request for `page`; a root is always fine.
    pub(super) fn fate(&self, host: u32, page: u32) -> Fate {
        let Settings { error_rate, redirects, .. } = self.settings;
        if page == 0 || error_rate + redirects <= 0.0 {
            return Fate::Fine;
        }
        let mut dice = self.dice(host, page, Draw::Fate);
        let share = dice.share();
        if share < error_rate {
            match dice.below(8) {
                0..3 => Fate::Missing,
                3..5 => Fate::Broken,
                5 => Fate::Closing,
                _ => Fate::Transient { retry_after: dice.once_in(2) },
            }
        } else if share < error_rate + redirects {
            Fate::Redirect(self.redirect(host, &mut dice))
        } else {
            Fate::Fine
        }
    }

    fn redirect(&self, host: u32, dice: &mut Dice) -> Redirect {
        let status = dice.pick(&[301, 302, 307, 308]);
        let hops = dice.pick(&[1, 1, 1, 1, 2, 2, 3]);
        if dice.once_in(LOOPS) {
            return Redirect { status, hops, target: None };
        }
        if self.private_pages() > 0 && dice.once_in(16) {
            let place = Place::Private(dice.below(self.private_pages()));
            return Redirect { status, hops, target: Some(Spot { host, place }) };
        }
        let host = if dice.once_in(4) { dice.below(self.hosts()) } else { host };
        // A few draws for a page that is no redirect itself; the root never is.
        let page = (0..8)
            .map(|_| dice.below(self.pages()))
            .find(|page| !self.is_redirect(host, *page))
            .unwrap_or_default();
        Redirect { status, hops, target: Some(Spot { host, place: Place::Page(page) }) }
    }

    fn is_redirect(&self, host: u32, page: u32) -> bool {
        let Settings { error_rate, redirects, .. } = self.settings;
        page != 0 && (error_rate..error_rate + redirects).contains(&self.dice(host, page, Draw::Fate).share())
    }

    /// Whether `page` answers with its links, now or after a transient error.
    fn has_links(&self, host: u32, page: u32) -> bool {
        let Settings { error_rate, redirects, .. } = self.settings;
        error_rate + redirects <= 0.0 || matches!(self.fate(host, page), Fate::Fine | Fate::Transient { .. })
    }

    /// Where a request for `page`, or for the given stop after it, is sent.
    pub(super) fn location(host: u32, page: u32, stop: u32, redirect: &Redirect) -> Spot {
        if stop + 1 < redirect.hops {
            Spot { host, place: Place::Stop { page, stop: stop + 1 } }
        } else {
            redirect.target.unwrap_or(Spot { host, place: Place::Page(page) })
        }
    }

    /// Fills `tree` with the pages that `page` must link to. A page without links has its own adopted by its
    /// parent, so every page is reachable from the root whatever the errors and redirects.
    pub(super) fn tree(&self, host: u32, page: u32, tree: &mut Vec<u32>) {
        let width = if self.settings.flat { FLAT_WIDTH } else { self.settings.links.clamp(2, WIDTH) };
        tree.clear();
        tree.extend(children(page, width, self.pages()));
        let mut next = 0;
        while let Some(child) = tree.get(next).copied() {
            let mut orphans = children(child, width, self.pages()).peekable();
            if orphans.peek().is_some() && !self.has_links(host, child) {
                tree.extend(orphans);
            }
            next += 1;
        }
    }

    /// The hosts whose roots the root of `host` must link to.
    pub(super) fn host_tree(&self, host: u32) -> impl Iterator<Item = u32> {
        let width = if self.settings.flat { FLAT_WIDTH } else { HOST_WIDTH };
        children(host, width, self.hosts())
    }
}

/// The children of `parent` in the tree of the numbers below `count` where each has `width` of them.
fn children(parent: u32, width: u32, count: u32) -> impl Iterator<Item = u32> {
    let first = u64::from(parent) * u64::from(width) + 1;
    let end = (first + u64::from(width)).min(u64::from(count));
    (first..end).map(|child| child as u32)
}

/// Hosts there are addresses for.
pub(super) const HOSTS_MOST: u32 = 255 * 256 * 254;

/// The address of a host: 127.1.0.1 upward, without those that end in 0 or 255.
pub(super) fn address(host: u32) -> Ipv4Addr {
    let (network, last) = (host / 254, host % 254 + 1);
    Ipv4Addr::new(127, (network / 256 + 1) as u8, (network % 256) as u8, last as u8)
}
