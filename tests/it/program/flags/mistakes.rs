//! Wrong values of every flag: one clear line that names the flag, exit code 2, and nothing made or fetched.

use super::{run, said};
use std::path::Path;

/// Flag, wrong value, a part of what is said of it.
const WRONG: &[(&str, &str, &str)] = &[
    ("--store", "x.db", "did you mean sqlite:x.db?"),
    ("--store", "sqlite:", "needs a path, as in sqlite:crawls/mine.db"),
    ("--store", "mysql://h/x", "known are sqlite:PATH and postgres://"),
    ("--name", "../x", "letters, digits, '.', '-' and '_'"),
    ("--name", "a b", "letters, digits, '.', '-' and '_'"),
    ("--scope", "hots", "[possible values: page, prefix, host, domain, any]"),
    ("--scope", "", "[possible values: page, prefix, host, domain, any]"),
    ("--include", "a(", "not a regular expression"),
    ("--include", "", "an empty pattern matches every URL"),
    ("--exclude", "*", "not a regular expression"),
    ("--exclude", "", r"as in \.pdf$"),
    ("--sitemaps", "perhaps", "[possible values: true, false]"),
    ("--insecure", "perhaps", "[possible values: true, false]"),
    ("--depth", "-1", "neither a number from 0 to 1000000 nor \"none\""),
    ("--depth", "two", "neither a number"),
    ("--depth", "1.5", "neither a number"),
    ("--depth", "", "neither a number"),
    ("--max-pages", "0", "neither a number from 1 to"),
    ("--max-pages", "-5", "neither a number from 1 to"),
    ("--max-pages", "99999999999999999999", "neither a number from 1 to"),
    ("--max-pages", "1k", "neither a number from 1 to"),
    ("--frontier", "localhost:6379", "redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH"),
    ("--frontier", "http://h/", "redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH"),
    ("--frontier", "redis:///", "redis://HOST:PORT, rediss://HOST:PORT or redis+unix:///PATH"),
    ("--lease", "0", "not between 500ms and 10m"),
    ("--lease", "15", "write 15s or 15ms"),
    ("--traps", "perhaps", "park, follow"),
    ("--robots-refused", "perhaps", "allow, disallow"),
    ("--on-signal", "obey", "record, skip-store, skip-fetch"),
    ("--on-noindex", "skip-fetch", "record, skip-store"),
    ("--purpose", "training", "ai-train"),
    ("--host-pages", "0", "neither a number from 1 to"),
    ("--host-urls", "0", "neither a number from 1 to"),
    ("--domain-pages", "0", "neither a number from 1 to"),
    ("--domain-urls", "0", "neither a number from 1 to"),
    ("--domain-hosts", "0", "neither a number from 1 to"),
    ("--max-errors", "0", "neither a number from 1 to"),
    ("--fail-on", "40x4", "neither a status"),
    ("--fail-on", "redirect-invald", "did you mean \"redirect-invalid\"?"),
    ("--fail-on", "dead-link", "not-a-sitemap"),
    ("--max-errors", "few", "neither a number from 1 to"),
    ("--max-body", "10", "write \"10 MiB\" or \"10 KiB\""),
    ("--max-body", "-1 MiB", "a size is written like 512 KiB, 64KB or 10 MiB"),
    ("--max-body", "10 apples", "a size is written like"),
    ("--max-body", "", "a size is written like"),
    ("--max-body", "0", "not between 1 KiB and 1 GiB"),
    ("--max-body", "5 TB", "not between 1 KiB and 1 GiB"),
    ("--retries", "-1", "not a number from 0 to 20"),
    ("--retries", "21", "not a number from 0 to 20"),
    ("--wait", "10", "write 10s or 10ms"),
    ("--wait", "-10s", "a span is written like 250ms, 1s, 10m or 1h30m"),
    ("--wait", "forever", "a span is written like"),
    ("--wait", "9999d", "not between 0s and 365d"),
    ("--delay", "1", "write 1s or 1ms"),
    ("--delay", "-1s", "a span is written like"),
    ("--delay", "", "a span is written like"),
    ("--delay", "2d", "not between 0s and 1d"),
    ("--delay", "99999999999999d", "too long a span"),
    ("--per-host", "0", "not a number from 1 to 64"),
    ("--per-host", "-2", "not a number from 1 to 64"),
    ("--per-host", "2", "2 requests at a time need --delay 0"),
    ("--ignore-robots", "maybe", "[possible values: true, false]"),
    ("--user-agent", "1bot", "as in mybot/1.0"),
    ("--user-agent", "_/1", "as in mybot/1.0"),
    ("--user-agent", "b\u{f6}t", "only visible ASCII"),
    ("--contact", "nobody", "as in you@example.org"),
    ("--header", "no colon", "a header is written \"Name: value\""),
    ("--header", ": x", "a header is written \"Name: value\""),
    ("--header", "Host: x", "made by the client itself"),
    ("--header", "User-Agent: x", "user_agent"),
    ("--header", "X: a\nY: b", "only visible ASCII"),
    ("--concurrency", "0", "not a number from 1 to 4096"),
    ("--concurrency", "-1", "not a number from 1 to 4096"),
    ("--concurrency", "many", "not a number from 1 to 4096"),
    ("--timeout", "60", "write 60s or 60ms"),
    ("--timeout", "0", "not between 1ms and 1h"),
    ("--timeout", "-1s", "a span is written like"),
    ("--timeout", "2h", "not between 1ms and 1h"),
    ("--allow-private", "lan", "as in 127.0.0.0/8 or fd00::/8"),
    ("--allow-private", "10.0.0.0/40", "as in 127.0.0.0/8 or fd00::/8"),
    ("--proxy", "localhost:3128", "http://HOST:PORT"),
    ("--proxy", "ftp://h:1", "http://HOST:PORT"),
    ("--select", "h1", "as in price=.price"),
    ("--select", "=h1", "as in price=.price"),
    ("--select", "a b=h1", "as in price=.price"),
    ("--select", "t=h1 >", "is no CSS selector"),
    ("--select", "t=h1:hovr", "unsupported pseudo class or element"),
    ("--select", "t=h1::html", "neither `::text` nor `::attr(name)`"),
    ("--text", "maybe", "[possible values: true, false]"),
    ("--links", "some", "[possible values: all, none]"),
    ("--summary-json", "no/such/folder.json", "No such file or directory"),
    ("--progress", "bra", "[possible values: auto, bar, plain, none]"),
    ("--color", "blue", "[possible values: auto, always, never]"),
    ("--log-format", "xml", "[possible values: text, json]"),
];

