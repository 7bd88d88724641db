//! What belongs to a crawl: each kind of scope, and the patterns.

use super::*;

fn scope(seeds: &[(&str, ScopeKind)], include: &[&str], exclude: &[&str]) -> Scope {
    let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let rules = ScopeRules { kind: ScopeKind::Host, include: strings(include), exclude: strings(exclude) };
    let mut scope = Scope::new(&rules).unwrap();
    for (seed, kind) in seeds {
        scope.add_seed(&Url::parse(seed).unwrap(), *kind);
    }
    scope
}

fn verdict(scope: &Scope, url: &str) -> &'static str {
    scope.admits(&Url::parse(url).unwrap()).map_or_else(|out| out.reason, |()| "in")
}

fn check(scope: &Scope, cases: &[(&str, &str)]) {
    for (url, expected) in cases {
        assert_eq!(verdict(scope, url), *expected, "{url}");
    }
}

#[test]
fn host_scope_takes_www_and_both_schemes_but_no_other_port() {
    check(
        &scope(&[("https://www.example.org/a", ScopeKind::Host)], &[], &[]),
        &[
            ("http://example.org/x", "in"),
            ("https://www.example.org/", "in"),
            ("http://example.org:443/", "in"),
            ("https://example.org:8443/", "out-of-scope"),
            ("https://docs.example.org/", "out-of-scope"),
            ("https://example.org.evil.test/", "out-of-scope"),
            ("https://notexample.org/", "out-of-scope"),
        ],
    );
    check(
        &scope(&[("http://[::1]:8080/", ScopeKind::Host)], &[], &[]),
        &[("http://[::1]:8080/b", "in"), ("http://[::1]/b", "out-of-scope")],
    );
    check(
        &scope(&[("http://www.org/", ScopeKind::Host)], &[], &[]),
        &[("http://org/", "out-of-scope"), ("http://www.org/", "in")],
    );
}

#[test]
fn prefix_scope_ends_at_a_slash_and_sees_through_encoding() {
    check(
        &scope(&[("https://h.test/docs/v1/index.html?a=/z/", ScopeKind::Prefix)], &[], &[]),
        &[
            ("http://www.h.test/docs/v1/", "in"),
            ("http://h.test/docs/v1/?q", "in"),
            ("http://h.test/docs/%761/deep/x", "in"),
            ("http://h.test/docs/v10/", "out-of-scope"),
            ("http://h.test/docs/v1/../v2/", "out-of-scope"),
            ("http://h.test/docs/v1", "out-of-scope"),
        ],
    );
}

#[test]
fn domain_page_and_any_scope() {
    check(
        &scope(&[("https://www.example.co.uk/", ScopeKind::Domain)], &[], &[]),
        &[
            ("http://shop.example.co.uk:8080/", "in"),
            ("http://example.co.uk/", "in"),
            ("http://other.co.uk/", "out-of-scope"),
        ],
    );
    check(
        &scope(&[("https://h.test/%7Ea?utm_source=x", ScopeKind::Page)], &[], &[]),
        &[("https://h.test/~a", "in"), ("https://h.test/", "out-of-scope")],
    );
    check(&scope(&[("https://h.test/", ScopeKind::Any)], &[], &[]), &[("http://else.test/", "in")]);
    check(&scope(&[], &[], &[]), &[("http://h.test/", "out-of-scope")]);
}

#[test]
fn the_scope_is_the_union_of_its_seeds() {
    let scope =
        scope(&[("http://a.test/", ScopeKind::Host), ("http://b.test/x/y", ScopeKind::Prefix)], &[], &[]);
    check(
        &scope,
        &[("http://a.test/q", "in"), ("http://b.test/x/z", "in"), ("http://b.test/", "out-of-scope")],
    );
    assert_eq!(scope.as_words(), "host a.test, prefix b.test/x/");
}

#[test]
fn exclude_beats_include_and_include_narrows() {
    let scope =
        scope(&[("http://a.test/", ScopeKind::Host)], &["/docs/", "^http://a"], &["/private", r"\.pdf$"]);
    check(
        &scope,
        &[
            ("http://a.test/docs/", "in"),
            ("https://a.test/other", "include"),
            ("http://a.test/docs/private/x", "exclude"),
            ("http://a.test/%70rivate", "exclude"),
            ("http://b.test/docs/", "out-of-scope"),
        ],
    );
    let url = Url::parse("http://a.test/x.pdf").unwrap();
    assert_eq!(scope.admits(&url).unwrap_err().detail, r"\.pdf$");
}

#[test]
fn a_bad_pattern_is_named_with_its_fault() {
    let rules = ScopeRules { include: vec!["ok".into(), "a(b".into()], ..ScopeRules::default() };
    let bad = Scope::new(&rules).unwrap_err();
    assert_eq!(bad.to_string(), r#"not a regular expression: "a(b": unclosed group"#);
}
