//! Sitemaps that are bombs, chains or nonsense.

use super::coding::gzip;
use super::judging::{Crawled, crawl};
use super::plays;
use super::shown;
use super::site::{Peer, Site, answer};

/// A site whose robots.txt names /s0, /s1 and so on, which are `documents` with their types.
fn site(documents: Vec<(&'static str, Vec<u8>)>) -> Site {
    let play = move |peer: &mut Peer, path: &str| {
        let number = path.strip_prefix("/s").and_then(|number| number.parse::<usize>().ok());
        let (media, body) = match number.and_then(|number| documents.get(number)) {
            Some((media, body)) => (*media, body.clone()),
            None if path == "/robots.txt" => {
                let names =
                    (0..documents.len()).map(|n| format!("Sitemap: http://127.0.0.1:{}/s{n}\n", peer.port()));
                ("text/plain", names.collect::<String>().into_bytes())
            }
            None => ("text/html", b"x".to_vec()),
        };
        // What is written as HOST is this one.
        let host = format!("http://127.0.0.1:{}", peer.port());
        let body = match String::from_utf8(body) {
            Ok(text) => text.replace("HOST", &host).into_bytes(),
            Err(octets) => octets.into_bytes(),
        };
        peer.send(answer(&format!("Content-Type: {media}\r\nConnection: close\r\n"), body));
    };
    Site::whole(play)
}

fn crawled(site: &Site, flags: &[&str]) -> Crawled {
    crawl(&[site.url("/")], &[&["--sitemaps"], flags].concat())
}

fn urlset(entries: &str) -> Vec<u8> {
    format!("<?xml version='1.0'?><urlset>{entries}</urlset>").into_bytes()
}

/// M2: bombs.
#[test]
fn m2_a_sitemap_bomb_is_cut_at_its_limits() {
    let spaces = gzip(&[&b"<urlset>"[..], &vec![b' '; 64 << 20]].concat());
    let size = spaces.len();
    let many: String = (0..50_010).map(|_| "<url><loc>HOST/kept</loc></url>").collect();
    let bombs = site(vec![("application/gzip", spaces), ("text/xml", urlset(&many))]);
    let crawled = crawled(&bombs, &["--max-body", "5 MiB"]);
    assert!(crawled.why(&bombs.url("/s1")).contains("only its first 50000 URLs were read"));
    let took = crawled.value("select max(total_ms) from fetches").as_i64().unwrap();
    assert!(took < 2_000, "{took}");
    crawled.became(&bombs.url("/kept")).stored();
    shown(
        "M2",
        &format!("64 MiB in {size} octets are unpacked to the limit; 50,000 URLs of a file are read"),
    );
}

/// M3: chains.
#[test]
fn m3_indexes_end_at_three_levels() {
    let site = plays::sitemaps_in_a_chain();
    let crawled = crawled(&site, &[]);
    let mut asked = site.paths();
    asked.retain(|path| path != "/");
    assert_eq!(asked, ["/sitemap.xml", "/i1", "/i2", "/i3"]);
    assert!(crawled.why(&site.url("/i4")).contains("sitemap-limit"));
    shown("M3", "three indexes below the first are read, each once; the next is skipped as sitemap-limit");
}

/// M5: nonsense.
#[test]
fn m5_nonsense_in_a_sitemap_is_ignored() {
    let entries = "<url><loc>HOST/a</loc><lastmod>9999-99-99T99:99</lastmod><priority>NaN</priority><changefreq>never ever</changefreq></url>\
        <url><lastmod>1</lastmod></url><url><loc/></url><url><loc>javascript:x</loc></url><url><loc>HOST/b</loc><priority>-1e999</priority></url>";
    let site = site(vec![("text/xml", urlset(entries))]);
    let crawled = crawled(&site, &[]);
    crawled.all_stored(&["/a", "/b"].map(|path| site.url(path)));
    assert_eq!(crawled.value("select reason from skipped"), "scheme");
    shown("M5", "both pages are fetched; dates, priorities and frequencies decide nothing");
}

/// M7: other documents.
#[test]
fn m7_a_sitemap_is_what_its_octets_say() {
    let site = site(vec![
        ("text/html", b"<!doctype html><title>no sitemap</title>".to_vec()),
        ("application/json", b"{\"a\": 1}".to_vec()),
        ("text/plain", b"HOST/list\n".to_vec()),
        ("text/html", b"<rss><channel><item><link>HOST/rss</link></item></channel></rss>".to_vec()),
        ("text/plain", b"<feed><entry><link href='HOST/atom'/></entry></feed>".to_vec()),
    ]);
    let crawled = crawled(&site, &[]);
    crawled.all_stored(&["/list", "/rss", "/atom"].map(|path| site.url(path)));
    crawled.all_failed(&["/s0", "/s1"].map(|path| site.url(path)), "not-a-sitemap");
    shown("M7", "a list, RSS and Atom are read whatever they are called; a page and JSON are not-a-sitemap");
}

/// M8: inside.
#[test]
fn m8_a_sitemap_at_a_private_address_is_not_asked_for() {
    let inside = "http://169.254.169.254/sitemap.xml";
    let site = Site::whole(move |peer, path| match path {
        "/robots.txt" => {
            _ = peer.send(answer(
                "Connection: close\r\n",
                format!("Sitemap: {inside}\nSitemap: http://10.0.0.1/s.xml\n"),
            ));
        }
        _ => peer.page("", "x"),
    });
    let crawled = crawled(&site, &["--timeout", "2s"]);
    for url in [inside, "http://10.0.0.1/s.xml"] {
        let reason = crawled.value(&format!("select reason from urls where url = '{url}'"));
        assert!(reason == "forbidden-address", "{url}: {reason}");
    }
    shown("M8", "forbidden-address; the guard is that of pages");
}
