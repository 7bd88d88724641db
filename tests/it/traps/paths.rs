//! Paths that go on for ever.

use super::{Crawl, asked, html};
use crate::hostile::shown;
use crate::program::raw_server::RawServer;
use crate::program::run;

/// A site with a relative link that should have been absolute: each page under `/docs/` links to one deeper.
fn relative_link() -> RawServer {
    RawServer::start(|path, _| match path {
        "/" => html("home", &["/docs/".into(), "/about".into()]),
        "/about" => html("about", &[]),
        _ => html("the same page again", &["docs/".into(), "faq/".into()]),
    })
}

/// T3: a relative link that should have been absolute.
#[test]
fn t03_a_path_that_repeats_itself_is_parked_explained_and_released() {
    let folder = tempfile::tempdir().unwrap();
    let (site, crawl) = (relative_link(), Crawl(folder.path()));
    crawl.crawl(&site.url("/"), &[]);
    let parked = crawl
        .sql("select count(*) > 0, min(parked), min(depth) > 1 from skipped where reason = 'repeated-path'");
    assert_eq!(parked, ["1||1"]);
    let trapped = asked(&site, |path| path.matches("docs/").count() + path.matches("faq/").count() > 1);
    assert!(trapped < 60, "{trapped} requests into the trap");
    let url = site.url("/docs/docs/docs/");
    let text = crawl.well(&["why", &url]);
    assert!(text.contains("repeated-path: \"docs\" stands more than 2 times in its path"), "{text}");
    let command = format!("huntsman release {url} --name t --store sqlite:crawls/t.db");
    assert!(text.contains(&command), "{text}");
    assert_eq!(asked(&site, |path| path == "/docs/docs/docs/"), 0);

    let text = crawl.well(&["release", &url]);
    assert!(text.contains("1 URL of t released; huntsman resume visits them"), "{text}");
    crawl.well(&["resume"]);
    assert_eq!(asked(&site, |path| path == "/docs/docs/docs/"), 1);
    assert_eq!(crawl.sql(&format!("select state from urls where url = '{url}'")), ["stored"]);
    assert_eq!(crawl.sql(&format!("select count(*) from skipped where url = '{url}'")), ["0"]);
    assert_eq!(asked(&site, |path| path == "/docs/docs/docs/docs/"), 0, "what it links to is judged as ever");
    shown(
        "T3",
        &format!("{trapped} requests into the repetition; why explains what is parked, release opens it"),
    );
}

#[test]
fn a_rule_is_released_by_its_name_and_host_and_what_is_not_parked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (site, crawl) = (relative_link(), Crawl(folder.path()));
    crawl.crawl(&site.url("/"), &[]);
    let host = format!("127.0.0.1:{}", site.port);
    let parked = crawl.sql("select count(*) from skipped where reason = 'repeated-path'");
    for (arguments, told) in [
        (vec!["release"], "nothing is named that is to be released"),
        (vec!["release", "--host", "elsewhere"], "nothing of t is parked"),
        (vec!["release", "--rule", "deep-path"], "nothing of t is parked"),
        (vec!["release", "--rule", "no-such"], "no rule; there are repeated-path"),
        (vec!["release", "no url"], "not a URL"),
    ] {
        let output = run(folder.path(), &arguments);
        let said = crate::program::said(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    let text = crawl.well(&["release", "--rule", "repeated-path", "--host", &host]);
    assert!(text.contains(&format!("{} URLs of t released", parked[0])), "{text}");
    assert_eq!(crawl.sql("select state from crawls"), ["running"], "it is no longer finished");
}

#[test]
fn a_path_of_too_many_segments_is_parked() {
    let folder = tempfile::tempdir().unwrap();
    let crawl = Crawl(folder.path());
    // Each page links to one deeper, by a word that does not repeat.
    let site = RawServer::start(|path, _| {
        let depth = path.matches('/').count();
        html(path, &[format!("{}s{}x/", path, "abcdefghijklmnopqrstuvwxyz".get(..depth).unwrap_or("z"))])
    });
    crawl.crawl(&site.url("/"), &[]);
    let parked = crawl.sql("select reason, detail like 'its path has more than 20 segments; fetch it all the same: %' from skipped");
    assert_eq!(parked, ["deep-path|1"]);
    assert_eq!(crawl.sql("select count(*) from pages"), ["21"]);
}
