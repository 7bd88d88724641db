//! `huntsman fetch`: what it shows, what it asks for, and its exit code.

use super::raw_server::{RawServer, page};
use super::{run, said};
use flate2::{Compression, write::GzEncoder};
use huntsman::testweb::{Kind, RobotsKind, Settings, Testweb};
use serde_json::Value;
use std::io::Write;
use std::process::Output;

/// A site without robots.txt.
fn site(answer: impl Fn(&str) -> (u16, String, Vec<u8>) + Send + Sync + 'static) -> RawServer {
    RawServer::start_bytes(move |path, _| match path {
        "/robots.txt" => (404, String::new(), Vec::new()),
        path => answer(path),
    })
}

fn html(body: &str) -> (u16, String, Vec<u8>) {
    (200, "Content-Type: text/html; charset=utf-8\r\n".into(), body.into())
}

/// Runs `fetch` in an empty folder, which it must leave empty.
fn fetch(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[&["fetch"], arguments].concat());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    output
}

fn shown(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The texts behind a label, in order.
fn labelled<'o>(shown: &'o str, label: &str) -> Vec<&'o str> {
    let lines = shown.lines().filter(|line| line.get(..16).unwrap_or(line).trim_end() == label);
    lines.map(|line| line.get(17..).unwrap_or_default()).collect()
}

fn check(arguments: &[&str], code: i32, label: &str, texts: &[&str]) -> String {
    let output = fetch(arguments);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(code), "{shown}{}", said(&output));
    assert_eq!(labelled(&shown, label), texts, "{shown}");
    shown
}

