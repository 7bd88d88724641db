//! Every URL of a web with what it answers, computed without asking.

use std::sync::Arc;

use serde::Serialize;

use super::{
    RobotsKind, Settings,
    answer::{Answer, settled},
    place::Place,
    render::title,
    web::{Fate, Spot, Web},
};

/// What a crawl of one URL should find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The URL in canonical form.
    pub url: String,
    /// The status of its own answer once transient errors are over, so that of a redirect and not of its target;
    /// `None` where the connection is always closed without an answer.
    pub status: Option<u16>,
    /// The text of its title, where it is a page that has one.
    pub title: Option<String>,
    /// Whether a crawl from the first URL that follows all links and redirects and obeys robots.txt asks for it.
    pub reachable: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a URL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first page of a host.
    Root,
    /// Any other page.
    Page,
    /// The page on the first host that lists all roots.
    Hosts,
    /// A page under `/private/`.
    Private,
    /// A redirect that ends somewhere, or a stop of one.
    Redirect,
    /// A redirect that leads back to itself, or a stop of one.
    Loop,
    /// 404.
    Missing,
    /// 500.
    Broken,
    /// The connection is closed without an answer.
    Closing,
    /// 503 to the first request, then a page.
    Transient,
    /// The entry of a trap. What lies behind it has no end and is not in the truth.
    Trap,
}

/// The truth about the web of `settings` when it is served on `port` ([`Settings::port`], unless that is 0).
pub fn truth(settings: &Settings, port: u16) -> impl Iterator<Item = Truth> + Send + use<> {
    of(Arc::new(Web::new(settings, port)))
}

/// The truth about `web`, host by host.
pub(super) fn of(web: Arc<Web>) -> impl Iterator<Item = Truth> + Send {
    let hosts = 0..web.hosts();
    hosts.flat_map(move |host| {
        let web = Arc::clone(&web);
        places(&web, host).map(move |place| truth_of(&web, Spot { host, place }))
    })
}

/// The URLs of all roots.
pub(super) fn roots(web: &Web) -> impl Iterator<Item = String> {
    (0..web.hosts()).map(|host| web.url(Spot { host, place: Place::Page(0) }))
}

/// Every place of a host that can be linked to, robots.txt and the inside of traps excepted.
fn places(web: &Arc<Web>, host: u32) -> impl Iterator<Item = Place> + Send + use<> {
    let pages = {
        let web = Arc::clone(web);
        (0..web.pages()).flat_map(move |page| {
            let stops = match web.fate(host, page) {
                Fate::Redirect(redirect) => redirect.hops,
                _ => 1,
            };
            let stops = (1..stops).map(move |stop| Place::Stop { page, stop });
            std::iter::once(Place::Page(page)).chain(stops)
        })
    };
    let hosts = (host == 0).then_some(Place::Hosts);
    let private = (0..web.private_pages()).map(Place::Private);
    let traps = web.settings.traps.then_some(Place::TRAPS).into_iter().flatten();
    pages.chain(hosts).chain(private).chain(traps)
}

fn truth_of(web: &Web, spot: Spot) -> Truth {
    let answer = settled(web, spot);
    let title = matches!(answer, Answer::Page(_)).then(|| title(web, spot)).flatten();
    Truth {
        url: web.url(spot),
        status: answer.status(),
        title,
        reachable: is_allowed(web.settings.robots, spot.place),
        kind: kind(web, spot),
    }
}

/// Whether robots.txt allows a place. As every page is in a tree of links from the first root, and only what is
/// under `/private/` leads on to what is under `/private/`, this decides what is reachable.
fn is_allowed(robots: RobotsKind, place: Place) -> bool {
    match robots {
        RobotsKind::None | RobotsKind::Allow => true,
        RobotsKind::Rules => !matches!(place, Place::Private(1..)),
        RobotsKind::Unavailable => false,
    }
}

fn kind(web: &Web, spot: Spot) -> Kind {
    let page = match spot.place {
        Place::Page(0) => return Kind::Root,
        Place::Hosts => return Kind::Hosts,
        Place::Private(_) => return Kind::Private,
        Place::Robots | Place::Calendar { .. } | Place::Maze(_) => return Kind::Trap,
        Place::Page(page) | Place::Stop { page, .. } => page,
    };
    match web.fate(spot.host, page) {
        Fate::Fine => Kind::Page,
        Fate::Missing => Kind::Missing,
        Fate::Broken => Kind::Broken,
        Fate::Closing => Kind::Closing,
        Fate::Transient { .. } => Kind::Transient,
        Fate::Redirect(redirect) if redirect.target.is_none() => Kind::Loop,
        Fate::Redirect(_) => Kind::Redirect,
    }
}
