//! The summary of a crawl with a bit of everything.

use super::*;

fn reason(reason: &str, count: u64) -> Reason {
    Reason { reason: reason.to_owned(), count }
}

fn class(class: &str, count: u64, note: Option<&str>) -> RequestClass {
    RequestClass { class: class.to_owned(), count, note: note.map(Into::into) }
}

fn problem(class: &str, count: u64, path: &str, referrers: u64) -> Problem {
    Problem {
        class: class.to_owned(),
        count,
        host: "docs.example.org".to_owned(),
        path: path.to_owned(),
        detail: None,
        referrers,
        example: Some("https://docs.example.org/guide".to_owned()),
    }
}

fn summary() -> Summary {
    Summary {
        schema: SCHEMA,
        version: "0.1.0".to_owned(),
        crawl: "docs.example.org".to_owned(),
        ended: Ended::Finished,
        resume: "huntsman resume docs.example.org".to_owned(),
        store_flag: String::new(),
        started: Timestamp::from_millis(1_000_000),
        finished: Timestamp::from_millis(1_217_000),
        found: Found {
            sitemaps: 0,
            total: 4_808,
            stored: 561,
            redirects: 12,
            failed: 24,
            not_fetched: vec![
                reason("robots", 212),
                reason("out-of-scope", 3_870),
                reason("duplicate", 118),
                reason("trap", 11),
            ],
            queued: 0,
            waiting: 0,
        },
        pages: Pages { stored: 561, new: 561, changed: 0, unchanged: 0, duplicate_content: 41 },
        requests: Requests {
            total: 605,
            bytes: 16_600_000,
            median_ms: Some(84.2),
            p95_ms: Some(310.0),
            classes: vec![
                class("2xx", 561, None),
                class("3xx", 12, None),
                class("404/410", 22, None),
                class("429", 3, Some("retried")),
                class("5xx", 0, None),
                class("no answer", 6, None),
                class("robots", 1, None),
            ],
        },
        slowdowns: vec![Slowdown {
            host: "docs.example.org".to_owned(),
            reason: "429".to_owned(),
            times: 3,
            waited_ms: 66_000,
            until: None,
        }],
        failures: vec![reason("http-404", 18), reason("http-410", 4), reason("incomplete", 2)],
        problems: vec![
            problem("404", 18, "/api/v1/*", 9),
            problem("410", 4, "/blog/2019/*", 2),
            Problem {
                detail: Some("connection reset, gave up after 3 tries".to_owned()),
                ..problem("incomplete", 2, "/downloads/\x1b[2J", 1)
            },
        ],
        data: Data { store: "crawls/docs.example.org.db".to_owned(), bytes: Some(21_000_000) },
        next: vec![
            "huntsman query \"select 1\"".to_owned(),
            "huntsman why https://docs.example.org/a".to_owned(),
        ],
    }
}

#[test]
fn the_summary_reads_as_designed() {
    let expected = r#"Finished in 3m37s: the frontier is empty.

  URLs found        4,808  stored 561, redirects 12, failed 24, not fetched 4,211
  Pages stored        561  new 561, changed 0, unchanged 0, duplicate content 41
  Not fetched       4,211  out-of-scope 3,870, robots 212, duplicate 118, trap 11
  Requests            605  2.8/s, 16.6 MB, median 84 ms, p95 310 ms
                           2xx 561, 3xx 12, 404/410 22, 429 3 (retried), no answer 6, robots 1
  Slowdowns        1 host  docs.example.org answered 429 3 times; waited 1m06s in all

  Problems (3)
    404         18x  /api/v1/*                linked from 9 pages, e.g. https://docs.example.org/guide
    410          4x  /blog/2019/*             linked from 2 pages, e.g. https://docs.example.org/guide
    incomplete   2x  /downloads/\u{1b}[2J     connection reset, gave up after 3 tries; linked from 1 page, e.g. https://docs.example.org/guide

  Data          crawls/docs.example.org.db  (21.0 MB)
  Next          huntsman query "select 1"
                huntsman why https://docs.example.org/a
"#;
    let rendered = summary().render(Paint::default());
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&rendered), squeeze(expected), "{rendered}");
    assert!(rendered.is_ascii() && rendered.lines().all(|line| line == line.trim_end()));
    assert!(rendered.lines().nth(2).unwrap().starts_with("  URLs found        4,808  stored"), "{rendered}");
    assert!(summary().render(Paint { on: true }).contains("\x1b[1mFinished"));
}

#[test]
fn totals_must_add_up_and_it_is_said_when_they_do_not() {
    assert!(summary().reconciles());
    let mut wrong = summary();
    wrong.found.queued = 1;
    assert!(!wrong.reconciles());
    assert!(wrong.render(Paint::default()).contains("the parts add up to 4,809, not to 4,808"));
    wrong.found.total += 1;
    assert!(wrong.reconciles());
}

#[test]
fn each_way_to_end_has_its_headline() {
    for (ended, headline) in [
        (
            Ended::Limit { limit: "1,000 pages".into() },
            "Stopped after 3m37s: the limit of 1,000 pages is reached.",
        ),
        (
            Ended::Waiting { urls: 7, hosts: 1, until: Timestamp::EPOCH },
            "Stopped after 3m37s: 7 URLs of 1 host wait until 1970-01-01T00:00:00.000Z; go on with huntsman resume docs.example.org",
        ),
        (Ended::Paused, "Paused after 3m37s; nothing is lost. Continue: huntsman resume docs.example.org"),
        (
            Ended::Failed { why: "the disk is full".into() },
            "Failed after 3m37s: the disk is full. Nothing is lost; go on with huntsman resume docs.example.org",
        ),
    ] {
        assert_eq!(Summary { ended, ..summary() }.headline(), headline);
    }
}

#[test]
fn the_json_has_a_schema_and_stable_names() {
    let json: serde_json::Value = serde_json::from_str(&summary().to_json()).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["ended"]["how"], "finished");
    assert_eq!(json["started"], "1970-01-01T00:16:40.000Z");
    assert_eq!(json["found"]["not_fetched"][1]["reason"], "out-of-scope");
    assert_eq!(json["requests"]["classes"][3]["note"], "retried");
    assert_eq!(json["problems"][0]["path"], "/api/v1/*");
    let names: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected = [
        "crawl",
        "data",
        "ended",
        "failures",
        "finished",
        "found",
        "next",
        "pages",
        "problems",
        "requests",
        "schema",
        "slowdowns",
        "started",
        "version",
    ];
    assert_eq!(names, expected);
}

#[test]
fn long_lists_are_cut_with_a_way_to_the_rest() {
    let mut long = summary();
    long.problems = (0..15).map(|n| problem("404", n, "/x", 0)).collect();
    long.slowdowns = vec![long.slowdowns[0].clone(); 8];
    let rendered = long.render(Paint::default());
    assert!(
        rendered.contains("and 5 more: huntsman query") && rendered.contains("and 3 more\n"),
        "{rendered}"
    );
}
