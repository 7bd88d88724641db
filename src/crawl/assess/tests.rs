//! What a report says of each answer and failure, and what becomes of the outlinks.

use super::*;
use crate::crawl::lease::{CrawlId, Origin};
use crate::crawl::scope::{ScopeKind, ScopeRules};
use crate::crawl::sitemap::{Listing, Lists, MAX_SITEMAPS, NoSitemap, Sitemap};
use crate::crawl::visit::FailureClass;
use std::time::Duration;

const AT: Timestamp = Timestamp::from_millis(5_000);

fn queued(text: &str, origin: Origin) -> Queued {
    let url = url::parse(text).unwrap();
    Queued {
        crawl: CrawlId(1),
        key: UrlKey::of(&canonical(&url)),
        host: HostKey::of(&url),
        url: url.into(),
        origin,
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    }
}

fn seed() -> Origin {
    Origin::seed(ScopeKind::Host, Some(1), Origin::PRIORITY)
}

fn visit(result: Result<Answer, Failure>) -> Visit {
    Visit { started: AT, first_byte: Some(AT), finished: AT, result }
}

fn listed(url: Queued, listing: Result<(Lists, &[&str]), &str>) -> Report {
    let rules = ScopeRules { exclude: vec!["/private/".into()], ..ScopeRules::default() };
    let mut scope = Scope::new(&rules).unwrap();
    scope.add_seed(&url::parse("http://h/docs/").unwrap(), ScopeKind::Prefix);
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2, robots_name: "huntsman" };
    let owned = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect();
    let listing = listing
        .map(|(lists, urls)| Listing { lists, urls: owned(urls), cut: None })
        .map_err(|why| NoSitemap(why.into()));
    sitemap(url, Token(7), &visit(Ok(ok())), listing, &rules)
}

fn check(url: Queued, answer: Answer, html: &str) -> Report {
    let mut scope = Scope::new(&ScopeRules::default()).unwrap();
    scope.add_seed(&url::parse("http://h/").unwrap(), ScopeKind::Host);
    let want = crate::parse::Want { links: true, anchors: true, ..Default::default() };
    let page =
        crate::parse::parse(html.as_bytes(), Some("text/html"), &want, &crate::parse::Limits::default());
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2, robots_name: "huntsman" };
    assess(url, Token(7), visit(Ok(answer)), page, &rules)
}

fn ok() -> Answer {
    Answer { status: 200, ..Answer::default() }
}

fn redirect(to: &str) -> Answer {
    Answer { status: 302, location: Some(to.into()), ..Answer::default() }
}

#[test]
fn outlinks_are_found_once_or_skipped_with_a_reason() {
    let html = "<a href=a#x>A</a><a href='a#y'>again</a><a href=http://h/>self</a><a href=//other/b>B</a>\
                <a href=mailto:x@y>m</a><a href=c rel=nofollow>C</a><a href='#top'>top</a><a href=http://[>bad</a>";
    let report = check(queued("http://h/", seed()), ok(), html);
    let found: Vec<_> = report.found.iter().map(|found| found.url.as_str()).collect();
    assert_eq!(found, ["http://h/a"]);
    let skipped: Vec<_> =
        report.skipped.iter().map(|skipped| (skipped.url.as_str(), skipped.reason)).collect();
    let expected = [
        ("http://other/b", "out-of-scope"),
        ("mailto:x@y", "scheme"),
        ("http://h/c", "nofollow"),
        ("http://[", "invalid-url"),
    ];
    assert_eq!(skipped, expected);
    let Outcome::Stored(page) = &report.outcome else { panic!("{:?}", report.outcome) };
    let packed: serde_json::Value = serde_json::from_str(page.links.as_deref().unwrap()).unwrap();
    assert_eq!(packed[0][0], "http://h");
    assert_eq!(packed[1], serde_json::json!(["/a", "A", "", "a"]));
}

#[test]
fn outlinks_beyond_the_depth_are_skipped() {
    let report = check(queued("http://h/x", seed().outlink()), ok(), "<a href=y>Y</a>");
    assert!(report.found.is_empty());
    assert_eq!(report.skipped[0].reason, "depth");
}

