//! What is sent, where, how often and how many at a time.

use super::origin::{Origin, Reply};
use super::{crawl, crawl_through, many_hosts};
use std::time::Duration;

#[test]
fn a_proxy_gets_every_request() {
    let proxy = Origin::start(|host, path| match (host, path) {
        (_, "/robots.txt") => Reply::robots("User-agent: *\nDisallow: /no\n"),
        ("site.test", "/") => Reply::links(&["/a", "/no/b", "http://other.test:8080/c"]),
        _ => Reply::links(&[]),
    });
    let crawled = crawl_through(&proxy, "http://site.test/", &["--scope", "any"]);
    let mut lines: Vec<_> = proxy.log().into_iter().map(|asked| asked.line).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "GET http://other.test:8080/c HTTP/1.1",
            "GET http://other.test:8080/robots.txt HTTP/1.1",
            "GET http://site.test/ HTTP/1.1",
            "GET http://site.test/a HTTP/1.1",
            "GET http://site.test/robots.txt HTTP/1.1",
        ]
    );
    assert_eq!(
        crawled.stored("http://"),
        ["other.test:8080/c", "site.test/", "site.test/a"],
        "{}",
        crawled.said()
    );
}

#[test]
fn a_password_of_the_proxy_is_sent_and_never_shown_or_kept() {
    let proxy = Origin::site(|_| Reply::links(&[]));
    let url = proxy.proxy().replace("http://", "http://me:s3cret@");
    let crawled = crawl("http://site.test/", &["--proxy", &url, "-vv"]);
    assert_eq!(proxy.log()[0].field("proxy-authorization"), Some("Basic bWU6czNjcmV0"));
    assert!(!crawled.said().contains("s3cret"), "{}", crawled.said());
    let kept = std::fs::read(crawled.store()).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("s3cret"));
}

#[test]
fn headers_are_sent_with_every_request_and_never_shown_or_kept() {
    let origin = Origin::site(|_| Reply::links(&["/a"]));
    let flags = ["--header", "X-Key: s3cret", "--header", "accept-language: de", "-v"];
    let crawled = crawl(&origin.url("/"), &flags);
    assert_eq!(origin.log().len(), 3);
    for asked in origin.log() {
        assert_eq!(asked.field("x-key"), Some("s3cret"), "{asked:?}");
        assert_eq!(asked.field("accept-language"), Some("de"), "ours is replaced, not sent twice");
        assert_eq!(asked.fields.iter().filter(|(name, _)| name == "accept-language").count(), 1);
    }
    assert!(!crawled.said().contains("s3cret"));
    let kept = std::fs::read(crawled.store()).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("s3cret"));
}

#[test]
fn the_user_agent_is_honest_and_its_product_names_the_robots_group() {
    let robots = "User-agent: mybot\nDisallow: /mine\n\nUser-agent: huntsman\nDisallow: /yours\n";
    let origin = Origin::start(move |_, path| match path {
        "/robots.txt" => Reply::robots(robots),
        "/" => Reply::links(&["/mine", "/yours"]),
        _ => Reply::links(&[]),
    });
    let check = |flags: &[&str], agent: &str, pages: &[&str]| {
        let before = origin.log().len();
        let crawled = crawl(&origin.url("/"), flags);
        for asked in &origin.log()[before..] {
            assert_eq!(asked.field("user-agent"), Some(agent), "{}", asked.url);
        }
        assert_eq!(crawled.stored(&origin.url("")), pages);
    };
    let own = concat!("huntsman/", env!("CARGO_PKG_VERSION"));
    check(&[], own, &["/", "/mine"]);
    check(&["--contact", "me@example.org"], &format!("{own} (+me@example.org)"), &["/", "/mine"]);
    check(&["--user-agent", "MyBot/2.0 (x)"], "MyBot/2.0 (x)", &["/", "/yours"]);
    let both = ["--user-agent", "MyBot/2.0", "--contact", "https://example.org/bot"];
    check(&both, "MyBot/2.0 (+https://example.org/bot)", &["/", "/yours"]);
}

#[test]
fn robots_are_ignored_only_when_asked_and_that_is_said() {
    let origin = Origin::start(|_, path| match path {
        "/robots.txt" => Reply::robots("User-agent: *\nDisallow: /a\n"),
        "/" => Reply::links(&["/a"]),
        _ => Reply::links(&[]),
    });
    let obeyed = crawl(&origin.url("/"), &[]);
    assert_eq!(origin.pages(), ["/"]);
    assert!(!obeyed.said().contains("warning"), "{}", obeyed.said());
    let ignored = crawl(&origin.url("/"), &["--ignore-robots"]);
    assert_eq!(origin.log().len(), 4, "robots.txt is not asked for");
    assert_eq!(origin.pages(), ["/", "/", "/a"]);
    assert!(ignored.said().contains("warning: robots.txt is ignored"), "{}", ignored.said());
}

