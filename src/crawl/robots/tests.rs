//! RFC 9309 point by point, and habits of the field.

mod compared_with_robotxt;
mod judging;

use super::*;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Answer, Failure, FailureClass, Limit, Visit};
use std::fmt::Write as _;
use std::time::Duration;
use url::Url;

const TOKEN: &str = "FooBot";

fn url(path: &str) -> Url {
    Url::parse(&format!("https://example.org{path}")).unwrap()
}

/// Each path of `allowed` is allowed by `body`, each of `disallowed` is not.
#[track_caller]
fn check(body: impl AsRef<[u8]>, allowed: &[&str], disallowed: &[&str]) {
    let rules = Rules::parse(body.as_ref(), TOKEN);
    for (paths, expected) in [(allowed, true), (disallowed, false)] {
        for path in paths {
            let verdict = rules.verdict(&url(path));
            let body = String::from_utf8_lossy(&body.as_ref()[..body.as_ref().len().min(500)]);
            assert_eq!(verdict.allowed, expected, "{path} by {:?} of\n{body}", verdict.rule);
        }
    }
}

/// [`check`] of rules in a group of our own.
#[track_caller]
fn check_rules(rules: &str, allowed: &[&str], disallowed: &[&str]) {
    check(format!("user-agent: foobot\n{rules}"), allowed, disallowed);
}

fn delay(body: &str) -> Option<Duration> {
    Rules::parse(body.as_bytes(), TOKEN).crawl_delay()
}

#[test]
fn rb01_a_product_token_is_letters_hyphen_and_underscore() {
    for (token, good) in [
        ("FooBot", true),
        ("foo-bot_x", true),
        ("", false),
        ("foo1", false),
        ("foo bot", false),
        ("*", false),
    ] {
        assert_eq!(is_product_token(token), good, "{token:?}");
    }
}

#[test]
fn rb02_the_token_is_compared_whole_and_without_case() {
    for agent in ["FooBot", "foobot", "FOOBOT", "FooBot/1.0", "FooBot (the one)", "foobot;q=1", "foobot*"] {
        check(format!("user-agent: {agent}\ndisallow: /"), &[], &["/"]);
    }
    for agent in ["Foo", "FooBots", "FooBot-News", "AFooBot", "Mozilla FooBot", "", "/1.0"] {
        check(format!("user-agent: {agent}\ndisallow: /"), &["/"], &[]);
    }
}

#[test]
fn rb03_groups_of_one_token_are_combined() {
    let body = "user-agent: foobot\ndisallow: /a\n\nuser-agent: other\ndisallow: /b\n\n\
                user-agent: FOOBOT\ndisallow: /c\n\nuser-agent: *\ndisallow: /d\n";
    check(body, &["/b", "/d"], &["/a", "/c"]);
    check("user-agent: *\ndisallow: /a\n\nuser-agent: *\ndisallow: /b\n", &["/c"], &["/a", "/b"]);
}

#[test]
fn rb04_without_a_group_of_our_own_everyones_holds() {
    check("user-agent: *\ndisallow: /a\nuser-agent: other\ndisallow: /b", &["/b"], &["/a"]);
    check("user-agent: * # all\ndisallow: /a", &[], &["/a"]);
    check("user-agent: * and more\ndisallow: /a", &[], &["/a"]);
    check("user-agent: *bot\ndisallow: /a", &["/a"], &[]);
    check("user-agent: other\ndisallow: /", &["/"], &[]);
    check("", &["/"], &[]);
}

#[test]
fn rb05_a_group_is_agents_then_rules() {
    check("user-agent: foobot\nuser-agent: other\ndisallow: /a", &[], &["/a"]);
    check(
        "user-agent: other\nuser-agent: foobot\n\n# x\n\ndisallow: /a\n\n\ndisallow: /b",
        &[],
        &["/a", "/b"],
    );
    check("user-agent: foobot\ndisallow: /a\nuser-agent: other\ndisallow: /b", &["/b"], &["/a"]);
    check("user-agent: foobot\ndisallow: /a\n\nuser-agent: *\ndisallow: /", &["/b"], &["/a"]);
}