#[test]
fn a_redirect_ends_the_visit_and_its_target_is_a_new_url() {
    let report = check(queued("http://h/x", seed().outlink()), redirect("/y"), "");
    assert!(matches!(&report.outcome, Outcome::Redirected { to } if to == "http://h/y"));
    assert_eq!((report.found[0].origin.hops, report.found[0].origin.depth), (1, 1));
    let out = check(queued("http://h/x", seed().outlink()), redirect("http://other/"), "");
    assert_eq!(out.skipped[0].reason, "out-of-scope");
    let seed = check(queued("http://h/x", seed()), redirect("http://other/"), "");
    assert_eq!(seed.found[0].origin.seed, Some(ScopeKind::Host), "the target of a seed's redirect is a seed");
}

#[test]
fn redirects_that_lead_nowhere_fail() {
    let reason = |report: &Report| match &report.outcome {
        Outcome::Failed { reason, .. } | Outcome::Retry { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&check(queued("http://h/x", seed()), redirect(" "), "")), "redirect-invalid");
    assert_eq!(reason(&check(queued("http://h/x", seed()), redirect("file:///x"), "")), "redirect-invalid");
    assert_eq!(reason(&check(queued("http://h/x", seed()), redirect("/x#frag"), "")), "redirect-loop");
    let cookie = Answer { sets_cookie: true, ..redirect("/x") };
    assert_eq!(reason(&check(queued("http://h/x", seed()), cookie, "")), "redirect-cookie");
    let mut deep = queued("http://h/x", seed().outlink());
    deep.origin.hops = MAX_HOPS;
    let report = check(deep, redirect("/y"), "");
    assert_eq!((reason(&report).as_str(), report.skipped[0].reason), ("too-many-redirects", "hops"));
}

#[test]
fn a_throttled_url_loses_no_attempt_until_five_in_a_row() {
    let throttle = || Answer { status: 429, retry_after: Some(Duration::from_secs(3)), ..Answer::default() };
    let report = check(queued("http://h/x", seed()), throttle(), "");
    assert!(matches!(report.outcome, Outcome::Retry { counts: false, .. }));
    let mut patient = queued("http://h/x", seed());
    patient.throttled = retry::MAX_THROTTLED - 1;
    assert!(matches!(check(patient, throttle(), "").outcome, Outcome::Retry { counts: true, .. }));
}

#[test]
fn failures_are_retried_and_then_given_up_with_their_evidence() {
    let scope = Scope::new(&ScopeRules::default()).unwrap();
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2, robots_name: "huntsman" };
    let failure = || Failure { class: FailureClass::Incomplete, detail: "reset".into() };
    let mut url = queued("http://h/x", seed());
    for attempt in 1..=3 {
        url.attempt = attempt;
        let report = assess(url.clone(), Token(1), visit(Err(failure())), Page::default(), &rules);
        match report.outcome {
            Outcome::Retry { counts: true, due, .. } => assert!(attempt < 3 && due > AT),
            Outcome::Failed { reason, detail } => {
                assert_eq!((attempt, &*reason, &*detail), (3, "incomplete", "reset"));
            }
            other => panic!("{other:?}"),
        }
    }
    let gone = check(queued("http://h/x", seed()), Answer { status: 410, ..Answer::default() }, "");
    assert!(matches!(gone.outcome, Outcome::Failed { reason, .. } if reason == "http-410"));
}

fn judged(report: &Report) -> (Vec<&str>, Vec<(&str, &str)>) {
    let found = report.found.iter().map(|found| found.url.as_str()).collect();
    (found, report.skipped.iter().map(|skipped| (skipped.url.as_str(), skipped.reason)).collect())
}

#[test]
fn what_a_sitemap_lists_is_judged_by_the_scope_and_is_no_hop() {
    let deep = seed().outlink().sitemap(Sitemap::Named);
    let urls = [
        "http://h/docs/a",
        "http://h/docs/a#x",
        "/docs/b",
        "http://h/blog/",
        "http://h/docs/private/x",
        "mailto:x",
    ];
    let report = listed(queued("http://h/sitemap.xml", deep), Ok((Lists::Pages, &urls)));
    let (found, skipped) = judged(&report);
    assert_eq!(found, ["http://h/docs/a", "http://h/docs/b"]);
    let expected =
        [("http://h/blog/", "out-of-scope"), ("http://h/docs/private/x", "exclude"), ("mailto:x", "scheme")];
    assert_eq!(skipped, expected);
    assert_eq!((report.found[0].origin.depth, report.found[0].origin.sitemap), (1, None));
    assert_eq!(report.found_on(&report.found[0]).as_deref(), Some("http://h/sitemap.xml"));
    assert!(
        matches!(&report.outcome, Outcome::Read { reason: None, detail } if detail == "6 URLs listed, 3 skipped")
    );
}

