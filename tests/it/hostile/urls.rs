//! Links as nobody should write them.

use super::judging::{Crawled, crawl};
use super::plays;
use super::shown;
use super::site::Site;

/// Crawls a page with `html`, whose other pages say nothing; answers with the paths that were asked for.
fn linked(html: &str, flags: &[&str]) -> (Crawled, Site, Vec<String>) {
    let site = plays::linked(html);
    let crawled = crawl(&[site.url("/dir/")], flags);
    let mut paths = site.paths();
    paths.retain(|path| path != "/dir/");
    paths.sort();
    (crawled, site, paths)
}

/// The reasons of `skipped`, with their numbers.
fn skipped(crawled: &Crawled) -> Vec<String> {
    let rows = crawled.rows("select reason, count(*) as n from skipped group by 1 order by 1");
    rows.iter().map(|row| format!("{} {}", row["reason"].as_str().unwrap(), row["n"])).collect()
}

/// U1: userinfo.
#[test]
fn u1_credentials_in_a_link_are_neither_kept_nor_sent() {
    let site = plays::credentials();
    let crawled = crawl(&[site.url("/")], &[]);
    crawled.became(&site.url("/a")).stored();
    assert!(site.log().iter().all(|asked| !asked.head.to_lowercase().contains("authorization")));
    let text = std::fs::read(crawled.store()).unwrap();
    assert!(memchr::memmem::find(&text, b"secret").is_none(), "the store holds the password");
    shown("U1", "the page was fetched without them, and the store holds no password");
}

/// U2: ports.
#[test]
fn u2_ports_that_are_none_are_refused() {
    let (crawled, _, paths) = linked(
        "<a href=http://h:0/>x</a><a href=http://h:65536/>x</a><a href=http://h:-1/>x</a><a href=http://h:00080/>x</a>",
        &[],
    );
    assert!(paths.is_empty());
    assert_eq!(skipped(&crawled), ["invalid-url 3", "out-of-scope 1"]);
    assert_eq!(crawled.value("select url from skipped where reason = 'out-of-scope'"), "http://h/");
    shown("U2", "0, 65536 and -1 are invalid-url; 00080 is 80");
}

/// U3: ports of others.
#[test]
fn u3_ports_of_other_protocols_are_not_asked() {
    let ports = [22, 25, 6_379, 5_432, 3_306, 11_211];
    let urls: Vec<String> = ports.iter().map(|port| format!("http://127.0.0.1:{port}/")).collect();
    let crawled = crawl(&urls, &["--ignore-robots"]);
    crawled.all_failed(&urls, "forbidden-address");
    shown("U3", "forbidden-address for 22, 25, 6379, 5432, 3306 and 11211");
}

/// U4: IPv6.
#[test]
fn u4_broken_addresses_are_no_urls() {
    let (crawled, _, _) = linked(
        "<a href='http://[::1'>x</a><a href='http://[::1%25eth0]/'>x</a><a href='http://[g::1]/'>x</a>\
         <a href='http://1.2.3.4.5/'>x</a><a href='http://999.1.1.1/'>x</a><a href='http://[::1]/'>x</a>",
        &[],
    );
    assert_eq!(skipped(&crawled), ["invalid-url 5", "out-of-scope 1"]);
    shown("U4", "zones, broken brackets and what is no address: invalid-url");
}

/// U5: addresses in other forms.
#[test]
fn u5_an_address_is_what_it_is_however_it_is_written() {
    let site = Site::start(|peer, path| {
        let port = peer.port();
        let hosts = ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0x7f000001"];
        let links: String = hosts
            .iter()
            .enumerate()
            .map(|(n, host)| format!("<a href='http://{host}:{port}/{n}'>x</a>"))
            .collect::<Vec<_>>()
            .concat();
        peer.page("", if path == "/" { links } else { String::new() });
    });
    let crawled = crawl(&[site.url("/")], &[]);
    let pages = ["/0", "/1", "/2", "/3", "/4"].map(|path| site.url(path));
    crawled.all_stored(&pages);
    assert_eq!(crawled.value("select count(distinct host) from urls"), 1);
    shown("U5", "five forms of 127.0.0.1 are one host; the guard sees the address (S1 to S6)");
}

/// U6: names that look like others.
#[test]
fn u6_a_name_is_kept_in_its_ascii_form() {
    let (crawled, _, _) = linked(
        "<a href='http://аpple.example/'>x</a><a href='http://BÜCHER.example/'>x</a><a href='http://xn--a.example/'>x</a>",
        &[],
    );
    let urls = crawled.rows("select url from skipped where reason = 'out-of-scope' order by url");
    let urls: Vec<&str> = urls.iter().map(|row| row["url"].as_str().unwrap()).collect();
    assert_eq!(urls, ["http://xn--bcher-kva.example/", "http://xn--pple-43d.example/"]);
    assert_eq!(crawled.value("select count(*) from skipped where reason = 'invalid-url'"), 1);
    shown("U6", "xn--pple-43d and xn--bcher-kva; a mask that decodes to nothing is invalid-url");
}

/// U8: what browsers forgive.
#[test]
fn u8_links_are_read_as_browsers_read_them() {
    let (_, _, paths) = linked(plays::FORGIVEN, &[]);
    assert_eq!(paths, plays::FORGIVEN_PATHS);
    shown("U8", "six forms, each the URL that a browser asks for");
}

/// U10: encodings.
#[test]
fn u10_what_is_encoded_stays_encoded() {
    let (crawled, site, paths) = linked(plays::ENCODED, &[]);
    assert_eq!(paths, plays::ENCODED_PATHS);
    crawled.became(&site.url("/a%2Fb")).stored();
    shown("U10", "nothing is decoded twice; %7E and ~ are one URL, %2F and / are two");
}

/// U11: no pages.
#[test]
fn u11_what_is_no_page_is_counted_and_not_followed() {
    let (crawled, _, paths) = linked(
        "<a href='#a'>x</a><a href='javascript:x()'>x</a><a href='mailto:a@b'>x</a><a href='tel:1'>x</a><a href='data:,x'>x</a><a href=''>x</a>",
        &[],
    );
    assert!(paths.is_empty());
    assert_eq!(skipped(&crawled), ["scheme 4"]);
    assert_eq!(crawled.value("select links_total from pages"), 6);
    shown("U11", "4 are skipped for their scheme, all 6 are counted");
}

/// U12: bases.
#[test]
fn u12_only_the_first_base_counts_and_only_if_it_is_http() {
    let (_, _, paths) = linked("<base href='/one/'><base href='/two/'><a href=a>x</a>", &[]);
    assert_eq!(paths, ["/one/a"]);
    for base in ["data:text/html,x", "javascript:x", "http://[", "ftp://h/"] {
        let (_, _, paths) = linked(&format!("<base href='{base}'><a href=a>x</a>"), &[]);
        assert_eq!(paths, ["/dir/a"], "{base}");
    }
    let (crawled, _, paths) = linked("<base href='http://other.example/'><a href=a>x</a>", &[]);
    assert!(paths.is_empty());
    assert_eq!(skipped(&crawled), ["out-of-scope 1"]);
    shown(
        "U12",
        "the first of two; data:, javascript:, ftp: and nonsense count for nothing; another host is another host",
    );
}
