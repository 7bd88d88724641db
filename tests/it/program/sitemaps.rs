//! `--sitemaps`: pages that no link reaches are found, whatever a sitemap tries and whenever the process dies.

use super::raw_server::{RawServer, page};
use super::{run, said, sql, start, wait_until};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, OnceLock};

/// A site whose documents are given by path; `HOST` in them is where it listens, anything else is a page without links.
fn site(documents: &[(&'static str, &str)]) -> RawServer {
    let host = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&host);
    let documents: BTreeMap<&str, String> =
        documents.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    let server = RawServer::start_bytes(move |path, _| {
        let found =
            documents.get(path).map(|text| text.replace("HOST", known.get().expect("set at the start")));
        let typed = |media: &str| format!("Content-Type: {media}\r\n");
        match (path, found) {
            (_, Some(text)) if text == "404" => (404, String::new(), Vec::new()),
            (_, Some(text)) if path.contains(".xml.gz") => (200, typed("application/gzip"), gzip(&text)),
            (_, Some(text)) if text.starts_with("http") || path == "/robots.txt" => {
                (200, typed("text/plain"), text.into_bytes())
            }
            (_, Some(text)) if text.starts_with("<a") => (200, typed("text/html"), text.into_bytes()),
            (_, Some(text)) => (200, typed("application/xml"), text.into_bytes()),
            ("/robots.txt" | "/sitemap.xml", None) => (404, String::new(), Vec::new()),
            (_, None) => {
                let (status, headers, body) = page(&[]);
                (status, headers, body.into_bytes())
            }
        }
    });
    host.set(server.url("")).unwrap();
    server
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn urlset(urls: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = "<?xml version='1.0'?><urlset>".to_owned();
    for url in urls {
        write!(text, "<url><loc>{}</loc></url>", url.as_ref()).unwrap();
    }
    text + "</urlset>"
}

fn index(urls: &[&str]) -> String {
    let entries =
        urls.iter().fold(String::new(), |text, url| text + "<sitemap><loc>" + url + "</loc></sitemap>");
    format!("<sitemapindex>{entries}</sitemapindex>")
}

fn crawl(folder: &Path, server: &RawServer, more: &[&str]) -> (Output, serde_json::Value) {
    let seed = server.url("/");
    let mut arguments = vec!["crawl", &seed, "--name", "t", "--delay", "0s", "--summary-json", "s.json"];
    arguments.extend(more);
    let output = run(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("s.json")).unwrap()).unwrap();
    let found = &summary["found"];
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    let skipped: u64 =
        found["not_fetched"].as_array().unwrap().iter().map(|reason| number(&reason["count"])).sum();
    let parts =
        ["stored", "redirects", "failed", "sitemaps", "queued", "waiting"].map(|part| number(&found[part]));
    assert_eq!(number(&found["total"]), parts.iter().sum::<u64>() + skipped, "the totals add up: {found}");
    (output, summary)
}

fn stored(folder: &Path, server: &RawServer) -> Vec<String> {
    let urls = sql(&folder.join("crawls/t.db"), "select url from pages order by url");
    urls.into_iter().map(|url| url.replace(&server.url(""), "")).collect()
}

fn why(folder: &Path, url: &str) -> String {
    let output = run(folder, &["why", url]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn pages_that_no_link_reaches_are_found_through_every_form_of_sitemap() {
    let server = site(&[
        (
            "/robots.txt",
            "User-agent: *\nDisallow: /no\nSitemap: HOST/index.xml\nSitemap: HOST/list.txt\nSitemap: /feed\n",
        ),
        ("/", "<a href='/linked'>x</a>"),
        (
            "/index.xml",
            &index(&["HOST/packed.xml.gz", "HOST/nested.xml", "HOST/index.xml", "HOST/moved.xml"]),
        ),
        ("/nested.xml", &index(&["HOST/plain.xml"])),
        ("/packed.xml.gz", &urlset(["HOST/in-gzip", "HOST/linked"])),
        ("/plain.xml", &urlset(["HOST/in-nested?a=1&amp;b=2", "HOST/no/robots", "http://elsewhere.test/x"])),
        ("/list.txt", "HOST/in-text\nHOST/in-text#again\n"),
        ("/feed", "<rss><channel><item><link>HOST/in-feed</link></item></channel></rss>"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let (_, summary) = crawl(folder.path(), &server, &["--sitemaps"]);
    let expected = ["/", "/in-feed", "/in-gzip", "/in-nested?a=1&b=2", "/in-text", "/linked"];
    assert_eq!(stored(folder.path(), &server), expected);
    // The moved one is a page without links, which no sitemap is.
    assert_eq!(summary["problems"][0]["class"], "not-a-sitemap", "{summary}");
    assert_eq!(summary["found"]["sitemaps"], 6, "{summary}");
    assert!(!server.log().iter().any(|request| request.path == "/sitemap.xml"), "robots.txt names some");

    let place = format!("found in the sitemap {}", server.url("/packed.xml.gz"));
    assert!(why(folder.path(), &server.url("/in-gzip")).contains(&place));
    let text = why(folder.path(), "http://elsewhere.test/x");
    assert!(text.contains("out-of-scope") && text.contains(&server.url("/plain.xml")), "{text}");
    let text = why(folder.path(), &server.url("/index.xml"));
    assert!(text.contains(&format!("found as a sitemap in {}", server.url("/robots.txt"))), "{text}");
    assert!(text.contains("200, read") && text.contains("4 sitemaps listed"), "{text}");
    let text = why(folder.path(), &server.url("/no/robots"));
    assert!(text.contains("excluded (robots)"), "{text}");
    let store = folder.path().join("crawls/t.db");
    assert_eq!(
        sql(&store, "select kind, count(*) from fetches group by 1"),
        ["page|6", "robots|1", "sitemap|7"]
    );
    assert_eq!(sql(&store, "select count(*) from pages where url like '%.xml%'"), ["0"]);
}

#[test]
fn where_robots_txt_names_none_the_usual_path_is_tried() {
    let server = site(&[("/sitemap.xml", &urlset(["HOST/orphan"])), ("/orphan", "<a href='/deeper'>x</a>")]);
    let folder = tempfile::tempdir().unwrap();
    crawl(folder.path(), &server, &["--sitemaps", "--depth", "1"]);
    assert_eq!(stored(folder.path(), &server), ["/", "/deeper", "/orphan"], "what a sitemap lists is no hop");
    let text = why(folder.path(), &server.url("/sitemap.xml"));
    assert!(text.contains("by nobody: it is the usual path of a sitemap"), "{text}");
}

#[test]
fn a_sitemap_that_nobody_named_and_that_is_not_there_is_no_problem() {
    let html = "<a href='/x'>not found</a>";
    for (document, detail) in [("404", "http-404"), (html, "not-a-sitemap")] {
        let server = site(&[("/", "<a href='/x'>x</a>"), ("/sitemap.xml", document)]);
        let folder = tempfile::tempdir().unwrap();
        let (_, summary) = crawl(folder.path(), &server, &["--sitemaps"]);
        assert_eq!(summary["problems"], serde_json::json!([]));
        assert_eq!((&summary["found"]["failed"], &summary["found"]["sitemaps"]), (&0.into(), &1.into()));
        assert_eq!(server.log().iter().filter(|request| request.path == "/sitemap.xml").count(), 1);
        let rows =
            sql(&folder.path().join("crawls/t.db"), "select state, reason from urls where sitemap = 'usual'");
        assert_eq!(rows, [format!("read|{detail}")]);
    }
}

#[test]
fn a_named_sitemap_that_is_missing_is_a_problem() {
    let server = site(&[("/robots.txt", "Sitemap: HOST/gone.xml\n"), ("/gone.xml", "404")]);
    let folder = tempfile::tempdir().unwrap();
    let (_, summary) = crawl(folder.path(), &server, &["--sitemaps"]);
    let problem = &summary["problems"][0];
    assert_eq!((&problem["class"], &problem["example"]), (&"404".into(), &server.url("/robots.txt").into()));
}

#[test]
fn without_the_flag_nobody_asks_for_sitemaps() {
    let server =
        site(&[("/robots.txt", "Sitemap: HOST/named.xml\n"), ("/named.xml", &urlset(["HOST/orphan"]))]);
    let folder = tempfile::tempdir().unwrap();
    crawl(folder.path(), &server, &[]);
    let paths: Vec<_> = server.log().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/robots.txt", "/"]);
}

/// M1: entities that grow.
#[test]
fn hostile_sitemaps_end_well() {
    let laughs = "<!DOCTYPE l [<!ENTITY a 'http://h/'><!ENTITY b '&a;&a;&a;&a;'>]><urlset><url><loc>&b;</loc></url></urlset>";
    let many = urlset(
        (0..60_000)
            .map(|at| if at % 6_000 == 0 { format!("HOST/kept/{at}") } else { format!("HOST/left/{at}") }),
    );
    let server = site(&[
        (
            "/robots.txt",
            "Sitemap: HOST/laughs.xml\nSitemap: HOST/many.xml\nSitemap: HOST/loop.xml\nSitemap: HOST/1.xml\n",
        ),
        ("/laughs.xml", laughs),
        ("/many.xml", &many),
        ("/loop.xml", &index(&["HOST/loop.xml", "HOST/pool.xml", "http://169.254.169.254/s.xml"])),
        ("/pool.xml", &index(&["HOST/loop.xml", "HOST/pool.xml"])),
        ("/1.xml", &index(&["HOST/2.xml"])),
        ("/2.xml", &index(&["HOST/3.xml"])),
        ("/3.xml", &index(&["HOST/4.xml"])),
        ("/4.xml", &index(&["HOST/5.xml"])),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let (output, summary) = crawl(folder.path(), &server, &["--sitemaps", "--exclude", "/left/"]);
    let kept: Vec<String> = (0..50_000).step_by(6_000).map(|at| format!("/kept/{at}")).collect();
    let mut expected: Vec<&str> = kept.iter().map(String::as_str).chain(["/"]).collect();
    expected.sort_unstable();
    assert_eq!(stored(folder.path(), &server), expected, "{}", said(&output));
    let problems: Vec<_> = summary["problems"].as_array().unwrap().iter().map(|one| &one["detail"]).collect();
    assert_eq!(problems, ["it has a document type declaration"]);
    let store = folder.path().join("crawls/t.db");
    assert_eq!(
        sql(&store, "select reason, count(*) from skipped group by 1 order by 1"),
        [format!("exclude|{}", 50_000 - kept.len()), "out-of-scope|1".into(), "sitemap-limit|1".into()]
    );
    let asked = |path: &str| server.log().iter().filter(|request| request.path == path).count();
    assert_eq!(["/loop.xml", "/pool.xml", "/4.xml", "/5.xml"].map(asked), [1, 1, 1, 0]);
    assert!(why(folder.path(), &server.url("/many.xml")).contains("only its first 50000 URLs were read"));
    assert!(
        why(folder.path(), &server.url("/5.xml")).contains("sitemap-limit: more than 3 indexes above it")
    );
    crate::hostile::shown("M1", "a document type is refused with that reason, and nothing grows");
}

#[test]
fn a_seed_may_be_a_sitemap() {
    let server = site(&[("/s.xml.gz", &urlset(["HOST/a", "HOST/b"])), ("/a", "<a href='/c'>x</a>")]);
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["crawl", &server.url("/s.xml.gz"), "--name", "t", "--sitemaps", "--depth", "0", "--delay", "0s"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stored(folder.path(), &server), ["/a", "/b"]);
}

#[test]
fn a_process_that_is_killed_while_it_reads_sitemaps_loses_none() {
    const SITEMAPS: usize = 12;
    const PAGES: usize = 40;
    let children: Vec<String> = (0..SITEMAPS).map(|at| format!("HOST/{at}.xml")).collect();
    let children: Vec<&str> = children.iter().map(String::as_str).collect();
    let paths: Vec<&'static str> = (0..SITEMAPS).map(|at| &*format!("/{at}.xml").leak()).collect();
    let lists: Vec<String> =
        (0..SITEMAPS).map(|at| urlset((0..PAGES).map(|page| format!("HOST/{at}/{page}")))).collect();
    let top = index(&children);
    let mut documents = vec![("/robots.txt", "Sitemap: HOST/top.xml\n"), ("/top.xml", &*top)];
    documents.extend(paths.iter().copied().zip(lists.iter().map(String::as_str)));
    let server = site(&documents);
    let folder = tempfile::tempdir().unwrap();
    let seed = server.url("/");
    let first = ["crawl", &seed, "--name", "t", "--sitemaps", "--delay", "1ms", "-q"];
    let resume = ["resume", "t", "-q"];
    for (kill, requests) in [1, 2, 3, 4, 6, 9, 14, 30, 60, 200].into_iter().enumerate() {
        let before = server.log().len();
        let mut process = start(folder.path(), if kill == 0 { &first } else { &resume });
        wait_until("requests", || {
            server.log().len() >= before + requests || process.try_wait().unwrap().is_some()
        });
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let last = run(folder.path(), &resume);
    assert_eq!(last.status.code(), Some(0), "{}", said(&last));
    let pages = stored(folder.path(), &server);
    let mut expected: Vec<String> =
        (0..SITEMAPS).flat_map(|at| (0..PAGES).map(move |page| format!("/{at}/{page}"))).collect();
    expected.push("/".into());
    expected.sort_unstable();
    assert_eq!(pages, expected, "every page, and none twice");
    let store = folder.path().join("crawls/t.db");
    assert_eq!(
        sql(&store, "select sitemap, state, count(*) from urls where sitemap is not null group by 1, 2"),
        [format!("listed-1|read|{SITEMAPS}"), "named|read|1".into()]
    );
}