#[test]
fn an_index_leads_to_sitemaps_near_it_and_only_so_far() {
    let named = seed().sitemap(Sitemap::Named);
    let urls = [
        "http://h/a.xml",
        "https://www.h/b.xml",
        "http://other/c.xml",
        "http://h/private/d.xml",
        "http://h/i.xml",
    ];
    let report = listed(queued("http://h/i.xml", named), Ok((Lists::Sitemaps, &urls)));
    let (found, skipped) = judged(&report);
    assert_eq!(found, ["http://h/a.xml"], "outside of the prefix, but on the host; never itself");
    assert_eq!(skipped.len(), 3);
    assert_eq!(report.found[0].origin.sitemap, Some(Sitemap::Listed(1)));
    let lowest = seed().sitemap(Sitemap::Listed(3));
    let report = listed(queued("http://h/i.xml", lowest), Ok((Lists::Sitemaps, &urls[..1])));
    assert_eq!(judged(&report), (vec![], vec![("http://h/a.xml", "sitemap-limit")]));
    let many: Vec<String> = (0..MAX_SITEMAPS + 5).map(|at| format!("http://h/{at}.xml")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let report = listed(queued("http://h/i.xml", named), Ok((Lists::Sitemaps, &many)));
    assert_eq!((report.found.len(), report.skipped.len()), (MAX_SITEMAPS, 5));
}

#[test]
fn only_a_sitemap_that_somebody_named_can_fail() {
    let at = |sitemap| queued("http://h/sitemap.xml", seed().sitemap(sitemap));
    let is_quiet = |report: &Report| match &report.outcome {
        Outcome::Read { reason: Some(_), .. } => true,
        Outcome::Failed { .. } => false,
        other => panic!("{other:?}"),
    };
    for (sitemap, quiet) in [(Sitemap::Usual, true), (Sitemap::Named, false), (Sitemap::Listed(1), false)] {
        assert_eq!(is_quiet(&listed(at(sitemap), Err("it is empty"))), quiet);
        assert_eq!(is_quiet(&check(at(sitemap), Answer { status: 404, ..ok() }, "")), quiet);
        assert_eq!(is_quiet(&check(at(sitemap), redirect("/sitemap.xml"), "")), quiet);
    }
}

#[test]
fn the_sitemaps_of_a_host_are_those_it_names_or_the_usual_one() {
    let scope = Scope::new(&ScopeRules { exclude: vec!["private".into()], ..ScopeRules::default() }).unwrap();
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2, robots_name: "huntsman" };
    let page = url::parse("http://h:8080/x/y").unwrap();
    let authority = crate::crawl::host::Authority::of(&page);
    let named = ["http://cdn.test/s.xml", "/t.xml", "/private.xml", "ftp://h/x"].map(str::to_owned);
    let (found, skipped) = sitemaps_of(&authority, &named, seed(), &rules);
    let urls: Vec<_> = found.iter().map(|found| found.url.as_str()).collect();
    assert_eq!(urls, ["http://cdn.test/s.xml", "http://h:8080/t.xml"]);
    assert_eq!(skipped.iter().map(|skipped| skipped.reason).collect::<Vec<_>>(), ["exclude", "scheme"]);
    let mut report = check(queued("http://h:8080/x/y", seed()), ok(), "");
    assert_eq!(report.found_on(&found[0]).as_deref(), Some("http://h:8080/robots.txt"));
    let (usual, _) = sitemaps_of(&authority, &[], seed(), &rules);
    assert_eq!((usual.len(), usual[0].url.as_str()), (1, "http://h:8080/sitemap.xml"));
    report.found = usual;
    assert_eq!(report.found_on(&report.found[0]), None);
}