#[test]
fn rb06_a_last_group_without_rules_allows_everything() {
    check("user-agent: *\ndisallow: /\n\nuser-agent: foobot\n", &["/", "/a"], &[]);
}

#[test]
fn rb07_rules_before_any_agent_are_ignored() {
    check("disallow: /\nuser-agent: foobot\ndisallow: /a", &["/", "/b"], &["/a"]);
    check("disallow: /\ncrawl-delay: 9\n", &["/"], &[]);
    assert_eq!(delay("crawl-delay: 9\nuser-agent: *\ndisallow: /a"), None);
}

#[test]
fn rb08_other_records_do_not_end_a_group() {
    for other in [
        "sitemap: https://example.org/s.xml",
        "crawl-delay: 3",
        "request-rate: 1/3",
        "clean-param: a /b",
        "host: example.org",
        "content-signal: ai-train=no",
        "noindex: /x",
        "what is this",
    ] {
        check(format!("user-agent: foobot\n{other}\nuser-agent: other\ndisallow: /a"), &[], &["/a"]);
        check(format!("user-agent: foobot\ndisallow: /a\n{other}\ndisallow: /b"), &[], &["/a", "/b"]);
    }
}

#[test]
fn rb09_keys_without_case_with_space_and_with_typing_errors() {
    for key in [
        "Disallow:",
        "DISALLOW:",
        "disallow :",
        "  disallow\t:\t",
        "disallow",
        "dissallow:",
        "dissalow:",
        "disalow:",
        "diasllow:",
        "disallaw:",
    ] {
        check(format!("User-Agent : foobot \n{key} /a \n"), &["/b"], &["/a"]);
    }
    for key in ["user-agent:", "USERAGENT:", "user agent:", "user-agent"] {
        check(format!("{key} foobot\ndisallow: /a"), &["/b"], &["/a"]);
    }
    for prose in ["disallow all of /", "disallowed: /", "disallow/", "x disallow: /", "disallow"] {
        check_rules(prose, &["/", "/all"], &[]);
    }
}

#[test]
fn rb10_path_and_query_are_matched_from_the_first_octet() {
    check_rules("disallow: /foo/bar?baz=quz", &["/foo/bar", "/x/foo/bar?baz=quz"], &["/foo/bar?baz=quz&a=b"]);
    check_rules("disallow: /*#frag", &[], &["/a#frag", "/b"]);
    check_rules("disallow: /a$", &["/a?", "/a?b"], &["/a", "/a#b"]);
}

#[test]
fn rb11_paths_are_compared_with_case() {
    check_rules("disallow: /Foo", &["/foo", "/FOO"], &["/Foo"]);
}

#[test]
fn rb12_the_longest_match_wins_and_allow_wins_a_tie() {
    check_rules("allow: /p\ndisallow: /", &["/page"], &["/x"]);
    check_rules("disallow: /folder\nallow: /folder/page", &["/folder/page"], &["/folder/other"]);
    check_rules("disallow: /folder\nallow: /folder", &["/folder/page"], &[]);
    check_rules("allow: /page\ndisallow: /*.htm", &["/page"], &["/page.htm"]);
    check_rules("allow: /page\ndisallow: /*.ph", &["/page.php"], &[]);
    check_rules("allow: /$\ndisallow: /", &["/"], &["/page.htm"]);
    check_rules("disallow: /x/page.\nallow: /*/page.html", &["/x/page.html"], &["/x/page.php"]);
    check_rules("disallow: /%C3%A9\nallow: /é*", &["/é"], &[]);
}

#[test]
fn rb13_no_match_allows_and_robots_txt_is_always_allowed() {
    check_rules("disallow: /a", &["/b"], &["/a"]);
    check_rules("disallow: /", &["/robots.txt"], &["/robots.txt.bak", "/a/robots.txt"]);
}

#[test]
fn rb14_an_empty_value_matches_nothing() {
    check_rules("disallow:\n", &["/", "/a"], &[]);
    check_rules("disallow: /a\nallow: \ndisallow: # nothing\n", &["/b"], &["/a"]);
}

