//! What a crawl left is found again: `query`, `pages`, `status`, `why`.

use super::raw_server::{RawServer, page};
use super::{run, said};
use std::path::Path;

/// A small site with a page of every kind.
pub(super) fn site() -> RawServer {
    RawServer::start(|path, _| match path {
        "/robots.txt" => {
            (200, "Content-Type: text/plain\r\n".into(), "User-agent: *\nDisallow: /no\n".into())
        }
        "/" => page(&["/a?utm_source=x", "/no/b", "/gone", "mailto:a@b", "http://elsewhere.test/"]),
        "/gone" => (404, String::new(), String::new()),
        "/a?utm_source=x" => {
            (200, "Content-Type: text/html\r\n".into(), "<title>\u{1b}[31m red &amp; =1+1</title>".into())
        }
        _ => page(&[]),
    })
}

fn crawled(folder: &Path) -> RawServer {
    let server = site();
    let output = run(folder, &["crawl", &server.url("/"), "--name", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    server
}

/// What it prints, where it succeeds.
pub(super) fn ask(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn why_gives_the_trail_of_any_url() {
    let folder = tempfile::tempdir().unwrap();
    let server = crawled(folder.path());
    let why = |url: &str| ask(folder.path(), &["why", url]);
    let text = why(&server.url("/a?utm_source=other"));
    assert!(text.contains("stored") && text.contains("attempt 1: 200"), "{text}");
    assert!(text.contains(&format!("identity         {}\n", server.url("/a"))), "{text}");
    let text = why(&server.url("/no/b"));
    assert!(text.contains("excluded (robots)") && text.contains("line 2") && text.contains("/no"), "{text}");
    let text = why(&server.url("/gone"));
    assert!(text.contains("given up         http-404 after 1 attempts"), "{text}");
    assert!(why("http://elsewhere.test/").contains("out-of-scope"));
    assert!(why("mailto:a@b").contains("scheme"));
    assert!(why(&server.url("/never")).contains("never found"));
}

#[test]
fn queries_read_and_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let _server = crawled(folder.path());
    let folder = folder.path();
    let json: serde_json::Value = serde_json::from_str(&ask(
        folder,
        &["query", "select status, count(*) n from fetches group by 1 order by 1", "--format", "json"],
    ))
    .unwrap();
    assert_eq!(json, serde_json::json!([{"status": 200, "n": 3}, {"status": 404, "n": 1}]));
    for writing in [
        "delete from pages",
        "with x as (select 1) delete from pages",
        "pragma user_version = 7",
        "attach 'x' as y",
    ] {
        let output = run(folder, &["query", writing]);
        assert_eq!(output.status.code(), Some(2), "{writing}: {}", said(&output));
    }
    assert_eq!(ask(folder, &["query", "select count(*) from pages", "--format", "csv"]), "count(*)\r\n2\r\n");
    for question in documented_questions() {
        ask(folder, &["query", question.trim_end_matches(';')]);
    }
}

/// The questions of migrations/README.md.
pub(super) fn documented_questions() -> Vec<String> {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/README.md")).unwrap();
    let questions = readme.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(questions.lines().count(), 5);
    questions.lines().map(str::to_owned).collect()
}

#[test]
fn pages_and_status_are_listed_and_their_text_is_made_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let server = crawled(folder.path());
    let table = ask(folder.path(), &["pages", "--title", "red"]);
    assert!(table.contains("red & =1+1") && !table.contains('\u{1b}'), "{table:?}");
    assert_eq!(table.lines().count(), 3, "{table}");
    let csv = ask(
        folder.path(),
        &["pages", "--status", "2xx", "--host", &format!("127.0.0.1:{}", server.port), "--format", "csv"],
    );
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert_eq!(ask(folder.path(), &["pages", "--since", "2100-01-01", "--format", "json"]), "[]\n");
    let status: serde_json::Value = serde_json::from_str(&ask(folder.path(), &["status", "--json"])).unwrap();
    assert_eq!((&status[0]["state"], &status[0]["stored"]), (&"finished".into(), &2.into()));
}
