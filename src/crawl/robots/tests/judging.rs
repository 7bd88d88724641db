//! What an answer to the request for a robots.txt means.

use super::*;

fn visit(result: Result<Answer, Failure>) -> Visit {
    let at = Timestamp::from_millis(1_000);
    Visit { started: at, first_byte: Some(at), finished: at, result }
}

fn answer(status: u16, change: impl FnOnce(&mut Answer)) -> Visit {
    let mut answer =
        Answer { status, body: b"user-agent: *\ndisallow: /a\ndisallow: /b".into(), ..Answer::default() };
    change(&mut answer);
    visit(Ok(answer))
}

fn outcome(visit: &Visit, hops: u8) -> String {
    match judge(visit, &url("/robots.txt"), hops, TOKEN, Refused::Allows) {
        Fetched::AllowAll { .. } => "allow all".into(),
        Fetched::Rules(rules) => {
            let of = |path| if rules.verdict(&url(path)).allowed { "allow" } else { "disallow" };
            format!("rules: a {}, b {}", of("/a"), of("/b"))
        }
        Fetched::Unreachable { retry_after, .. } => {
            format!("unreachable {:?}", retry_after.map(|span| span.as_secs()))
        }
        Fetched::Redirect(url) => url.into(),
    }
}

#[test]
fn by_status() {
    for (statuses, expected) in [
        (&[200, 203, 206, 299][..], "rules: a disallow, b disallow"),
        (&[400, 401, 403, 404, 410, 418, 428, 430, 451, 499], "allow all"),
        (&[429, 500, 502, 503, 504, 599, 600, 999, 100, 101], "unreachable None"),
        (&[300, 301, 302, 303, 304, 307, 308], "allow all"),
    ] {
        for status in statuses {
            assert_eq!(outcome(&answer(*status, |_| ()), 0), expected, "{status}");
        }
    }
    assert_eq!(outcome(&answer(204, |answer| answer.body.clear()), 0), "rules: a allow, b allow");
    let cut = answer(200, |answer| answer.truncated = Some(Limit::Decoded));
    assert_eq!(outcome(&cut, 0), "rules: a disallow, b allow");
}

#[test]
fn by_retry_after() {
    let later = |span| answer(503, |answer| answer.retry_after = Some(Duration::from_secs(span)));
    assert_eq!(outcome(&later(120), 0), "unreachable Some(120)");
    assert_eq!(outcome(&later(1_000_000), 0), "unreachable Some(86400)");
    assert_eq!(
        [0, 1, 2, 3, 7, 8, 99].map(|failures| unreachable_backoff(failures).as_secs()),
        [30, 30, 60, 120, 1_920, 3_600, 3_600]
    );
}

#[test]
fn by_redirect() {
    for (location, expected) in [
        ("/x.txt", "https://example.org/x.txt"),
        ("http://other.example/robots.txt", "http://other.example/robots.txt"),
        ("", "allow all"),
        (" ", "allow all"),
        ("file:///etc/passwd", "allow all"),
        ("http://:99/", "allow all"),
    ] {
        let moved = answer(302, |answer| answer.location = Some(location.into()));
        assert_eq!(outcome(&moved, 0), expected, "{location:?}");
    }
    let moved = answer(301, |answer| answer.location = Some("/again".into()));
    assert_eq!(outcome(&moved, 4), "https://example.org/again");
    assert_eq!(outcome(&moved, 5), "unreachable None");
}

#[test]
fn by_failure() {
    for class in [
        FailureClass::NoSuchHost,
        FailureClass::Dns,
        FailureClass::Tls,
        FailureClass::Incomplete,
        FailureClass::TotalTimeout,
        FailureClass::Coding,
        FailureClass::ForbiddenAddress,
    ] {
        let failed = visit(Err(Failure { class, detail: "x".into() }));
        assert_eq!(outcome(&failed, 0), "unreachable None", "{class:?}");
    }
}

#[test]
fn rb33_an_answer_is_believed_for_ten_minutes_to_a_day() {
    for (max_age, expected) in
        [(None, 86_400), (Some(0), 600), (Some(3_600), 3_600), (Some(u64::MAX), 86_400)]
    {
        let visit = answer(200, |answer| answer.max_age = max_age);
        assert_eq!(expires(&visit).since(visit.finished).as_secs(), expected, "{max_age:?}");
    }
}

#[test]
fn rb30_where_it_is_refused_everything_is_allowed_or_nothing() {
    for (status, refused, allowed) in [
        (401, Refused::Forbids, false),
        (403, Refused::Forbids, false),
        (403, Refused::Allows, true),
        (404, Refused::Forbids, true),
        (410, Refused::Forbids, true),
    ] {
        let judged = judge(&answer(status, |_| ()), &url("/robots.txt"), 0, TOKEN, refused);
        let rules = match judged {
            Fetched::Rules(rules) => rules,
            Fetched::AllowAll { .. } => Rules::default(),
            other => panic!("{status}: {other:?}"),
        };
        let verdict = rules.verdict(&url("/a"));
        assert_eq!(verdict.allowed, allowed, "{status}");
        assert_eq!(verdict.because.is_some(), !allowed, "{status}");
        assert!(rules.verdict(&url("/robots.txt")).allowed);
    }
}
