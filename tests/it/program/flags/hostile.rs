//! What pages and servers write never reaches a terminal or a log as it is.

use super::origin::{Origin, Reply};
use super::{crawl, run, said};
use std::path::Path;

/// Recolours, retitles, turns the reading order around, and has a terminal answer for itself.
const EVIL: &str = "\u{1b}[31mred\u{1b}]0;owned\u{7}\u{202e}drow\u{9b}6n\r\u{8}\u{200b}";

fn harmless(what: &str, text: &[u8]) {
    let text = String::from_utf8(text.to_vec()).unwrap_or_else(|_| panic!("{what} is no UTF-8"));
    let active = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'..='\u{200f}')
    };
    let raw = text.chars().find(|c| active(*c));
    assert_eq!(raw, None, "{what}: {text:?}");
}

fn ask(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = run(folder, arguments);
    harmless(&format!("stderr of {arguments:?}"), &output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    harmless(
        &format!("stdout of {arguments:?}"),
        &output.stdout.iter().copied().filter(|b| *b != b'\r').collect::<Vec<_>>(),
    );
    output.stdout
}

#[test]
fn escapes_in_titles_links_headers_and_robots_are_shown_and_not_sent() {
    let base = std::sync::OnceLock::<String>::new();
    let origin = Origin::start(move |host, path| {
        let base = base.get_or_init(|| format!("http://{host}"));
        match path {
            "/robots.txt" => {
                Reply::robots(&format!("User-agent: *\nDisallow: /no{EVIL}\nDisallow: /hidden\n"))
            }
            "/" => Reply::html(format!(
                "<meta charset=utf-8><title>a {EVIL} title</title><meta name=description content='{EVIL}'>\
                 <h1>{EVIL}</h1><a href='/p?{EVIL}'>{EVIL}</a><a href='http://[{EVIL}'>x</a><a href='/hidden'>x</a>\
                 <a href='{base}/gone/{EVIL}'>x</a><a href='java{EVIL}:x'>x</a><a href=/to>x</a><a href='http://{EVIL}.test/'>x</a>"
            )),
            "/to" => Reply::new(302, &format!("Location: http://[{}/\r\n", EVIL.replace('\r', "")), ""),
            path if path.starts_with("/gone") => Reply::gone(),
            _ => Reply::new(200, "Content-Type: text/html; \u{1b}[31m\r\n", format!("<title>{EVIL}</title>")),
        }
    });
    for flags in [&["-vv"][..], &["--log-format", "json"], &["--summary-json", "-"]] {
        let crawled = crawl(&origin.url("/"), flags);
        harmless("what a crawl says", &crawled.output.stderr);
        harmless("its summary", &crawled.output.stdout);
    }
    let crawled = crawl(&origin.url("/"), &[]);
    let folder = crawled.folder.path();
    let title = crawled.sql("select length(title) > 20 from pages where url like '%/'");
    assert_eq!(title, ["1"], "the title is in the store as it was");
    let pages = String::from_utf8(ask(folder, &["pages"])).unwrap();
    assert!(pages.contains(r"a \u{1b}[31mred"), "{pages}");
    for format in ["table", "json"] {
        for table in ["pages", "urls", "skipped", "dead_letters", "fetches", "links", "hosts", "crawls"] {
            ask(folder, &["query", &format!("select * from {table}"), "--format", format]);
        }
    }
    ask(folder, &["status"]);
    ask(folder, &["status", "--json"]);
    ask(folder, &["why", &origin.url("/")]);
    ask(folder, &["why", &origin.url(&format!("/p?{EVIL}"))]);
    ask(folder, &["why", &origin.url("/hidden")]);
    ask(folder, &["why", &origin.url("/to")]);
    for url in crawled.sql("select url from skipped") {
        ask(folder, &["why", &url]);
    }
}

#[test]
fn what_the_operator_pastes_is_shown_harmless_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("seeds"), format!("http://127.0.0.1:1/\n{EVIL}\nhttp://{EVIL}/ depth=1\n"))
        .unwrap();
    let evil = EVIL.replace('\r', "");
    for arguments in [
        vec!["crawl", "seeds", "--strict"],
        vec!["crawl", &evil],
        vec!["crawl", "http://127.0.0.1:1/", "--delay", &evil],
        vec!["crawl", "http://127.0.0.1:1/", "--name", &evil],
        vec!["crawl", "http://127.0.0.1:1/", "--store", &evil],
        vec!["crawl", "http://127.0.0.1:1/", "--exclude", "(\u{1b}[31m"],
        vec!["crawl", "http://127.0.0.1:1/", "--config", &evil],
        vec!["crawl", "http://127.0.0.1:1/", "--scope", &evil],
        vec!["resume", &evil],
        vec!["query", &evil],
        vec!["robots", &evil],
        vec![&evil],
    ] {
        let output = run(folder, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        let without_cr: Vec<u8> = output.stderr.clone();
        harmless(&format!("{arguments:?}"), &without_cr);
    }
}
