//! What one match may cost, on files made to cost as much as they can.
//!
//! `cargo test --release --test it robots_compared::cost -- --nocapture` prints the time of each; the promise of a millisecond is
//! for a release build, and a test build has ten times as long.

use huntsman::crawl::robots::{MAX_BYTES, Rules};
use std::time::{Duration, Instant};
use url::Url;

/// The longest path that a URL of ours can have.
const PATH: usize = 2_000;

fn filled(line: impl Fn(usize) -> String) -> String {
    let mut file = String::from("user-agent: *\n");
    for number in 0.. {
        let line = line(number);
        if file.len() + line.len() + 1 > MAX_BYTES {
            break;
        }
        file.push_str(&line);
        file.push('\n');
    }
    file
}

/// A number in letters `a` and `b`, of a fixed length.
fn in_ab(number: usize, length: usize) -> String {
    (0..length).map(|bit| if number >> bit & 1 == 0 { 'a' } else { 'b' }).collect()
}

/// Files, each with a path of its own.
fn made_to_cost() -> Vec<(&'static str, String, String)> {
    let path = |text: &str| format!("/{}", text.repeat(PATH / text.len()));
    let all_pairs: String = (0..PATH / 2).map(|n| in_ab(n * 7_919, 2)).collect();
    vec![
        ("a wildcard before each octet", filled(|n| format!("allow: {}b{n}", "*a".repeat(1_000))), path("a")),
        (
            "one rule of wildcards",
            filled(
                |n| if n == 0 { format!("allow: /{}b", "*a".repeat(250_000)) } else { "x".repeat(MAX_BYTES) },
            ),
            path("a"),
        ),
        (
            "short rules that nearly match",
            filled(|n| format!("allow:*{}c", in_ab(n, 16))),
            format!("/{all_pairs}cab"),
        ),
        ("pairs that are all there", filled(|n| format!("allow:*{}", in_ab(n, 17))), format!("/{all_pairs}")),
        (
            "a long literal that nearly is there",
            filled(|n| format!("allow: *{}b{n}", "a".repeat(900))),
            path("a"),
        ),
        ("periods", filled(|n| format!("allow: *{}c{n}*", "ab".repeat(40))), path("ab")),
        ("plain rules in order", filled(|n| format!("allow: /{n:06}")), path("0")),
        (
            "plain rules, each within the next",
            filled(|n| format!("allow: /{}", "a".repeat(n + 1))),
            format!("/{}b", "a".repeat(PATH - 2)),
        ),
        ("heads within each other", filled(|n| format!("allow: /{}*b", "a".repeat(n))), path("a")),
        ("anchored", filled(|n| format!("allow: /*{}$", in_ab(n, 17))), format!("/{all_pairs}")),
        (
            "two readings",
            filled(|n| format!("allow: /*%2F{}c", in_ab(n, 16))),
            format!("/?{}", "%2Fab".repeat(PATH / 5)),
        ),
        (
            "many stars in many rules",
            filled(|n| format!("allow: *{}*{}*z", in_ab(n, 9), in_ab(n * 31, 9))),
            format!("/{all_pairs}"),
        ),
        (
            "single octets, never the last",
            filled(|n| format!("allow: *{n}*a*b*a*b*a*b*a*b*z")),
            path("0123456789ab"),
        ),
        (
            "what people write, much of it",
            filled(|n| format!("Disallow: /*/archive-{n}/*?sort=")),
            "/shop/archive-77/list?sort=price".into(),
        ),
    ]
}

/// What `work` comes to, and how long it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "it measures")]
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

#[test]
fn no_file_makes_one_match_cost_a_millisecond() {
    let most = if cfg!(debug_assertions) { Duration::from_millis(10) } else { Duration::from_millis(1) };
    let mut worst = Duration::ZERO;
    for (name, file, path) in made_to_cost() {
        let (rules, parsed) = timed(|| Rules::parse(file.as_bytes(), "FooBot"));
        let url = Url::parse(&format!("http://h{path}")).unwrap();
        let verdict = rules.verdict(&url);
        // The quickest of several: others use this machine, too.
        let once = || timed(|| std::hint::black_box(rules.verdict(&url))).1;
        let took = (0..9).map(|_| once()).min().expect("nine of them");
        let reason: String = verdict.reason().chars().take(60).collect();
        println!("{took:>12.1?}  {name} ({} bytes, parsed in {parsed:.1?}): {reason}", file.len());
        worst = worst.max(took);
        assert!(took < most, "{name}: {took:?}");
    }
    println!("{worst:>12.1?}  is the worst of them");
}

#[test]
fn large_files_that_people_may_write_are_judged_by_their_rules() {
    let shop = filled(|n| format!("Disallow: /*/archive-{n}/*?sort="));
    let rules = Rules::parse(shop.as_bytes(), "FooBot");
    let allowed = |path: &str| {
        let verdict = rules.verdict(&Url::parse(&format!("http://h{path}")).unwrap());
        assert_eq!(verdict.because, None, "{path}");
        verdict.allowed
    };
    assert!(!allowed("/shop/archive-77/list?sort=price"));
    assert!(!allowed("/shop/archive-9000/list?page=2&a=archive?sort=price"));
    assert!(allowed("/shop/archive-77/list?page=2"));
    assert!(allowed("/shop/archive-x/list?sort=price"));
}

#[test]
fn what_costs_too_much_is_forbidden_with_that_reason() {
    let file = filled(|n| format!("allow: /{}*b", "a".repeat(n)));
    let url = Url::parse(&format!("http://h/{}", "a".repeat(PATH))).unwrap();
    let verdict = Rules::parse(file.as_bytes(), "FooBot").verdict(&url);
    assert!(!verdict.allowed && verdict.rule.is_none());
    assert!(verdict.reason().contains("too long"), "{}", verdict.reason());
}