#[test]
fn rb15_octets_outside_ascii_are_compared_encoded() {
    check_rules("disallow: /foo/bar/ツ", &[], &["/foo/bar/ツ", "/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"]);
    check_rules("disallow: /foo/bar/%e3%83%84", &["/foo/bar/%E3%83%85"], &["/foo/bar/ツ"]);
    check_rules("disallow: /a b", &["/ab"], &["/a%20b", "/a b"]);
    check_rules("disallow: /a|b", &[], &["/a|b", "/a%7cb"]);
    check_rules("disallow: /*%", &["/a"], &["/a%20b", "/%zz", "/100%"]);
    // Reserved octets without structure are the same in either form.
    check_rules("disallow: /a,b(c)", &[], &["/a,b(c)", "/a%2Cb%28c%29"]);
    check_rules("disallow: /a%3Bb", &[], &["/a;b", "/a%3bb"]);
    // The RFC's table: a URL in a query value.
    for rule in ["/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"] {
        check_rules(
            &format!("disallow: {rule}"),
            &["/foo/bar?baz=http://foo.bar"],
            &["/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3a%2f%2Ffoo.bar"],
        );
    }
}

#[test]
fn rb16_encoded_unreserved_octets_are_decoded() {
    check_rules("disallow: /foo/bar/%62%61%7A", &[], &["/foo/bar/baz", "/foo/bar/%62az"]);
    check_rules("disallow: /~joe/", &[], &["/%7ejoe/x", "/%7Ejoe/", "/~joe/"]);
    check_rules("disallow: /%2541", &["/A", "/%41"], &["/%2541"]);
}

#[test]
fn rb17_an_encoded_slash_is_not_a_slash() {
    check_rules("disallow: /a%2Fb", &["/a/b"], &["/a%2fb", "/a%2Fb"]);
    check_rules("disallow: /a/b", &["/a%2Fb"], &["/a/b"]);
    check_rules("disallow: /*to=%2Fx", &["/a/to=/x"], &["/login?to=%2Fx"]);
    check_rules("disallow: /*//", &["/a%2F%2F"], &["/a?to=http://x", "/a//b"]);
}

#[test]
fn rb18_star_dollar_and_hash() {
    check_rules("disallow: /*.gif$", &["/a.gif?b", "/a.gifs"], &["/a.gif", "/.gif", "/x/a.gif.gif"]);
    check_rules("disallow: /a*b*c", &["/ab", "/acb"], &["/abc", "/axxbxxcxx"]);
    check_rules("disallow: /fish*", &["/Fish"], &["/fish", "/fishheads"]);
    check_rules("disallow: /a$b", &["/a"], &["/a$b", "/a%24bc"]);
    check_rules("disallow: /a$$", &["/a", "/a$$"], &["/a$"]);
    check_rules("disallow: /a # b", &["/b"], &["/a"]);
    check_rules("disallow: /***a**$", &["/b"], &["/a", "/ab"]);
    check_rules("disallow: /*aba*ba$", &["/abab", "/aba"], &["/ababa"]);
}

#[test]
fn rb19_encoded_star_and_dollar_are_literal() {
    check_rules(
        "disallow: /path/file-with-a-%2A.html",
        &["/path/file-with-a-x.html"],
        &["/path/file-with-a-*.html"],
    );
    check_rules("disallow: /a%24", &["/a", "/ab"], &["/a$", "/a$b", "/a%24"]);
    check_rules("disallow: /a%2a$", &["/ab", "/a*b"], &["/a*", "/a%2A"]);
}

#[test]
fn rb20_a_value_without_a_slash() {
    check_rules("disallow: *.gif$", &["/a.png"], &["/a.gif"]);
    check_rules("disallow: */private/", &["/private"], &["/private/", "/x/private/y"]);
    check_rules("disallow: *", &[], &["/", "/a"]);
    check_rules("disallow: private", &["/x/private"], &["/private", "/private/x"]);
}

