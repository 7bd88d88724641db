//! robots.txt as a weapon.

use super::judging::crawl;
use super::plays;
use super::shown;
use super::site::{Site, answer};
use crate::program::wait_until;
use huntsman::crawl::robots::Rules;
use std::time::{Duration, Instant};
use url::Url;

/// The pages that are asked for.
fn asked(site: &Site, flags: &[&str]) -> Vec<String> {
    crawl(&[site.url("/")], flags);
    let mut paths = site.paths();
    paths.sort();
    paths
}

const EVERYTHING: [&str; 3] = ["/", "/no", "/yes"];

/// B1: without end.
#[test]
fn b1_a_robots_txt_without_end_is_read_to_its_limit_and_its_cut_line_dropped() {
    let site = plays::endless_robots();
    assert_eq!(asked(&site, &[]), ["/", "/yes"]);
    wait_until("its connection is closed", || site.open() == 0);
    let front = b"User-agent: *\nDisallow: /a\nAllow: /";
    let cut = Rules::parse_front(front, "huntsman");
    assert!(!cut.verdict(&Url::parse("http://h/a").unwrap()).allowed, "the cut line is not a rule");
    shown(
        "B1",
        "512,000 octets are read and its rules obeyed; the line that is cut is dropped, the connection closed",
    );
}

/// B2: a page in its place.
#[test]
fn b2_a_page_in_the_place_of_robots_txt_allows() {
    let site = plays::page_for_robots();
    assert_eq!(asked(&site, &[]), EVERYTHING);
    shown("B2", "no rules can be read in it: everything is allowed");
}

/// B5: 429.
#[test]
fn b5_429_for_robots_txt_is_waited_for_as_long_as_it_says() {
    let site = plays::status_for_robots(429, "Retry-After: 3600\r\n");
    let crawled = crawl(&[site.url("/")], &[]);
    assert!(site.paths().is_empty());
    assert_eq!(crawled.became(&site.url("/")).state, "open");
    let rest = "select (julianday(block_until) - julianday(noted_at)) * 86400 from hosts";
    let rest = crawled.value(rest).as_f64().unwrap();
    assert!((3_590.0..3_610.0).contains(&rest), "{rest}");
    shown("B5", "no page is asked for; the host rests the hour that it named, and the URL waits");
}

/// B6: refused or gone.
#[test]
fn b6_a_robots_txt_that_is_refused_or_gone_allows() {
    for status in [401, 403, 404, 410] {
        let site = plays::status_for_robots(status, "");
        assert_eq!(asked(&site, &[]), EVERYTHING, "{status}");
    }
    shown("B6", "401, 403, 404, 410: everything is allowed, as RFC 9309 has it");
}

/// B7: silence.
#[test]
fn b7_a_robots_txt_that_never_comes_forbids() {
    let site = plays::silence_for_robots();
    let crawled = crawl(&[site.url("/")], &["--timeout", "300ms", "--retries", "0"]);
    assert!(site.paths().is_empty());
    crawled.became(&site.url("/")).failed("first-byte-timeout");
    shown("B7", "no page is asked for; the URL shares the failure of the attempt");
}

/// B9: rules that explode.
#[test]
fn b9_the_worst_rules_are_matched_in_a_millisecond() {
    let files = plays::exploding_rules();
    let url = Url::parse(&format!("http://h/{}", "a".repeat(2_000))).unwrap();
    let mut worst = Duration::ZERO;
    for file in &files {
        let rules = Rules::parse(&file.as_bytes()[..file.len().min(512_000)], "huntsman");
        let mut best = Duration::MAX;
        for _ in 0..20 {
            #[expect(clippy::disallowed_methods, reason = "the time it takes is what is tested")]
            let started = Instant::now();
            std::hint::black_box(rules.verdict(&url));
            best = best.min(started.elapsed());
        }
        worst = worst.max(best);
    }
    // Four times as long in a build that is not optimised.
    assert!(worst < Duration::from_millis(4), "{worst:?}");
    let site = plays::with_robots(move |peer| {
        _ = peer.send(answer("Content-Type: text/plain\r\nConnection: close\r\n", &files[0]));
    });
    assert_eq!(asked(&site, &[]), EVERYTHING);
    shown("B9", &format!("half a megabyte of the worst rules: {worst:?} a match"));
}
