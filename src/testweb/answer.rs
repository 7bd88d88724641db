//! A place into an HTTP answer.

use std::{collections::HashSet, sync::Mutex};

use super::{
    RobotsKind,
    place::{Place, put, put_number, put_numbered},
    render::{Scratch, render},
    web::{Fate, Redirect, Spot, Web},
};

/// Transient errors remembered as over; beyond these a page is fine at once.
const TRANSIENTS: usize = 1 << 20;

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Answer {
    /// 200 with the page there.
    Page(Spot),
    /// 304: the asker has the page there.
    Unchanged(Spot),
    /// 200 with the rules.
    Robots,
    /// A redirect with this status.
    Redirect { status: u16, from: Spot, to: Spot },
    /// 503 that asks for a second of patience or does not.
    Unavailable { retry_after: bool },
    /// An error with this status.
    Error(u16),
    /// The connection is closed.
    Close,
}

impl Answer {
    /// The status, or `None` where the connection is closed without one.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::Page(_) | Self::Robots => Some(200),
            Self::Unchanged(_) => Some(304),
            Self::Redirect { status, .. } | Self::Error(status) => Some(status),
            Self::Unavailable { .. } => Some(503),
            Self::Close => None,
        }
    }
}

/// What a request for `place` is answered with, once transient errors are over.
pub(super) fn settled(web: &Web, spot: Spot) -> Answer {
    let Spot { host, place } = spot;
    let exists = match place {
        Place::Robots => return robots(web.settings.robots),
        Place::Page(page) => page < web.pages(),
        Place::Stop { page, stop } => {
            return match web.fate(host, page) {
                Fate::Redirect(redirect) if page < web.pages() && stop < redirect.hops => {
                    sent_on(spot, page, stop, &redirect)
                }
                _ => Answer::Error(404),
            };
        }
        Place::Private(number) => number < web.private_pages(),
        Place::Hosts => host == 0,
        Place::Calendar { .. } | Place::Maze(_) => web.settings.traps,
    };
    let fate = match place {
        _ if !exists => Fate::Missing,
        Place::Page(page) => web.fate(host, page),
        _ => Fate::Fine,
    };
    match fate {
        Fate::Fine | Fate::Transient { .. } => Answer::Page(spot),
        Fate::Missing => Answer::Error(404),
        Fate::Broken => Answer::Error(500),
        Fate::Closing => Answer::Close,
        Fate::Redirect(redirect) => match place {
            Place::Page(page) => sent_on(spot, page, 0, &redirect),
            _ => unreachable!("only pages are redirects"),
        },
    }
}

fn robots(kind: RobotsKind) -> Answer {
    match kind {
        RobotsKind::None => Answer::Error(404),
        RobotsKind::Allow | RobotsKind::Rules => Answer::Robots,
        RobotsKind::Unavailable => Answer::Unavailable { retry_after: false },
    }
}

fn sent_on(from: Spot, page: u32, stop: u32, redirect: &Redirect) -> Answer {
    Answer::Redirect { status: redirect.status, from, to: Web::location(from.host, page, stop, redirect) }
}

/// The pages whose transient error was shown.
#[derive(Default)]
pub(super) struct Transients(Mutex<HashSet<(u32, u32)>>);

impl Transients {
    /// What this request for `spot` is answered with.
    pub(super) fn answer(&self, web: &Web, spot: Spot) -> Answer {
        let settled = settled(web, spot);
        if let (Answer::Page(_), Place::Page(page)) = (settled, spot.place)
            && let Fate::Transient { retry_after } = web.fate(spot.host, page)
        {
            let mut shown = self.0.lock().expect("nobody panics while holding it");
            if shown.len() < TRANSIENTS && shown.insert((spot.host, page)) {
                return Answer::Unavailable { retry_after };
            }
        }
        settled
    }
}

/// How the answer is to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Without its body (HEAD).
    pub(super) head_only: bool,
    pub(super) keep_alive: bool,
    /// Whether the asker speaks HTTP/1.0 and has to be told that the connection stays.
    pub(super) say_keep_alive: bool,
}