fn json(arguments: &[&str]) -> Value {
    let output = fetch(&[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

const PAGE: &str = "<html lang=en><title>Soup &amp; bread</title><meta name=description content='Both.'>\
    <link rel=canonical href=/soup><meta name=robots content=noarchive>\
    <h1>Soup</h1><p class=price>3 crowns<p class=price>4 crowns</p>\
    <a href=/a>first</a><a href=/b rel=nofollow>second</a><a href=http://other.example/>away</a>\
    <a href=mailto:cook@h>mail</a><a href=/a#x>again</a><a href=#top>top</a><a href=/c?utm_id=1>third</a>";

#[test]
fn a_page_is_shown_as_a_crawl_would_store_it() {
    let server = site(|_| html(PAGE));
    let url = server.url("/?utm_source=x#top");
    let host = format!("127.0.0.1:{}", server.port);
    let text = check(
        &[&url, "--select", "price=.price", "--select", "no=table", "--text"],
        0,
        "next",
        &["store the page and follow 2 links, skip 3"],
    );
    for (label, texts) in [
        ("fetched as", vec![format!("http://{host}/?utm_source=x")]),
        (
            "changed",
            vec![
                "fragment #top removed".into(),
                "identity without the tracking parameters utm_source".into(),
            ],
        ),
        ("scope", vec![format!("in, as a seed; the scope is host {host}")]),
        ("robots", vec!["allowed: no robots.txt: status 404".into()]),
        ("answer", vec![format!("HTTP/1.1 200 from {host}")]),
        ("title", vec!["Soup & bread".into()]),
        ("description", vec!["Both.".into()]),
        ("canonical", vec![format!("http://{host}/soup")]),
        ("robots meta", vec!["noarchive".into()]),
        ("language", vec!["en".into()]),
        ("charset", vec!["UTF-8, by the Content-Type header".into()]),
        ("h1", vec!["Soup".into()]),
        ("select", vec![r#"{"no":null,"price":["3 crowns","4 crowns"]}"#.into()]),
        ("links", vec!["7 on the page, 2 to follow; skipped: 1 nofollow, 1 out-of-scope, 1 scheme".into()]),
        (
            "  found",
            vec![format!("http://{host}/a \"first\""), format!("http://{host}/c?utm_id=1 \"third\"")],
        ),
        ("  nofollow", vec![format!("http://{host}/b \"second\" rel=nofollow  (rel of the link)")]),
        ("  out-of-scope", vec![format!("http://other.example/ \"away\"  (host {host})")]),
    ] {
        assert_eq!(labelled(&text, label), texts, "{label} in {text}");
    }
    assert!(labelled(&text, "identity")[0].starts_with(&format!("http://{host}/ (key ")), "{text}");
    assert!(labelled(&text, "  >").iter().any(|field| field.starts_with("user-agent: huntsman/")), "{text}");
    assert!(labelled(&text, "  <").contains(&"content-type: text/html; charset=utf-8"), "{text}");
    assert!(text.contains("\n                 3 crowns\n"), "{text}");
    assert_eq!(text.lines().last().map(|line| &line[..4]), Some("next"), "it is the last line");
    assert_eq!(
        server.log().iter().map(|request| &*request.path).collect::<Vec<_>>(),
        ["/robots.txt", "/?utm_source=x"]
    );
}

#[test]
fn what_it_says_of_links_is_what_a_crawl_does() {
    let links = ["/a", "/b", "/deep/c", "http://other.example/", "mailto:x@y", "/skip/me"];
    let server = RawServer::start(move |path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&links),
        _ => page(&[]),
    });
    let url = server.url("/");
    let rules = ["--exclude", "/skip/", "--scope", "host"];
    let list = json(&[&[&*url][..], &rules].concat())["hops"][0]["page"]["links"]["list"].clone();
    let list = list.as_array().unwrap();
    let pick = |wanted: fn(&str) -> bool, name: &str| {
        let rows = list.iter().filter(|link| wanted(link["verdict"].as_str().unwrap()));
        let mut texts: Vec<_> = rows.map(|link| link[name].as_str().unwrap().to_owned()).collect();
        texts.sort();
        texts
    };
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[&["crawl", &url, "--name", "t"][..], &rules].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let store = folder.path().join("crawls/t.db");
    assert_eq!(
        pick(|verdict| verdict == "found", "url"),
        super::sql(&store, "select url from urls where depth = 1 order by 1")
    );
    assert_eq!(
        pick(|verdict| verdict != "found", "url"),
        super::sql(&store, "select url from skipped order by 1")
    );
    assert_eq!(
        pick(|verdict| verdict != "found", "verdict"),
        super::sql(&store, "select reason from skipped order by 1")
    );
}

#[test]
fn what_robots_txt_denies_is_not_asked_for() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (200, String::new(), "User-agent: *\nDisallow: /no\nCrawl-delay: 0.1\n".into()),
        _ => page(&[]),
    });
    let url = server.url("/no/page");
    let text = check(&[&url], 3, "robots", &["denied: line 2: Disallow: /no (group *)"]);
    assert_eq!(labelled(&text, "next"), ["exclude it: robots.txt line 2 disallows it, no request is sent"]);
    assert!(text.contains(&server.url("/robots.txt")), "{text}");
    assert_eq!(server.log().len(), 1);
    let output = fetch(&[&url, "--ignore-robots"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("robots.txt is ignored"), "{}", said(&output));
    assert_eq!(labelled(&shown(&output), "robots"), ["ignored: not asked for"]);
    assert_eq!(server.log().iter().filter(|request| request.path == "/robots.txt").count(), 1);
}

#[test]
fn a_crawl_delay_is_kept_between_robots_txt_and_each_url() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (200, String::new(), "User-agent: *\nCrawl-delay: 0.4\n".into()),
        _ => page(&[]),
    });
    let output = fetch(&[&server.url("/a"), &server.url("/b")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let log = server.log();
    assert_eq!(log.len(), 3, "robots.txt is asked for once");
    for pair in log.windows(2) {
        let gap = pair[1].at.saturating_sub(pair[0].at);
        assert!(gap.as_millis() >= 400, "{} came {gap:?} after {}", pair[1].path, pair[0].path);
    }
}

#[test]
fn where_robots_txt_is_unreachable_the_page_is_not_asked_for() {
    let server = RawServer::start(|_, _| (503, "Retry-After: 7\r\n".into(), String::new()));
    let text = check(&[&server.url("/")], 3, "robots", &["unreachable: status 503"]);
    assert!(labelled(&text, "next")[0].starts_with("wait: robots.txt is asked for again at "), "{text}");
    assert_eq!(server.log().len(), 1);
}

#[test]
fn a_redirect_is_shown_and_followed_only_where_that_is_wanted() {
    let server = site(|path| match path {
        "/from" => (302, "Location: /on\r\n".into(), Vec::new()),
        "/on" => (301, "Location: to\r\n".into(), Vec::new()),
        "/round" => (302, "Location: /about\r\n".into(), Vec::new()),
        "/about" => (302, "Location: /round\r\n".into(), Vec::new()),
        _ => html("<title>there</title>"),
    });
    let (from, on, to) = (server.url("/from"), server.url("/on"), server.url("/to"));
    let on_to = |url: &str| format!("follow the redirect to {url} as a new URL");
    check(&[&from], 0, "next", &[&on_to(&on)]);
    assert_eq!(server.log().len(), 2);
    let stored = "store the page and follow 0 links";
    let text = check(&[&from, "--follow"], 0, "next", &[&on_to(&on), &on_to(&to), stored]);
    assert_eq!(labelled(&text, "title"), ["there"]);
    let known = format!("nothing: the redirect leads to {}, which it knows already", server.url("/round"));
    check(&[&server.url("/round"), "--follow"], 3, "next", &[&on_to(&server.url("/about")), &known]);
}

#[test]
fn an_endless_chain_of_redirects_ends_at_the_limit_of_a_crawl() {
    let server = site(|path| {
        let number: u32 = path[1..].parse().unwrap();
        (302, format!("Location: /{}\r\n", number + 1), Vec::new())
    });
    let shown = json(&[&server.url("/0"), "--follow"]);
    let hops = shown["hops"].as_array().unwrap();
    assert_eq!(hops.len(), 11);
    assert_eq!(
        hops[10]["next"]["words"],
        "dead letter because too-many-redirects: more than 10 redirects in a row"
    );
}

#[test]
fn what_is_gone_or_fails_is_code_3_and_says_what_becomes_of_it() {
    let server = site(|path| match path {
        "/busy" => (429, "Retry-After: 90\r\n".into(), Vec::new()),
        "/down" => (500, String::new(), Vec::new()),
        "/good" => html("x"),
        _ => (404, String::new(), Vec::new()),
    });
    check(&[&server.url("/gone")], 3, "next", &["dead letter because http-404: the server answered 404"]);
    let down = server.url("/down");
    let text = check(
        &[&down, "--retries", "3"],
        3,
        "answer",
        &[&format!("HTTP/1.1 500 from 127.0.0.1:{}", server.port)],
    );
    let next = labelled(&text, "next")[0];
    assert!(
        next.starts_with("retry at ")
            && next.ends_with("attempt 2 of 4, because http-500: the server answered 500"),
        "{next}"
    );
    check(&[&down, "--retries", "0"], 3, "next", &["dead letter because http-500: the server answered 500"]);
    let text = check(&[&server.url("/busy")], 3, "robots", &["allowed: no robots.txt: status 404"]);
    let next = labelled(&text, "next")[0];
    assert!(next.starts_with("ask again at ") && next.contains("(in 1m30s), no attempt used up"), "{next}");
    let output = fetch(&[&server.url("/gone"), &server.url("/good")]);
    assert_eq!(output.status.code(), Some(0), "one that is good is enough");
}

#[test]
fn a_refused_connection_is_code_3_with_its_reason() {
    // A port where nobody listens any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let output = fetch(&[&url, "--retries", "0"]);
    assert_eq!(output.status.code(), Some(3));
    let text = shown(&output);
    let next = labelled(&text, "next")[0];
    assert!(next.starts_with("dead letter because connect: ") && next.contains("refused"), "{next}");
    let next = json(&[&url])["hops"][0]["next"].clone();
    assert_eq!(next["action"], "retry");
    assert!(next["due"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn nothing_that_a_stranger_wrote_reaches_the_terminal_unescaped() {
    let robots = b"User-agent: *\nAllow: /\x1b[31m\nAllow: /\n";
    let body = "<title>\x1b]0;owned\x07\u{202e}evil</title><h1>\u{9b}31m</h1><a href='/\u{202e}x'>\x1b[2J</a>\
        <p>\x1b[H\u{200b}</p>";
    let headers = "Content-Type: text/html; charset=utf-8\r\nX-Evil: a\u{202e}b\u{9b}c\r\n";
    let server = RawServer::start_bytes(move |path, _| {
        let body = if path == "/robots.txt" { robots.to_vec() } else { body.into() };
        (200, headers.into(), body)
    });
    let url = server.url("/");
    let bad = |c: char| (c.is_control() && c != '\n') || ['\u{202e}', '\u{200b}'].contains(&c);
    let text =
        check(&[&url, "--text", "--select", "t=title"], 0, "title", &[r"\u{1b}]0;owned\u{7}\u{202e}evil"]);
    assert!(!text.contains(bad), "{text:?}");
    assert!(labelled(&text, "  <").contains(&r"x-evil: a\u{202e}b\u{9b}c"), "{text}");
    let output = fetch(&[&url, "--format", "json", "--text"]);
    assert!(!shown(&output).contains(bad));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["hops"][0]["page"]["title"], "\x1b]0;owned\x07\u{202e}evil", "as it was written");
}

#[test]
fn a_mistake_is_code_2_and_asks_nobody() {
    let server = site(|_| html(""));
    for (url, part) in [
        ("no such thing", "not a URL"),
        ("example.org", "did you mean https://example.org/?"),
        ("file:///etc/passwd", "file: URLs are not fetched"),
        ("ftp://127.0.0.1/", "ftp"),
    ] {
        let output = fetch(&[&server.url("/"), url]);
        assert_eq!(output.status.code(), Some(2), "{url}");
        assert!(said(&output).starts_with("error: ") && said(&output).contains(part), "{}", said(&output));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fetch(&[]).status.code(), Some(2));
    assert_eq!(fetch(&[&server.url("/"), "--select", "x=<<"]).status.code(), Some(2));
    assert!(server.log().is_empty());
}

#[test]
fn codings_and_charsets_are_undone_and_named() {
    let server = site(|path| match path {
        "/gzip" => {
            let mut coder = GzEncoder::new(Vec::new(), Compression::best());
            coder.write_all("<title>packed</title>".repeat(50).as_bytes()).unwrap();
            (200, "Content-Type: text/html\r\nContent-Encoding: gzip\r\n".into(), coder.finish().unwrap())
        }
        "/header" => (
            200,
            "Content-Type: text/html; charset=koi8-r\r\n".into(),
            b"<title>\xf7\xcf\xc4\xc1</title>".to_vec(),
        ),
        "/meta" => (
            200,
            "Content-Type: text/html\r\n".into(),
            b"<meta charset=shift_jis><title>\x90\x85</title>".to_vec(),
        ),
        "/bom" => (200, "Content-Type: text/html\r\n".into(), b"\xff\xfe<\0t\0i\0t\0l\0e\0>\0x\0".to_vec()),
        "/pdf" => (200, "Content-Type: application/pdf\r\n".into(), b"%PDF\xff".to_vec()),
        _ => (
            200,
            "Content-Type: text/html\r\nContent-Encoding: zstd\r\n".into(),
            b"\x28\xb5\x2f\xfd\x04\x58\x09\0\0hi".to_vec(),
        ),
    });
    let shown = json(&[&server.url("/gzip")]);
    let (request, page) = (&shown["hops"][0]["request"], &shown["hops"][0]["page"]);
    assert_eq!((&page["title"], &request["body_bytes"]), (&"packed".into(), &1_050.into()));
    assert!(request["wire_bytes"].as_u64().unwrap() < 100, "{request}");
    let text = check(
        &[&server.url("/gzip")],
        0,
        "charset",
        &["windows-1252, by default: nobody says, and it is ASCII"],
    );
    assert!(labelled(&text, "body")[0].ends_with("bytes on the wire (gzip), 1,050 decoded"), "{text}");
    for (path, charset, title) in [
        ("/header", "KOI8-R, by the Content-Type header", "Вода"),
        ("/meta", "Shift_JIS, by a meta element or XML declaration", "水"),
        ("/bom", "UTF-16LE, by its byte order mark", "x"),
    ] {
        let text = check(&[&server.url(path)], 0, "title", &[title]);
        assert_eq!(labelled(&text, "charset"), [charset]);
    }
    check(&[&server.url("/pdf")], 0, "document", &["not HTML: it is stored, and nothing is read from it"]);
    let text = check(&[&server.url("/zstd"), "--retries", "0"], 3, "title", &[]);
    assert!(labelled(&text, "next")[0].starts_with("dead letter because coding: "), "{text}");
}

#[test]
fn headers_of_the_user_are_sent_and_not_shown() {
    let server = site(|_| html("x"));
    let output =
        fetch(&[&server.url("/"), "--header", "Authorization: Bearer hush", "--user-agent", "mine/2"]);
    let text = shown(&output);
    assert!(text.contains("authorization: <redacted>") && text.contains("user-agent: mine/2"), "{text}");
    assert!(!text.contains("hush"));
}

#[test]
fn every_url_of_a_simulated_web_is_shown_as_it_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let robots = RobotsKind::Rules;
    let settings =
        Settings { hosts: 2, pages: 60, error_rate: 0.1, redirects: 0.1, robots, ..Settings::default() };
    let web = runtime.block_on(Testweb::start(settings)).unwrap();
    // One that fails the first time only would make its host wait.
    let truth: Vec<_> = web.truth().filter(|truth| truth.kind != Kind::Transient).collect();
    let mut arguments = vec!["--format", "json", "--retries", "0"];
    arguments.extend(truth.iter().map(|truth| &*truth.url));
    let output = fetch(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = shown(&output);
    assert_eq!(text.lines().count(), truth.len());
    let mut kinds = std::collections::BTreeSet::new();
    for (line, truth) in text.lines().zip(&truth) {
        let value: Value = serde_json::from_str(line).unwrap();
        let hop = &value["hops"][0];
        let next = hop["next"]["action"].as_str().unwrap();
        assert_eq!(hop["identity"]["canonical"], truth.url, "{line}");
        kinds.insert(next.to_owned());
        if next == "exclude" {
            assert!(truth.kind == Kind::Private && hop["request"].is_null(), "{line}");
            continue;
        }
        let status = hop["request"]["status"].as_u64().and_then(|status| u16::try_from(status).ok());
        assert_eq!((status, hop["page"]["title"].as_str()), (truth.status, truth.title.as_deref()), "{line}");
        let expected = match status {
            Some(200) => "store",
            Some(300..=399) if truth.kind == Kind::Loop => next,
            Some(300..=399) => "redirect",
            _ => "dead-letter",
        };
        assert_eq!(next, expected, "{line}");
    }
    assert_eq!(Vec::from_iter(kinds), ["dead-letter", "exclude", "redirect", "store"]);
}
