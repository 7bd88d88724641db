//! `huntsman robots`, from a file and live.

use super::raw_server::RawServer;
use super::run;

#[test]
fn robots_says_allow_or_deny_with_the_rule_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = "User-agent: *\nDisallow: /no\nAllow: /no/but\n";
    std::fs::write(folder.path().join("robots.txt"), text).unwrap();
    let expected = |base: &str| {
        format!(
            "deny   {base}/no/x  line 2: Disallow: /no (group *)\nallow  {base}/no/but  line 3: Allow: /no/but (group *)\nallow  {base}/yes  no rule\n"
        )
    };
    let ask = |base: &str, file: &[&str]| {
        let urls = ["/no/x", "/no/but", "/yes"].map(|path| format!("{base}{path}"));
        let mut arguments = vec!["robots"];
        arguments.extend(urls.iter().map(String::as_str));
        arguments.extend(file);
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask("http://h", &["--file", "robots.txt", "--agent", "x"]), expected("http://h"));
    let server = RawServer::start(move |_, _| (200, "Content-Type: text/plain\r\n".into(), text.into()));
    let base = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(ask(&base, &[]), expected(&base));
    assert_eq!(server.log().len(), 1, "one robots.txt is asked for once");
}

#[test]
fn sitemaps_beyond_those_that_are_read_are_counted() {
    use std::fmt::Write;
    let folder = tempfile::tempdir().unwrap();
    let mut text = "User-agent: *\nDisallow: /no\n".to_owned();
    (0..1_200).for_each(|n| writeln!(text, "Sitemap: http://h/{n}.xml").unwrap());
    writeln!(text, "Sitemap: http://h/{}", "x".repeat(3_000)).unwrap();
    std::fs::write(folder.path().join("robots.txt"), &text).unwrap();
    let check = |url: &str, flags: &[&str]| {
        let output = run(folder.path(), &[&["robots", url, url], flags].concat());
        let said = super::said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said.matches("1000 of the 1201 sitemaps").count(), 1, "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2, "the verdicts alone");
    };
    check("http://h/", &["--file", "robots.txt"]);
    let server = RawServer::start(move |path, _| match path {
        "/robots.txt" => (200, "Content-Type: text/plain\r\n".into(), text.clone()),
        _ => super::raw_server::page(&[]),
    });
    check(&server.url("/"), &[]);
    let crawled = run(folder.path(), &["crawl", &server.url("/"), "--name", "t"]);
    assert_eq!(crawled.status.code(), Some(0), "{}", super::said(&crawled));
    let why = run(folder.path(), &["why", &server.url("/")]);
    let why = String::from_utf8(why.stdout).unwrap();
    assert!(why.contains("1000 of the 1201 sitemaps"), "{why}");
}