/// Appends the answer to `out`, head and body; [`Answer::Close`] is nothing.
pub(super) fn write(web: &Web, answer: Answer, manner: Manner, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Some(status) = answer.status() else { return };
    put(out, status_line(status));
    if let Answer::Page(spot) = answer {
        render(web, spot, scratch);
    } else {
        scratch.body.clear();
        put_plain(web, answer, status, &mut scratch.body);
    }
    let robots = answer == Answer::Robots;
    put(
        out,
        if robots { "Content-Type: text/plain\r\n" } else { "Content-Type: text/html; charset=utf-8\r\n" },
    );
    match answer {
        Answer::Page(spot) | Answer::Unchanged(spot) => {
            put(out, "ETag: ");
            put_tag(web, spot, out);
            put(out, "\r\n");
        }
        Answer::Redirect { from, to, .. } => {
            put(out, "Location: ");
            put_location(web, from, to, out);
            put(out, "\r\n");
        }
        Answer::Unavailable { retry_after: true } => put(out, "Retry-After: 1\r\n"),
        _ => {}
    }
    if status != 304 {
        put_numbered(out, "Content-Length: ", scratch.body.len() as u32, "\r\n");
    }
    if !manner.keep_alive {
        put(out, "Connection: close\r\n");
    } else if manner.say_keep_alive {
        put(out, "Connection: keep-alive\r\n");
    }
    put(out, "\r\n");
    if !manner.head_only {
        out.extend_from_slice(&scratch.body);
    }
}

/// Whether an If-None-Match header holds the tag of the page at `spot`.
pub(super) fn has_tag(web: &Web, spot: Spot, if_none_match: &[u8]) -> bool {
    let mut tag = Vec::new();
    put_tag(web, spot, &mut tag);
    if_none_match
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|sent| sent.strip_prefix(b"W/").unwrap_or(sent) == tag)
}

fn put_tag(web: &Web, spot: Spot, out: &mut Vec<u8>) {
    put_numbered(out, "\"", web.settings.seed as u32, ".");
    put_number(out, spot.host);
    spot.place.write_path(out);
    put(out, "\"");
}

/// A target on the same host is written as a path by every other page, otherwise as a URL.
fn put_location(web: &Web, from: Spot, to: Spot, out: &mut Vec<u8>) {
    let as_path = match from.place {
        Place::Page(page) | Place::Stop { page, .. } => page % 2 == 0,
        _ => false,
    };
    if as_path && from.host == to.host {
        to.place.write_path(out);
    } else {
        web.write_url(to, out);
    }
}

fn put_plain(web: &Web, answer: Answer, status: u16, out: &mut Vec<u8>) {
    match answer {
        Answer::Robots => put_robots(web, out),
        Answer::Unchanged(_) => {}
        _ => {
            put_numbered(out, "<!DOCTYPE html>\n<title>", u32::from(status), "</title>\n<p>");
            put(out, status_line(status)["HTTP/1.1 ".len()..].lines().next().unwrap_or_default());
            put(out, "</p>\n");
        }
    }
}

fn put_robots(web: &Web, out: &mut Vec<u8>) {
    put(out, "User-agent: *\n");
    if web.settings.robots == RobotsKind::Rules {
        put(out, "Disallow: /private/\nAllow: /private/open.html\n");
        if let Some(delay) = web.settings.crawl_delay {
            put(out, &format!("Crawl-delay: {}\n", delay.as_secs_f64()));
        }
    } else {
        put(out, "Disallow:\n");
    }
}

fn status_line(status: u16) -> &'static str {
    match status {
        200 => "HTTP/1.1 200 OK\r\n",
        301 => "HTTP/1.1 301 Moved Permanently\r\n",
        302 => "HTTP/1.1 302 Found\r\n",
        304 => "HTTP/1.1 304 Not Modified\r\n",
        307 => "HTTP/1.1 307 Temporary Redirect\r\n",
        308 => "HTTP/1.1 308 Permanent Redirect\r\n",
        400 => "HTTP/1.1 400 Bad Request\r\n",
        404 => "HTTP/1.1 404 Not Found\r\n",
        405 => "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n",
        431 => "HTTP/1.1 431 Request Header Fields Too Large\r\n",
        503 => "HTTP/1.1 503 Service Unavailable\r\n",
        _ => "HTTP/1.1 500 Internal Server Error\r\n",
    }
}
