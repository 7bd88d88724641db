//! Redirects and links.

use crate::hostile::site::{Site, answer, to};
use std::time::Duration;

/// R1: to itself, and back and forth.
pub(in crate::hostile) fn redirects_in_a_loop() -> Site {
    Site::start(|peer, path| {
        let target = match path {
            "/self" => "/self",
            "/ping" => "/pong",
            _ => "/ping",
        };
        peer.send(to(target));
    })
}

/// R2: a chain from /0 without end.
pub(in crate::hostile) fn redirects_in_a_chain() -> Site {
    Site::start(|peer, path| {
        let number: u32 = path[1..].parse().unwrap_or_default();
        peer.send(to(format!("/{}", number + 1)));
    })
}

/// R3: an empty target.
pub(in crate::hostile) fn redirects_to_nothing() -> Vec<Vec<u8>> {
    vec![to(""), to("  ")]
}

/// R6: targets with octets that are not ASCII.
pub(in crate::hostile) fn redirects_to_octets() -> Site {
    Site::start(|peer, path| match path {
        "/latin" => _ = peer.send(to(b"/caf\xe9")),
        "/utf8" => _ = peer.send(to("/café")),
        "/space" => _ = peer.send(to("/a b\tc")),
        _ => peer.page("", "there"),
    })
}

/// R7: other schemes.
pub(in crate::hostile) const SCHEMES: [&str; 5] =
    ["file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "ftp://127.0.0.1/x", "gopher://h/"];

/// R9: a host that forbids /no, and one that redirects there and to /yes.
pub(in crate::hostile) fn redirects_to_another_host() -> [Site; 2] {
    let other = Site::whole(|peer, path| match path {
        "/robots.txt" => {
            peer.send(answer("Content-Type: text/plain\r\n", "User-agent: *\nDisallow: /no\n"));
        }
        _ => peer.page("", "there"),
    });
    let targets = [other.url("/no"), other.url("/yes")];
    let site = Site::start(move |peer, path| match path {
        "/0" => _ = peer.send(to(&targets[0])),
        "/2" => peer.page("", format!("<a href='{}'>x</a>", "/3")),
        _ => _ = peer.send(to(&targets[1])),
    });
    [site, other]
}

/// R10: a site that redirects to addresses of the inside, of which one listens; and the targets.
pub(in crate::hostile) fn redirects_inside() -> ([Site; 2], Vec<String>) {
    let inside = Site::inside();
    let port = inside.address.port();
    let targets = vec![
        "http://169.254.169.254/latest/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:a00:1]:{port}/"),
        "http://192.168.0.1/".to_owned(),
    ];
    ([Site::of(targets.iter().map(to).collect()), inside], targets)
}

/// R11: a redirect with a body without end.
pub(in crate::hostile) fn redirects_with_a_body() -> Site {
    Site::start(|peer, path| {
        if path == "/" {
            peer.send("HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n");
            peer.send_for_ever([b'x'; 4_096], Duration::ZERO);
        } else {
            peer.page("", "there");
        }
    })
}

/// R14: fifty pages that lead to /login.
pub(in crate::hostile) fn redirects_to_login() -> Site {
    Site::start(|peer, path| {
        peer.stays = true;
        match path {
            "/" => peer.page("", fifty_names()),
            "/login" => peer.page("", "<title>Log in</title>"),
            _ => _ = peer.send(to("/login")),
        }
    })
}

/// Fifty links to pages with names.
fn fifty_names() -> String {
    let names = ('a'..='y').flat_map(|first| ['x', 'y'].map(|second| format!("{first}{second}")));
    names.map(|name| format!("<a href=/{name}>x</a>")).collect::<Vec<_>>().concat()
}

/// U1: a link with a user and a password.
pub(in crate::hostile) fn credentials() -> Site {
    Site::start(|peer, path| {
        let link = format!("<a href='//joe:secret@127.0.0.1:{}/a'>x</a>", peer.port());
        peer.page("", if path == "/" { link.as_str() } else { "x" });
    })
}

/// A page /dir/ with this HTML; the others say nothing.
pub(in crate::hostile) fn linked(html: &str) -> Site {
    let html = html.to_owned();
    Site::start(move |peer, path| {
        let body = if path == "/dir/" { html.as_str() } else { "x" };
        peer.send(answer("Content-Type: text/html; charset=utf-8\r\n", body));
    })
}

/// U8: what browsers forgive; and what they ask for.
pub(in crate::hostile) const FORGIVEN: &str = "<a href='\\a'>x</a><a href='..\\b'>x</a><a href='c\td\ne'>x</a><a href=' f '>x</a><a href='http:g'>x</a><a href='/./h/../i'>x</a>";
pub(in crate::hostile) const FORGIVEN_PATHS: [&str; 6] = ["/a", "/b", "/dir/cde", "/dir/f", "/dir/g", "/i"];

/// U10: what is encoded; and what is to be asked for.
pub(in crate::hostile) const ENCODED: &str = "<a href='/a%2Fb'>x</a><a href='/%252e%252e/c'>x</a><a href='/d%zz'>x</a><a href='/e%00'>x</a>\
    <a href='/%7Euser'>x</a><a href='/~user'>x</a><a href='/x/%2e%2e/f'>x</a>";
pub(in crate::hostile) const ENCODED_PATHS: [&str; 6] =
    ["/%252e%252e/c", "/%7Euser", "/a%2Fb", "/d%zz", "/e%00", "/f"];
