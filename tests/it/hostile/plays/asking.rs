//! What a site asks of its visitors: robots.txt, sitemaps, and patience.

use crate::hostile::site::{Peer, Site, answer};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A site whose robots.txt is sent by `send`; its page links to /no and /yes.
pub(in crate::hostile) fn with_robots(send: impl Fn(&mut Peer) + Send + Sync + 'static) -> Site {
    Site::whole(move |peer, path| match path {
        "/robots.txt" => send(peer),
        "/" => peer.page("", "<a href='/no'>x</a><a href='/yes'>x</a>"),
        _ => peer.page("", "x"),
    })
}

/// B1: without end. 512,000 octets end within `Allow: /no/x...`, which would widen what is forbidden.
pub(in crate::hostile) fn endless_robots() -> Site {
    with_robots(|peer| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /no\n");
        peer.send_for_ever(format!("Allow: /{}\n", "x".repeat(1_000)), Duration::ZERO);
    })
}

/// B2: a page in its place.
pub(in crate::hostile) fn page_for_robots() -> Site {
    with_robots(|peer| peer.page("", "<!doctype html>\n<title>Home</title>\n<p>User-agent is nobody"))
}

/// B4, B5, B6: a status and no more.
pub(in crate::hostile) fn status_for_robots(status: u16, fields: &'static str) -> Site {
    with_robots(move |peer| {
        peer.send(format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n"));
    })
}

/// B7: silence.
pub(in crate::hostile) fn silence_for_robots() -> Site {
    with_robots(crate::hostile::site::Peer::wait)
}

/// B9: files of rules that explode.
pub(in crate::hostile) fn exploding_rules() -> [String; 3] {
    let many: String = (0..15_000).map(|n| format!("Disallow: /*a*{n}$\n")).collect::<Vec<_>>().concat();
    [
        format!("User-agent: *\nDisallow: /{}b\n", "*a".repeat(255_000)),
        format!("User-agent: *\n{many}"),
        format!("User-agent: *\n{}", "Disallow: /*a*a*a*a*b\n".repeat(20_000)),
    ]
}

/// Crawl-delay: a second.
pub(in crate::hostile) fn delaying_robots() -> Site {
    with_robots(|peer| {
        peer.send(answer(
            "Content-Type: text/plain\r\nConnection: close\r\n",
            "User-agent: *\nCrawl-delay: 1\n",
        ));
    })
}

/// M3: sitemaps that name the next, and themselves.
pub(in crate::hostile) fn sitemaps_in_a_chain() -> Site {
    Site::whole(|peer, path| {
        let host = format!("http://127.0.0.1:{}", peer.port());
        let body = match path {
            "/robots.txt" => format!("Sitemap: {host}/sitemap.xml\n"),
            "/" => "x".to_owned(),
            _ => {
                let number = path.strip_prefix("/i").and_then(|number| number.parse().ok());
                let next: u32 = number.unwrap_or(0) + 1;
                format!(
                    "<sitemapindex><sitemap><loc>{host}/i{next}</loc></sitemap><sitemap><loc>{host}{path}</loc></sitemap></sitemapindex>"
                )
            }
        };
        peer.send(answer("Content-Type: text/xml\r\nConnection: close\r\n", body));
    })
}

/// K1: 429 with a Retry-After.
pub(in crate::hostile) fn too_many_requests(field: &'static str) -> Site {
    Site::start(move |peer, _| {
        peer.send(format!("HTTP/1.1 429 X\r\nRetry-After: {field}\r\nContent-Length: 0\r\n\r\n"));
    })
}

/// K1: 429 with Retry-After: 3 for as long, and pages then.
pub(in crate::hostile) fn busy_for_three_seconds() -> Site {
    let first = Mutex::new(None);
    Site::start(move |peer, _| {
        #[expect(clippy::disallowed_methods, reason = "a server's own clock")]
        let now = Instant::now();
        let first = *first.lock().unwrap().get_or_insert(now);
        if now - first < Duration::from_secs(3) {
            peer.send("HTTP/1.1 429 X\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        } else {
            peer.page("", "<title>t</title>");
        }
    })
}
