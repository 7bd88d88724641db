//! Our parser and another one say the same of the same rules.
//!
//! Known differences, kept out of what is generated: a `Crawl-delay` ends a run of agents there; `%2A` and `%24`
//! are not literals there; `FooBot/1.0` is no `FooBot`; a leading `*` becomes `/*`; reserved octets and slashes in
//! a query are not folded; UTF-16 and half a mark are not read; NUL ends a line; a forgotten colon is taken in
//! prose; "/robots.txt" with a query is disallowed here as there.

use super::*;
use proptest::prelude::*;

fn line() -> impl Strategy<Value = String> {
    let agent = prop::sample::select(vec!["FooBot", "foobot", "*", "other", "foo", "foobot-news", ""]);
    let value = "(/[ab/*$?=%é.]{0,6}|/(%62|%2f|%2F|%e3%83|%7e|~|a b|\\$a){1,3}|)";
    prop_oneof![
        2 => agent.prop_map(|agent| format!("User-agent: {agent}")),
        4 => value.prop_map(|value| format!("Disallow: {value}")),
        3 => value.prop_map(|value| format!("allow:{value}  # note")),
        1 => Just("Sitemap: https://example.org/s.xml".to_owned()),
        1 => Just(String::new()),
        1 => "[e-tE-T ][ -~]{0,12}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn verdicts_agree(
        lines in prop::collection::vec(line(), 0..14),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        paths in prop::collection::vec("/[ab/?=%é.~]{0,7}|/(%62|%2f|%e3%83|%7E|~|a b){0,3}", 1..8),
    ) {
        let body = lines.join(end);
        let ours = Rules::parse(body.as_bytes(), TOKEN);
        let theirs = robotxt::Robots::parse(body.as_bytes(), TOKEN);
        for path in &paths {
            let url = url(path);
            let theirs = theirs.is_url_allowed(&url);
            let verdict = ours.verdict(&url);
            prop_assert_eq!(verdict.allowed, theirs, "{} by {:?} of\n{}", url, verdict.rule, body);
        }
    }

    #[test]
    fn any_octets_have_a_meaning(body in prop::collection::vec(any::<u8>(), 0..400), path in ".{0,20}") {
        let rules = Rules::parse(&body, TOKEN);
        let _ = rules.verdict(&url("/").join(&path).unwrap_or_else(|_| url("/")));
    }
}