#[test]
fn rb21_nothing_else_is_special() {
    check_rules("disallow: /a.b+c(d)[e]|^", &["/aXbbc"], &["/a.b+c(d)[e]|^"]);
    check_rules("disallow: /a?b\\", &["/ab"], &["/a?b\\"]);
}

#[test]
fn rb22_any_line_end() {
    for end in ["\n", "\r", "\r\n"] {
        check(["user-agent: foobot", "disallow: /a", "", "disallow: /b"].join(end), &["/c"], &["/a", "/b"]);
    }
    check("user-agent: foobot\rdisallow: /a\r\ndisallow: /b\ndisallow: /c", &["/d"], &["/a", "/b", "/c"]);
    let rules = Rules::parse(b"user-agent: *\r\n\r\n# x\rdisallow: /a", TOKEN);
    assert_eq!(rules.verdict(&url("/a")).rule.unwrap().line, 4);
}

#[test]
fn rb23_byte_order_marks() {
    let body = "user-agent: foobot\ndisallow: /é\n";
    for mark in [&b"\xEF\xBB\xBF"[..], b"\xEF\xBB", b"\xEF"] {
        check([mark, body.as_bytes()].concat(), &["/a"], &["/é"]);
    }
    let units = || std::iter::once(0xFEFF).chain(body.encode_utf16());
    check(units().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), &["/a"], &["/é"]);
    check(units().flat_map(u16::to_be_bytes).collect::<Vec<_>>(), &["/a"], &["/é"]);
}

#[test]
fn rb24_invalid_utf8_stays_in_its_line() {
    let body = b"user-agent: foobot\ndisallow: /\xFF\xC3\nsitemap: \xFF\ndisallow: /b\n";
    check(body, &["/a"], &["/b", "/%FF%C3x"]);
    assert!(Rules::parse(body, TOKEN).sitemaps().is_empty());
    let rule = Rules::parse(body, TOKEN).verdict(&url("/%FF%C3x")).rule.unwrap();
    assert_eq!(rule.text, "disallow: /\u{FFFD}\u{FFFD}");
}

#[test]
fn rb25_control_octets_end_a_value() {
    check_rules("disallow: /a\0b\ndisallow: /c\x1b/d\n", &["/b"], &["/ax", "/cx"]);
    check_rules("\0disallow: /a\ndisallow:\t/b\t\n", &["/a"], &["/b"]);
}

#[test]
fn rb26_half_a_million_octets_are_read_and_the_cut_line_is_dropped() {
    let head = "user-agent: foobot\ndisallow: /first\n";
    let last = "disallow: /last\n";
    let fill = MAX_BYTES - head.len() - last.len();
    let body = |shift: usize| format!("{head}#{}\n{last}allow: /last\n", "x".repeat(fill - 2 + shift));
    check(body(0), &[], &["/first", "/last"]);
    check(body(1), &[], &["/first", "/last"]);
    // One octet more cuts the line to "disallow: /las", which must not be obeyed.
    check(body(2), &["/last", "/las"], &["/first"]);
    // Every rule within the limit counts, however many.
    let many = (0..60_000).fold(String::from("user-agent: *\n"), |mut body, number| {
        writeln!(body, "allow:{number:x}").unwrap();
        body
    });
    let many = format!("{many}disallow: /z\n");
    assert!(many.len() > MAX_BYTES, "the last line is beyond the limit");
    check(&many, &["/z"], &[]);
    check(many.replacen("allow:0\n", "disallow: /z\n", 1), &["/ea5"], &["/z"]);
}

#[test]
fn a_front_of_a_file_loses_its_last_line() {
    let rules = Rules::parse_front(b"user-agent: *\ndisallow: /a\ndisallow: /", TOKEN);
    assert!(!rules.verdict(&url("/a")).allowed);
    assert!(rules.verdict(&url("/b")).allowed);
}