fn check(folder: &Path, arguments: &[&str], flag: &str, part: &str) {
    let output = run(folder, arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() == 1 && errors[0].contains(flag), "{arguments:?}: {text}");
    assert!(text.contains(part), "{part:?} in {text}");
    assert!(output.stdout.is_empty() && !text.contains("panicked"), "{text}");
    assert!(!folder.join("crawls").exists(), "{arguments:?} made something");
}

#[test]
fn a_wrong_value_is_one_line_with_the_flag_and_how_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there: what got through would be code 3.
    let seed = "http://127.0.0.1:9/";
    for (flag, value, part) in WRONG {
        let joined = format!("{flag}={value}");
        check(folder.path(), &["crawl", seed, &joined], flag, part);
        // Switches take their value behind a `=` only.
        if !part.contains("true, false") {
            check(folder.path(), &["crawl", seed, flag, value], flag, part);
        }
    }
}

#[test]
fn every_flag_with_a_value_is_in_the_table_or_takes_any_text() {
    for setting in huntsman::settings::table::SETTINGS {
        let flag = format!("--{}", setting.flag());
        assert!(WRONG.iter().any(|(known, ..)| *known == flag), "{flag}");
    }
}

#[test]
fn a_flag_without_its_value_does_not_take_the_next_flag_for_it() {
    let folder = tempfile::tempdir().unwrap();
    for setting in huntsman::settings::table::SETTINGS {
        if setting.kind == huntsman::settings::table::Kind::Switch {
            continue;
        }
        let flag = format!("--{}", setting.flag());
        check(folder.path(), &["crawl", "http://127.0.0.1:9/", &flag, "--strict"], &flag, "");
        check(folder.path(), &["crawl", "http://127.0.0.1:9/", "--no-config", &flag], &flag, "");
    }
}

