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
