//! What a report says of each answer and failure, and what becomes of the outlinks.

use super::*;
use crate::crawl::lease::{CrawlId, Origin};
use crate::crawl::scope::{ScopeKind, ScopeRules};
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

fn check(url: Queued, answer: Answer, html: &str) -> Report {
    let mut scope = Scope::new(&ScopeRules::default()).unwrap();
    scope.add_seed(&url::parse("http://h/").unwrap(), ScopeKind::Host);
    let want = crate::parse::Want { links: true, anchors: true, ..Default::default() };
    let page =
        crate::parse::parse(html.as_bytes(), Some("text/html"), &want, &crate::parse::Limits::default());
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2 };
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
    let rules = Rules { scope: &scope, links: KeepLinks::All, retries: 2 };
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