#[test]
fn wrong_arguments_of_other_commands_are_named_too() {
    let folder = tempfile::tempdir().unwrap();
    for (line, flag, part) in [
        ("pages --status abc", "--status", "a number such as 404, or a class such as 4xx"),
        ("pages --status 9xx", "--status", "a number such as 404"),
        ("pages --limit -1", "--limit", "invalid digit"),
        ("pages --limit ten", "--limit", "invalid digit"),
        ("pages --since yesterday", "--since", "2026-11-23T14:30:00Z, or 2h for two hours ago"),
        ("pages --until 12", "--until", "or 2h for two hours ago"),
        ("pages --format xml", "--format", "[possible values: table, json, csv]"),
        ("query", "", "<SQL>"),
        ("query delete", "delete", "a query begins with SELECT"),
        ("status nope", "nope", "there is no store"),
        ("resume nope", "nope", "there is no store"),
        ("why", "", "<URL>"),
        ("robots not-a-url", "not-a-url", "give a URL such as"),
        ("robots --file nope http://h/", "--file nope", "No such file"),
        ("completions tcsh", "<SHELL>", "[possible values: bash, elvish, fish, powershell, zsh]"),
        ("testweb --hosts 0", "--hosts", "is not in 1.."),
        ("testweb --port 99999", "--port", "is not in 0..=65535"),
        ("testweb --page-size 3", "--page-size", "has no unit"),
        ("testweb --latency 3", "--latency", "has no unit"),
        ("testweb --error-rate 2", "--error-rate", "a share is a number from 0 to 1"),
        ("testweb --robots maybe", "--robots", "none, allow, rules, unavailable"),
        ("demo --delay 3", "--delay", "write 3s or 3ms"),
        ("config show --delay 3", "--delay", "write 3s or 3ms"),
        ("crwal http://h/", "crwal", "'crawl'"),
        ("crawl http://h/ --concurency 3", "--concurency", "a similar argument exists: '--concurrency'"),
        ("crawl example.org", "example.org", "did you mean https://example.org/?"),
        ("crawl htp://example.org/", "htp://example.org/", ""),
        ("crawl -q -v http://h/", "--quiet", "cannot be used with"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        check(folder.path(), &words, flag, part);
    }
}

#[test]
fn a_variable_with_a_wrong_value_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, part) in [
        ("HUNTSMAN_DEPTH", "deep", "neither a number"),
        ("HUNTSMAN_TEXT", "maybe", "neither true nor false"),
        ("HUNTSMAN_PROGRESS", "bra", "did you mean \"bar\"?"),
        ("HUNTSMAN_SCOPE", "all", "page, prefix, host, domain, any"),
        ("HUNTSMAN_LOG", "huntsman=loud", "error"),
    ] {
        let output = super::super::huntsman(folder.path(), &["crawl", "http://127.0.0.1:9/"])
            .env(name, value)
            .output()
            .unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.starts_with(&format!("error: {name}: ")) && text.contains(part), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// `status` with a variable whose value, or name, is no text.
fn with_bytes(name: &[u8], value: &[u8]) -> std::process::Output {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let mut command = super::super::huntsman(folder.path(), &["config", "show"]);
    command.env(OsStr::from_bytes(name), OsStr::from_bytes(value)).output().unwrap()
}

#[test]
fn variables_of_others_may_hold_any_bytes() {
    for (name, value) in
        [(&b"FOO"[..], &b"\xff"[..]), (b"F\xffO", b"x"), (b"HOME", b"/\xff"), (b"XDG_CONFIG_HOME", b"/\xff")]
    {
        let output = with_bytes(name, value);
        assert_eq!(output.status.code(), Some(0), "{name:?}: {}", said(&output));
    }
}

#[test]
fn a_variable_of_ours_that_is_no_text_is_named() {
    for (name, value, shown) in [
        (&b"HUNTSMAN_DELAY"[..], &b"1\xff"[..], "HUNTSMAN_DELAY"),
        (b"HUNTSMAN_OF_OTHERS", b"\xff", "HUNTSMAN_OF_OTHERS"),
        (b"HUNTSMAN_D\xffLAY", b"1s", "HUNTSMAN_D\u{fffd}LAY"),
    ] {
        let output = with_bytes(name, value);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert_eq!(text, format!("error: {shown}: this variable is not valid UTF-8\n"));
    }
}
