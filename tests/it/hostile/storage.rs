//! Text that a database does not like, in both stores.

use super::shown;
use super::site::{Site, answer};
use crate::program::{run, said};
use crate::servers::postgres::shared;

/// Crawls `seed` into a file and into a database, and asks both the same; the rows are CSV.
fn both(seed: &str, question: &str) -> [String; 2] {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(async {
        let server = shared().await;
        let name = server.new_database("").await;
        server.url(&name)
    });
    ["sqlite:t.db", &database].map(|store| {
        let folder = tempfile::tempdir().unwrap();
        let crawled = run(
            folder.path(),
            &["crawl", seed, "--name", "t", "--store", store, "--text", "--retries", "0", "--delay", "20ms"],
        );
        assert_eq!(crawled.status.code(), Some(0), "{}", said(&crawled));
        let asked = run(folder.path(), &["query", question, "--store", store, "--format", "csv"]);
        assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
        String::from_utf8(asked.stdout).unwrap().lines().skip(1).collect::<Vec<_>>().join("\n")
    })
}

/// X1: NUL and surrogates.
#[test]
fn x1_nul_and_surrogates_are_stored_in_either_store() {
    let site = Site::start(|peer, path| {
        let html = "<title>a&#0;b&#xD800;c\0d</title><meta name=description content='x\0y'><h1>h\0&#xDFFF;</h1>\
            <a href='/n\0ul'>l\0</a><a href='/\u{fffd}'>x</a><a href='http://[\0'>x</a><p>t\0\u{1}\u{7f}</p>";
        let fields = "Content-Type: text/html; charset=utf-8\r\nETag: \"\x01\x7f\"\r\nX-Robots-Tag: \x02\r\n";
        peer.send(answer(fields, if path == "/" { html } else { "x" }));
    });
    let rows =
        both(&site.url("/"), "select count(*), sum(length(title)), min(substr(title, 1, 1)) from pages");
    assert_eq!(rows[0], rows[1]);
    let [file, database] = both(&site.url("/"), "select count(*) from pages where title like 'a%c%'");
    assert_eq!((&*file, &*database), ("1", "1"));
    shown("X1", "every page is in both stores; what a text cannot hold is U+FFFD");
}

/// X2: long URLs.
#[test]
fn x2_the_longest_url_is_stored_in_either_store() {
    let site = Site::start(|peer, path| {
        let base = format!("http://127.0.0.1:{}/", peer.port());
        let fitting = "x".repeat(2_048 - base.len());
        let html = format!("<a href='/{fitting}'>x</a><a href='/{fitting}y'>x</a>");
        peer.page("", if path == "/" { html.as_str() } else { "<title>long</title>" });
    });
    let rows = both(
        &site.url("/"),
        "select max(length(url)), (select count(*) from skipped where reason = 'url-too-long') from pages where title = 'long'",
    );
    assert_eq!(rows, ["2048,1", "2048,1"]);
    shown("X2", "2,048 octets are stored in both; one more is skipped as url-too-long");
}

/// X5: characters.
#[test]
fn x5_characters_are_stored_as_they_are() {
    let site = Site::start(|peer, path| {
        let html =
            "<title>😀 e\u{301} é 𝔘</title><a href='/é'>x</a><a href='/e\u{301}'>x</a><a href='/😀'>x</a>";
        peer.send(answer("Content-Type: text/html; charset=utf-8\r\n", if path == "/" { html } else { "x" }));
    });
    let rows =
        both(&site.url("/"), "select title, (select count(*) from urls) from pages where title is not null");
    assert_eq!(rows, ["😀 e\u{301} é 𝔘,4", "😀 e\u{301} é 𝔘,4"]);
    shown("X5", "as they are in both; composed and decomposed are two URLs");
}