#[test]
fn crawl_delay_is_the_largest_of_the_merged_groups() {
    let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
    for (lines, expected) in [
        ("crawl-delay: 2\ndisallow: /a\nuser-agent: foobot\ncrawl-delay: 10", seconds(10.0)),
        ("crawl-delay: 10\ncrawl-delay: 2", seconds(10.0)),
        ("Crawl-Delay: 0.5 # half", seconds(0.5)),
        ("crawldelay: 3", seconds(3.0)),
        ("request-rate: 1/5", seconds(5.0)),
        ("request-rate: 2/1m 0600-0845", seconds(30.0)),
        ("request-rate: 10/1h\ncrawl-delay: 1", seconds(360.0)),
        ("request-rate: 1/0", seconds(0.0)),
        ("crawl-delay: 99999999999999999999", seconds(366.0 * 86_400.0)),
        ("crawl-delay: 10\nuser-agent: other\ncrawl-delay: 20\ndisallow: /x", seconds(20.0)),
    ] {
        assert_eq!(delay(&format!("user-agent: foobot\n{lines}")), expected, "{lines}");
    }
    for garbage in ["inf", "nan", "-1", "+1", "1e3", "", "1,5", "ten", "1 2", "0x10", ".", "1.2.3"] {
        assert_eq!(delay(&format!("user-agent: *\ncrawl-delay: {garbage}")), None, "{garbage}");
    }
    for garbage in ["1", "0/0", "0/5", "-1/5", "1/", "/5", "1/x", "1/5d", "/"] {
        assert_eq!(delay(&format!("user-agent: *\nrequest-rate: {garbage}")), None, "{garbage}");
    }
    // A delay belongs to the agents above it, not to those that follow in the same run.
    assert_eq!(delay("user-agent: other\ncrawl-delay: 10\n\nuser-agent: *\ndisallow: /x"), None);
    assert_eq!(delay("user-agent: *\ncrawl-delay: 10\nuser-agent: foobot\ndisallow: /x"), None);
}

#[test]
fn sitemaps_belong_to_no_group() {
    let body =
        "Sitemap: https://example.org/a.xml\nuser-agent: other\ndisallow: /\nsite-map: b.xml # x\nSITEMAP:\n";
    assert_eq!(Rules::parse(body.as_bytes(), TOKEN).sitemaps(), ["https://example.org/a.xml", "b.xml"]);
}

#[test]
fn a_verdict_names_its_rule() {
    let rules = Rules::parse(b"user-agent: *\n\n  Disallow : /a # why\nallow: /a/b\n", TOKEN);
    let matched = |path: &str| rules.verdict(&url(path)).rule;
    let expected = MatchedRule { line: 3, text: "Disallow : /a # why".into(), group: "*".into() };
    assert_eq!(matched("/a"), Some(expected));
    assert_eq!(matched("/a/b").map(|rule| rule.line), Some(4));
    assert_eq!(matched("/c"), None);
    let long = format!("user-agent: *\ndisallow: /{}", "é".repeat(200));
    let rules = Rules::parse(long.as_bytes(), TOKEN);
    let text = rules.verdict(&url(&format!("/{}", "é".repeat(200)))).rule.unwrap().text;
    assert!(text.len() <= 256 && text.starts_with("disallow: /éé"), "{text}");
}

/// Each file of `fixtures/robots` says in comments what holds: `#? token path allow|disallow`.
#[test]
fn real_documents() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/robots");
    let mut claims = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let body = std::fs::read(&path).unwrap();
        for claim in String::from_utf8_lossy(&body).lines().filter_map(|line| line.strip_prefix("#? ")) {
            let words: Vec<&str> = claim.split_whitespace().collect();
            let rules = Rules::parse(&body, words[0]);
            let what = || format!("{}: {claim}", path.display());
            if words[1] == "delay" {
                let asked = rules.crawl_delay().map(|delay| delay.as_secs_f64());
                assert_eq!(asked, words[2].parse().ok(), "{}", what());
            } else {
                let verdict = rules.verdict(&url(words[1]));
                assert_eq!(verdict.allowed, words[2] == "allow", "{}: {:?}", what(), verdict.rule);
            }
            claims += 1;
        }
    }
    assert!(claims > 30, "{claims} claims were checked");
}