#[test]
fn a_private_network_is_asked_only_when_allowed() {
    let proxy = Origin::site(|path| match path {
        "/" => Reply::links(&["http://10.1.2.3/in", "http://169.254.169.254/meta"]),
        _ => Reply::links(&[]),
    });
    let flags = ["--scope", "any"];
    let guarded = crawl_through(&proxy, "http://site.test/", &flags);
    assert_eq!(proxy.pages(), ["http://site.test/"]);
    let reasons = guarded.sql("select reason, count(*) from dead_letters group by 1");
    assert_eq!(reasons, ["forbidden-address|2"]);
    let allowed = crawl_through(
        &proxy,
        "http://site.test/",
        &["--scope", "any", "--allow-private", "10.0.0.0/8", "--allow-private", "169.254.0.0/16"],
    );
    assert_eq!(proxy.pages()[1..], ["http://site.test/", "http://10.1.2.3/in"]);
    assert_eq!(
        allowed.sql("select url from dead_letters"),
        ["http://169.254.169.254/meta"],
        "a metadata address must be named by itself"
    );
}

#[test]
fn a_host_gets_one_request_at_a_time_unless_asked_for_more() {
    let links: Vec<String> = (0..30).map(|n| format!("/{n}")).collect();
    let origin = Origin::site(move |path| match path {
        "/" => Reply::links(&links.iter().map(String::as_str).collect::<Vec<_>>()),
        _ => Reply::links(&[]).after(Duration::from_millis(40)),
    });
    let most = |flags: &[&str]| {
        let before = origin.log().len();
        crawl(&origin.url("/"), flags);
        assert_eq!(origin.log().len() - before, 32);
        origin.log()[before..].iter().map(|asked| asked.together).max().unwrap()
    };
    assert_eq!(most(&[]), 1);
    assert_eq!(most(&["--per-host", "4", "--delay", "0"]), 4);
    assert_eq!(most(&["--per-host", "4", "--delay", "0", "--concurrency", "2"]), 2);
}

#[test]
fn the_crawl_never_has_more_requests_in_flight_than_allowed() {
    let proxy = Origin::site(|path| match path {
        "/" => Reply::links(&["/1", "/2", "/3"]).after(Duration::from_millis(30)),
        _ => Reply::links(&[]).after(Duration::from_millis(30)),
    });
    let (_folder, seeds) = many_hosts(12);
    let crawled = crawl_through(&proxy, &seeds, &["--concurrency", "3"]);
    assert_eq!(crawled.sql("select count(*) from pages"), ["48"]);
    assert_eq!(proxy.log().iter().map(|asked| asked.together).max(), Some(3));
}

#[test]
fn a_request_has_the_time_it_is_given() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/slow", "/quick"]),
        "/slow" => Reply::links(&[]).after(Duration::from_secs(20)),
        _ => Reply::links(&[]),
    });
    let crawled = crawl(&origin.url("/"), &["--timeout", "700ms", "--retries", "0"]);
    assert_eq!(crawled.stored(&origin.url("")), ["/", "/quick"]);
    let slow =
        crawled.sql("select error, total_ms >= 700 and total_ms < 3000 from fetches where error is not null");
    assert_eq!(slow, ["first-byte-timeout|1"]);
}

#[test]
fn a_body_is_cut_where_asked_and_what_came_before_is_kept() {
    let origin = Origin::site(|path| match path {
        "/" => {
            let filler = "<p>some words</p>".repeat(5_000);
            Reply::html(format!("<title>long</title><a href=/first>1</a>{filler}<a href=/last>2</a>"))
        }
        _ => Reply::links(&[]),
    });
    let crawled = crawl(&origin.url("/"), &["--max-body", "10 KiB"]);
    assert_eq!(crawled.stored(&origin.url("")), ["/", "/first"]);
    let cut = "select title, bytes, truncated is not null from pages where title = 'long'";
    assert_eq!(crawled.sql(cut), ["long|10240|1"]);
    let whole = crawl(&origin.url("/"), &[]);
    assert_eq!(whole.stored(&origin.url("")), ["/", "/first", "/last"]);
    assert_eq!(whole.sql("select count(*) from pages where truncated is not null"), ["0"]);
}

#[test]
fn retries_are_as_many_as_asked_for() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/broken"]),
        _ => Reply::new(500, "", ""),
    });
    for (retries, requests) in [("0", 1), ("1", 2)] {
        let before = origin.pages().len();
        let crawled = crawl(&origin.url("/"), &["--retries", retries]);
        let asked = origin.pages()[before..].iter().filter(|path| *path == "/broken").count();
        assert_eq!(asked, requests);
        assert_eq!(
            crawled.sql("select reason, attempts from dead_letters"),
            [format!("http-500|{requests}")]
        );
    }
}
