//! Redirects as rows: the source is closed as redirected, the target is a URL of its own.

use super::origin::{Origin, Reply};
use super::{crawl, crawl_through};

fn to(status: u16, location: &str) -> Reply {
    Reply::new(status, &format!("Location: {location}\r\n"), "")
}

#[test]
fn each_kind_of_redirect_becomes_rows() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&[
            "/moved",
            "/found",
            "/relative/x",
            "/out",
            "/self",
            "/nowhere",
            "/bad",
            "/twice",
            "/file",
        ]),
        "/moved" => to(301, "/target#part"), // a fragment is not part of what is fetched
        "/found" => to(302, "/target"),
        "/relative/x" => to(308, "../target"),
        "/out" => to(301, "http://else.test/"),
        "/self" => to(302, "/self"),
        "/nowhere" => Reply::new(301, "", ""),
        "/bad" => to(301, "http://[\u{1b}[31mx/"),
        "/twice" => to(307, "/moved"),
        "/file" => to(302, "file:///etc/passwd"),
        "/target" => Reply::links(&[]),
        _ => Reply::gone(),
    });
    let crawled = crawl(&origin.url("/"), &[]);
    let base = origin.url("");
    assert_eq!(crawled.stored(&base), ["/", "/target"]);
    assert_eq!(origin.pages().iter().filter(|path| *path == "/target").count(), 1, "asked for once");
    let rows = crawled.sql("select url, redirect_to from urls where state = 'redirected' order by id");
    let expected = [
        ("/moved", format!("{base}/target")),
        ("/found", format!("{base}/target")),
        ("/relative/x", format!("{base}/target")),
        ("/out", "http://else.test/".to_owned()),
        ("/twice", format!("{base}/moved")),
    ];
    assert_eq!(rows, expected.map(|(from, target)| format!("{base}{from}|{target}")));
    let dead = crawled.sql(
        "select replace(url, rtrim(url, replace(url, '/', '')), ''), reason from dead_letters order by 1",
    );
    assert_eq!(
        dead,
        ["bad|redirect-invalid", "file|redirect-invalid", "nowhere|redirect-invalid", "self|redirect-loop"]
    );
    assert_eq!(crawled.sql("select url, reason from skipped"), ["http://else.test/|out-of-scope"]);
    assert!(!crawled.said().contains('\u{1b}'), "{:?}", crawled.said());
}

#[test]
fn a_chain_ends_after_ten_redirects() {
    let origin = Origin::site(|path| {
        let step: u32 = path[1..].parse().unwrap_or(0);
        if step < 100 { to(302, &format!("/{}", step + 1)) } else { Reply::links(&[]) }
    });
    let folder = tempfile::tempdir().unwrap();
    let output = super::run(folder.path(), &["crawl", &origin.url("/"), "--name", "t"]);
    assert_eq!(output.status.code(), Some(3), "{}", super::said(&output));
    assert_eq!(origin.pages().len(), 11);
    let store = folder.path().join("crawls/t.db");
    let dead = super::sql(&store, "select reason from dead_letters");
    assert_eq!(dead, ["too-many-redirects"]);
}

#[test]
fn the_target_of_a_seeds_redirect_is_a_seed_on_its_own_host() {
    let proxy = Origin::start(|host, path| match (host, path) {
        (_, "/robots.txt") => Reply::gone(),
        ("old.test", _) => to(301, "http://new.example/start"),
        ("new.example", "/start") => Reply::links(&["/inner", "http://third.test/"]),
        _ => Reply::links(&[]),
    });
    let crawled = crawl_through(&proxy, "http://old.test/", &[]);
    assert_eq!(crawled.stored("http://"), ["new.example/inner", "new.example/start"]);
    assert!(
        proxy.log().iter().any(|asked| asked.url == "http://new.example/robots.txt"),
        "under its own robots.txt"
    );
}

#[test]
fn a_redirect_that_only_sets_a_cookie_is_visited_once_more() {
    let origin = Origin::start(|_, path| match path {
        "/robots.txt" => Reply::gone(),
        _ => Reply::new(302, "Location: /\r\nSet-Cookie: seen=1; Path=/\r\n", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    super::run(folder.path(), &["crawl", &origin.url("/"), "--name", "t"]);
    let cookies: Vec<_> =
        origin.log()[1..].iter().map(|asked| asked.field("cookie").map(str::to_owned)).collect();
    assert_eq!(cookies, [None, Some("seen=1".to_owned())]);
}
