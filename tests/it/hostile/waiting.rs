//! What servers say of time.

use super::judging::crawl;
use super::plays;
use super::shown;
use super::site::{Site, page};

/// K1: Retry-After.
#[test]
fn k1_nonsense_in_retry_after_leaves_our_own_back_off() {
    const DAY: f64 = 86_400.0;
    let cases = [
        ("120", 120.0),
        ("99999999999999", DAY),
        ("Thu, 01 Jan 2099 00:00:00 GMT", DAY),
        ("-5", 5.0),
        ("soon", 5.0),
        ("1.5", 5.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 5.0),
        ("", 5.0),
    ];
    let sites = cases.map(|(field, _)| plays::too_many_requests(field));
    let urls: Vec<String> = sites.iter().map(|site| site.url("/")).collect();
    let crawled = crawl(&urls, &[]);
    for (site, (field, expected)) in sites.iter().zip(cases) {
        let rest = crawled
            .value(&format!(
                "select (julianday(block_until) - julianday(noted_at)) * 86400 from hosts where host = '{}'",
                site.address
            ))
            .as_f64()
            .unwrap();
        assert!((rest - expected).abs() < 2.0, "{field:?}: {rest}");
        assert_eq!(site.paths().len(), 1, "{field:?}");
        assert_eq!(crawled.became(&site.url("/")).outcome, "throttled");
    }
    shown(
        "K1",
        "kept up to a day; negative, past and garbage: 5 s of our own, doubling; the host waits, no worker does",
    );
}

/// K3: caches.
#[test]
fn k3_nonsense_of_caches_changes_nothing() {
    let fields = [
        "Cache-Control: max-age=99999999999999999999, no-store, private=\"\r\n",
        "Expires: 0\r\nPragma: no-cache\r\nAge: -1\r\n",
        "Cache-Control: \"\"\"\r\nETag: W/\r\nLast-Modified: yesterday\r\n",
    ];
    let site = Site::of(fields.iter().map(|fields| page(fields, "<title>t</title>")).collect());
    let crawled = crawl(&site.urls(3), &[]);
    crawled.all_stored(&site.urls(3));
    assert_eq!(crawled.value("select count(*) from pages where title = 't'"), 3);
    shown("K3", "the pages are stored; nothing is scheduled by it");
}

/// K4: clocks.
#[test]
fn k4_the_clock_of_a_server_is_never_ours() {
    let site = Site::start(|peer, path| {
        let date =
            if path == "/past" { "Thu, 01 Jan 1970 00:00:00 GMT" } else { "Fri, 31 Dec 9999 23:59:59 GMT" };
        peer.page(&format!("Date: {date}\r\nLast-Modified: {date}\r\n"), "x");
    });
    let urls = ["/past", "/future"].map(|path| site.url(path));
    let crawled = crawl(&urls, &[]);
    crawled.all_stored(&urls);
    let ours = "select count(*) from pages where fetched_at between datetime('now', '-1 hour') and '9'";
    assert_eq!(crawled.value(ours), 2);
    shown("K4", "times of rows are ours, whatever Date says");
}

/// K5: languages.
#[test]
fn k5_every_request_asks_for_the_same() {
    let site = Site::start(|peer, _| {
        peer.page("Vary: *\r\nContent-Language: x\r\n", "<a href=/a>x</a><a href=/b>x</a>");
    });
    crawl(&[site.url("/")], &[]);
    let asked: Vec<String> = site
        .log()
        .iter()
        .map(|asked| {
            let lines = asked.head.lines().filter(|line| line.to_lowercase().starts_with("accept"));
            lines.collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(|fields| *fields == asked[0]), "{asked:?}");
    shown("K5", "Accept, Accept-Language and Accept-Encoding were the same in every request");
}
