//! The `links` view: exactly the links a page had.

use super::backends::SqlBackend;
use super::made::{at, commit, crawl, page, seed, stored};
use huntsman::crawl::assess::{KeepLinks, Rules, assess};
use huntsman::crawl::lease::{Queued, Token};
use huntsman::crawl::page::{Link, LinkSource, Page};
use huntsman::crawl::report::{Outcome, Report};
use huntsman::crawl::scope::{Scope, ScopeKind, ScopeRules};
use huntsman::crawl::visit::{Answer, Visit};

/// A page with this packed value.
fn packed(url: &Queued, links: Option<&str>) -> Report {
    let mut page = page("t");
    page.links = links.map(str::to_owned);
    Report { outcome: Outcome::Stored(Box::new(page)), ..stored(url) }
}

/// The rows of the view, in its order, as JSON.
async fn rows<B: SqlBackend>(backend: &B) -> Vec<serde_json::Value> {
    let row = format!("{}(crawl_id, source_url, url, anchor, rel, element)", B::JSON_ARRAY);
    let texts = backend.texts(&format!("SELECT CAST({row} AS TEXT) FROM links")).await;
    texts.iter().map(|text| serde_json::from_str(text.as_ref().unwrap()).unwrap()).collect()
}

pub(super) async fn the_view_expands_the_links_of_a_page_in_order<B: SqlBackend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h:81/z/", "http://i/"]).await;
    let first = r#"[["http://h:81"],["/b","B","","a"],["http://x/","","nofollow me","area"],["/a","b \"q\" \\","next","next"],["//h/","","","a"]]"#;
    let second = r#"[["http://i"],["/","i","",  "iframe"]]"#;
    commit(backend.store(), vec![packed(&urls[0], Some(first)), packed(&urls[1], Some(second))]).await;
    let row = |on: &str, url: &str, anchor: &str, rel: &str, element: &str| {
        serde_json::json!([1, on, url, anchor, rel, element])
    };
    assert_eq!(
        rows(&backend).await,
        [
            row("http://h:81/z/", "http://h:81/b", "B", "", "a"),
            row("http://h:81/z/", "http://x/", "", "nofollow me", "area"),
            row("http://h:81/z/", "http://h:81/a", "b \"q\" \\", "next", "next"),
            row("http://h:81/z/", "http://h:81//h/", "", "", "a"),
            row("http://i/", "http://i/", "i", "", "iframe"),
        ]
    );
}

pub(super) async fn a_page_whose_links_are_not_kept_has_none<B: SqlBackend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/1", "http://h/2", "http://h/3"]).await;
    let two = r#"[["http://h"],["/x","","","a"]]"#;
    commit(backend.store(), vec![packed(&urls[0], None), packed(&urls[1], Some(two))]).await;
    commit(backend.store(), vec![packed(&urls[2], Some(r#"[["http://h"]]"#))]).await;
    assert_eq!(rows(&backend).await.len(), 1);
    let contents = backend.contents().await;
    assert_eq!((contents.pages.len(), &contents.pages[0].links_packed), (3, &None));
}

pub(super) async fn links_of_crawls_stay_apart<B: SqlBackend>() {
    let backend = B::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let (_, others) = crawl(backend.store(), "u", &["http://h/"]).await;
    let link = |to: &str| format!(r#"[["http://h"],["/{to}","","","a"]]"#);
    let batch = vec![packed(&urls[0], Some(&link("t"))), packed(&others[0], Some(&link("u")))];
    commit(backend.store(), batch).await;
    let mut seen: Vec<_> = rows(&backend).await.iter().map(|row| format!("{} {}", row[0], row[2])).collect();
    seen.sort();
    assert_eq!(seen, [r#"1 "http://h/t""#, r#"2 "http://h/u""#]);
}

/// The whole way from a parsed page: what `assess` makes of anchors and URLs is what a user reads.
pub(super) async fn what_assess_packs_is_what_the_view_shows<B: SqlBackend>() {
    let links = [
        ("next?a=1&b='2'", "An \"anchor\" with \\ and \u{1} and\nlines \u{1f600}", "", LinkSource::A),
        ("/abs", "", "NoFollow UGC", LinkSource::Area),
        ("//other/x", "other", "", LinkSource::A),
        ("http://h/dir/next?a=1&b='2'#part", "the same again", "", LinkSource::A),
        ("https://h/abs", "tls", "", LinkSource::Iframe),
        ("feed.xml", "", "alternate", LinkSource::Alternate),
    ];
    for keep in [KeepLinks::All, KeepLinks::None] {
        let backend = B::new().await;
        let (_, urls) = crawl(backend.store(), "t", &["http://h/dir/"]).await;
        let mut page = Page::default();
        for (href, anchor, rel, source) in links {
            page.links.push(Link { href, anchor, rel, source, nofollow: rel.starts_with("NoFollow") });
        }
        let mut scope = Scope::new(&ScopeRules::default()).unwrap();
        scope.add_seed(&url::Url::parse("http://h/dir/").unwrap(), ScopeKind::Host);
        let rules = Rules { scope: &scope, links: keep, retries: 2, robots_name: "huntsman" };
        let answer = Answer { status: 200, ..Answer::default() };
        let visit = Visit { started: at(1), first_byte: Some(at(2)), finished: at(3), result: Ok(answer) };
        let report = assess(urls[0].clone(), Token(1), visit, page, &rules);
        assert_eq!(seed("http://h/dir/").key, report.url.key);
        commit(backend.store(), vec![report]).await;
        let rows: Vec<_> = rows(&backend)
            .await
            .into_iter()
            .map(|row| [2, 3, 4, 5].map(|at| row[at].as_str().unwrap().to_owned()))
            .collect();
        let expected = [
            ["http://h/dir/next?a=1&b=%272%27", links[0].1, "", "a"],
            ["http://h/abs", "", "NoFollow UGC", "area"],
            ["http://other/x", "other", "", "a"],
            ["http://h/dir/next?a=1&b=%272%27", "the same again", "", "a"],
            ["https://h/abs", "tls", "", "iframe"],
            ["http://h/dir/feed.xml", "", "alternate", "alternate"],
        ];
        match keep {
            KeepLinks::All => assert_eq!(rows, expected),
            KeepLinks::None => assert!(rows.is_empty() && backend.contents().await.pages.len() == 1),
        }
    }
}
