//! Which URLs belong to a crawl, how deep it goes and how many pages it stores.

use super::origin::{Origin, Reply};
use super::{crawl, crawl_through, many_hosts};
use std::time::Duration;

#[test]
fn each_scope_opens_what_it_says() {
    let proxy = Origin::start(|_, path| match path {
        "/robots.txt" => Reply::gone(),
        "/docs/a" => Reply::links(&[
            "/docs/b",
            "/docs/sub/c",
            "/docs",
            "/other",
            "http://site.co.uk/d",
            "http://shop.site.co.uk/e",
            "http://www.site.co.uk:8080/f",
            "http://else.co.uk/g",
        ]),
        _ => Reply::links(&[]),
    });
    let page = ["www.site.co.uk/docs/a"];
    let prefix = ["www.site.co.uk/docs/b", "www.site.co.uk/docs/sub/c"];
    let host = ["site.co.uk/d", "www.site.co.uk/docs", "www.site.co.uk/other"];
    let domain = ["shop.site.co.uk/e", "www.site.co.uk:8080/f"];
    let any = ["else.co.uk/g"];
    let steps: [(&str, &[&str]); 5] =
        [("page", &page), ("prefix", &prefix), ("host", &host), ("domain", &domain), ("any", &any)];
    let mut expected: Vec<&str> = Vec::new();
    for (scope, opened) in steps {
        expected.extend(opened);
        expected.sort_unstable();
        let crawled = crawl_through(&proxy, "http://www.site.co.uk/docs/a", &["--scope", scope]);
        assert_eq!(crawled.stored("http://"), expected, "--scope {scope}");
        let skipped = crawled.sql("select count(*) from skipped where reason = 'out-of-scope'");
        assert_eq!(skipped, [(9 - expected.len()).to_string()], "--scope {scope}");
    }
    let usual = crawl_through(&proxy, "http://www.site.co.uk/docs/a", &[]);
    assert_eq!(usual.sql("select count(*) from pages"), ["6"], "host is the default");
}

#[test]
fn patterns_keep_and_drop_and_the_drop_wins() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/a.html", "/b.html", "/c.pdf", "/keep/x", "/keep/b.html"]),
        _ => Reply::links(&[]),
    });
    let flags = ["--include", r"\.html$", "--include", "/keep/", "--exclude", r"/b\.html$"];
    let crawled = crawl(&origin.url("/"), &flags);
    assert_eq!(crawled.stored(&origin.url("")), ["/", "/a.html", "/keep/x"]);
    let skipped = crawled.sql("select reason, detail, count(*) from skipped group by 1, 2 order by 1");
    assert_eq!(skipped, [r"exclude|/b\.html$|2", "include|matches no include pattern|1"]);
}

#[test]
fn depth_counts_hops_and_a_shorter_way_found_later_counts() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/1", "/late"]),
        "/1" => Reply::links(&["/2"]),
        "/2" | "/late" => Reply::links(&["/3"]),
        "/3" => Reply::links(&["/4"]),
        _ => Reply::links(&[]),
    });
    let at_depth = |depth: &str| {
        let crawled = crawl(&origin.url("/"), &["-d", depth]);
        let skipped = crawled.sql("select count(*) from skipped where reason = 'depth'");
        (crawled.stored(&origin.url("")).join(" "), skipped.concat())
    };
    assert_eq!(at_depth("0"), ("/".into(), "2".into()));
    assert_eq!(at_depth("1"), ("/ /1 /late".into(), "2".into()));
    assert_eq!(at_depth("2"), ("/ /1 /2 /3 /late".into(), "1".into()));
    assert_eq!(at_depth("none").0, "/ /1 /2 /3 /4 /late");
}

#[test]
fn a_page_limit_is_exact_over_many_hosts_and_keeps_the_rest_for_later() {
    let proxy = Origin::site(|path| match path {
        "/" => Reply::links(&["/1", "/2", "/3"]).after(Duration::from_millis(5)),
        _ => Reply::links(&[]).after(Duration::from_millis(5)),
    });
    let (_folder, seeds) = many_hosts(20);
    let crawled = crawl_through(&proxy, &seeds, &["-n", "33"]);
    assert_eq!(crawled.sql("select count(*), count(distinct url) from pages"), ["33|33"]);
    assert_eq!(crawled.sql("select state from crawls"), ["limited"]);
    assert!(crawled.said().contains("the limit of 33 pages is reached"), "{}", crawled.said());
    assert!(crawled.said().contains("huntsman resume t --max-pages none"), "{}", crawled.said());
    let proxied = ["--proxy", &proxy.proxy(), "--delay", "0", "--max-pages", "none"];
    let resumed = super::run(crawled.folder.path(), &[&["resume"], &proxied[..]].concat());
    assert_eq!(resumed.status.code(), Some(0), "{}", super::said(&resumed));
    assert_eq!(crawled.sql("select count(*), count(distinct url) from pages"), ["80|80"]);
}
