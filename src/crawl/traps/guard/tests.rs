//! The rules against what a site would have to do to pass them, and what it must not cost an honest one.

use super::*;
use crate::crawl::lease::Origin;
use crate::crawl::scope::ScopeKind;
use crate::crawl::url::{UrlKey, parse};

const CRAWL: CrawlId = CrawlId(1);

fn found(url: &str) -> Found {
    let host = HostKey::of(&parse(url).unwrap());
    let origin = Origin::seed(ScopeKind::Any, None, Origin::PRIORITY).outlink();
    Found { key: UrlKey::of(url), url: url.to_owned(), host, origin }
}

#[test]
fn t05_subdomains_without_end_are_parked_and_those_of_a_domain_with_new_pages_are_not() {
    let mut guard = Guard::default();
    let url = |n: u32| found(&format!("http://h{n}.example.org/"));
    let rules: Vec<_> = (0..30).filter_map(|n| guard.judge(CRAWL, &url(n), None, "").err()).collect();
    assert_eq!(
        (rules.len(), rules[0].rule, &*rules[0].parked),
        (10, Rule::DomainHosts, "*.example.org hosts")
    );
    assert!(guard.rooms().is_empty());
    // Another URL of a subdomain that is known, the domain itself, and another domain are none of them.
    for url in [
        "http://h1.example.org/a",
        "http://example.org/",
        "http://www.example.org/",
        "http://h1.example.com/",
    ] {
        assert!(guard.judge(CRAWL, &found(url), None, "").is_ok(), "{url}");
    }
}

#[test]
fn what_was_known_takes_no_room() {
    let mut guard = Guard::default();
    guard.allow(CRAWL, Budgets { host_urls: Some(1), ..Budgets::default() });
    let taken = guard.judge(CRAWL, &found("http://h/a"), None, "").unwrap();
    assert_eq!(guard.judge(CRAWL, &found("http://h/b"), None, "").unwrap_err().rule, Rule::HostUrls);
    assert!(guard.rooms().is_empty());
    guard.give_back(&taken);
    assert_eq!(guard.rooms(), [[Room { crawl: CRAWL, parked: "h urls".into(), most: 1 }]]);
    let room = guard.rooms().remove(0).remove(0);
    guard.emptied(&room);
    assert!(guard.rooms().is_empty());
}

#[test]
fn a_seed_is_never_parked_and_counts() {
    let mut guard = Guard::default();
    guard.allow(CRAWL, Budgets { host_pages: Some(1), ..Budgets::default() });
    let seed = |url: &str| Found { origin: Origin::seed(ScopeKind::Any, None, 5), ..found(url) };
    for url in ["http://h/1", "http://h/2"] {
        assert!(guard.judge(CRAWL, &seed(url), None, "").is_ok());
    }
    assert_eq!(guard.judge(CRAWL, &found("http://h/3"), None, "").unwrap_err().rule, Rule::HostPages);
    assert_eq!(guard.changes().count(), 1);
}

#[test]
fn what_is_opened_in_one_go_is_bounded() {
    let room = |most| Room { crawl: CRAWL, parked: "h urls".into(), most };
    let parts =
        super::in_parts(vec![room(3), room(MOST_AT_ONCE - 3), room(1), room(MOST_AT_ONCE + 1), room(2)]);
    let urls: Vec<usize> = parts.iter().map(|part| part.iter().map(|room| room.most).sum()).collect();
    assert_eq!(urls, [MOST_AT_ONCE, 1, MOST_AT_ONCE + 1, 2]);
    assert!(super::in_parts(Vec::new()).is_empty());
}
