//! Seed lists as people write them.

use super::super::huntsman;
use super::origin::{Origin, Reply};
use super::{run, said, sql};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

fn site() -> Origin {
    Origin::site(|path| match path {
        "/deep" => Reply::links(&["/deep/1"]),
        "/deep/1" => Reply::links(&["/deep/2"]),
        "/flat" => Reply::links(&["/flat/1"]),
        "/dir/page" => Reply::links(&["/dir/in", "/outside"]),
        _ => Reply::links(&[]),
    })
}

/// A list with everything that people put into one.
fn list(base: &str) -> String {
    format!(
        "\u{feff}# my seeds\r\n\r\n   \t\r\n{base}/deep depth=1\r\n{base}/flat depth=0 # no further\r\n\
         {base}/dir/page scope=prefix priority=9\r\nexample.org/x\r\n{base}/bad depth=many\r\n{base}/flat#again\r\n\
         ftp://h/file\r\n{base}/what colour=red\r\n{base}/last"
    )
}

const GOOD: [&str; 6] = ["/deep", "/deep/1", "/dir/in", "/dir/page", "/flat", "/last"];

fn stored(store: &Path, base: &str) -> Vec<String> {
    sql(store, "select url from pages order by url").iter().map(|url| url.replace(base, "")).collect()
}

#[test]
fn a_list_with_everything_in_it_is_read_and_its_bad_lines_are_named() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let base = site.url("");
    std::fs::write(folder.path().join("seeds.txt"), list(&base)).unwrap();
    let output = run(folder.path(), &["crawl", "seeds.txt", "--name", "t", "--scope", "prefix"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let warnings: Vec<&str> = text.lines().filter(|line| line.starts_with("warning: ")).collect();
    let numbers: Vec<&str> = warnings.iter().map(|line| line.split(':').nth(2).unwrap()).collect();
    assert_eq!(numbers, ["7", "8", "10", "11"], "{warnings:#?}");
    for (warning, part) in warnings.iter().zip(["https://example.org/x", "depth", "ftp", "colour"]) {
        assert!(warning.starts_with("warning: seeds.txt:") && warning.contains(part), "{part} in {warning}");
    }
    let opened: Vec<String> = stored(&folder.path().join("crawls/t.db"), &base);
    assert!(GOOD.iter().all(|page| opened.iter().any(|url| url == page)), "{opened:?}");
    assert!(!opened.iter().any(|url| ["/deep/2", "/flat/1"].contains(&url.as_str())), "{opened:?}");
    assert_eq!(site.pages()[0], "/dir/page", "priority 9 is visited first");
}

#[test]
fn strict_refuses_the_whole_list_before_anything_is_fetched() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seeds.txt"), list(&site.url(""))).unwrap();
    let output = run(folder.path(), &["crawl", "seeds.txt", "--name", "t", "--strict"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("error: seed list seeds.txt: 4 bad lines"), "{text}");
    assert!(text.contains("seeds.txt:7:") && text.contains("hint: "), "{text}");
    assert!(site.log().is_empty() && !folder.path().join("crawls").exists());
}

fn from_stdin(folder: &Path, arguments: &[&str], text: &[u8]) -> std::process::Output {
    let mut process = huntsman(folder, arguments).stdin(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(text).unwrap();
    process.wait_with_output().unwrap()
}

#[test]
fn seeds_come_from_standard_input() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let base = site.url("");
    let text = format!("{base}/flat depth=0\nnonsense\n{base}/last\n");
    let output = from_stdin(folder.path(), &["crawl", "-", "--name", "t"], text.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("warning: standard input:2: not a URL"), "{}", said(&output));
    assert_eq!(stored(&folder.path().join("crawls/t.db"), &base), ["/flat", "/last"]);

    let strict = from_stdin(folder.path(), &["crawl", "-", "--name", "u", "--strict"], text.as_bytes());
    assert_eq!(strict.status.code(), Some(2), "{}", said(&strict));
    for (text, part) in
        [(&b""[..], "holds no URL"), (b"# none\n", "holds no URL"), (b"\x7fELF\0\0", "binary")]
    {
        let output = from_stdin(folder.path(), &["crawl", "-", "--name", "v"], text);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(part) && said(&output).contains("hint: "), "{}", said(&output));
    }
}

#[test]
fn urls_and_lists_stand_side_by_side() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let base = site.url("");
    std::fs::write(folder.path().join("one"), format!("{base}/a\r{base}/b\r")).unwrap();
    let arguments = ["crawl", &format!("{base}/first"), "one", "--name", "t"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("3 seeds"), "{}", said(&output));
    assert_eq!(stored(&folder.path().join("crawls/t.db"), &base), ["/a", "/b", "/first"]);
}

#[test]
fn the_links_of_every_seed_belong_to_the_crawl() {
    let sites: Vec<Origin> = (0..3)
        .map(|_| Origin::site(|path| if path == "/" { Reply::links(&["/a"]) } else { Reply::links(&[]) }))
        .collect();
    let urls: Vec<String> = sites.iter().map(|site| site.url("/")).collect();
    let folder = tempfile::tempdir().unwrap();
    // The last one stands far behind, in a later piece of its list.
    let filler = "# a comment line of a long list\n".repeat(6_000);
    std::fs::write(folder.path().join("list"), format!("{filler}{}\n", urls[2])).unwrap();
    let output = run(folder.path(), &["crawl", &urls[0], &urls[1], "list", "--name", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for site in &sites {
        assert_eq!(site.pages(), ["/", "/a"], "{}", said(&output));
    }
    assert!(
        said(&output).contains("scope host: 3 hosts") || said(&output).contains("3 hosts"),
        "{}",
        said(&output)
    );
}

/// What a stranger's redirect names is never taken for named by the operator, not even by the next process.
#[test]
fn the_target_of_a_seeds_redirect_opens_no_private_network_on_resume() {
    let site = Origin::site(|path| match path {
        "/" => Reply::links(&["/later", "/elsewhere"]),
        _ => Reply::links(&[]),
    });
    let private = site.url("/metadata").replace("127.0.0.1", "0.0.0.0");
    let moving = {
        let private = private.clone();
        Origin::site(move |_| Reply::new(302, &format!("Location: {private}\r\n"), ""))
    };
    let folder = tempfile::tempdir().unwrap();
    let crawl = ["crawl", &moving.url("/"), &site.url("/"), "--name", "t", "-n", "1"];
    run(folder.path(), &crawl);
    let store = folder.path().join("crawls/t.db");
    // As if the process had died before it asked for the target.
    sql(
        &store,
        "update urls set state = 'open', reason = null, attempt = 1, due_at = null where url like '%/metadata'",
    );
    assert_eq!(
        sql(
            &store,
            "select count(*) from urls where state = 'open' and url like '%/metadata' and seed is not null"
        ),
        ["1"]
    );
    let output = run(folder.path(), &["resume", "-n", "none"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(sql(&store, "select reason from urls where url like '%/metadata'"), ["forbidden-address"]);
    assert!(!site.pages().iter().any(|page| page == "/metadata"), "{:?}", site.pages());
}

#[test]
fn a_crawl_whose_list_was_not_read_to_its_end_says_so() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let mut crawl =
        huntsman(folder.path(), &["crawl", "-", "--name", "t"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut list = crawl.stdin.take().unwrap();
    // More than is read at a time, and the end never comes.
    let lines: String = (0..8_000).map(|n| site.url(&format!("/{n}\n"))).collect();
    list.write_all(lines.as_bytes()).unwrap();
    let store = folder.path().join("crawls/t.db");
    super::super::wait_until("seeds in the store", || {
        store.exists()
            && std::process::Command::new("sqlite3")
                .arg(&store)
                .arg("select count(*) from urls")
                .output()
                .is_ok_and(|output| output.stdout.len() > 2)
    });
    crawl.kill().unwrap();
    crawl.wait().unwrap();
    let output = run(folder.path(), &["resume", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let warning = "warning: t has not all of its seeds: an earlier run ended while it read them";
    assert!(said(&output).contains(warning), "{}", said(&output));
    std::fs::write(folder.path().join("list"), lines).unwrap();
    let output = run(folder.path(), &["crawl", "list", "--name", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("warning: t has"), "{}", said(&output));
    assert_eq!(sql(&store, "select count(*) from urls"), ["8000"]);
    assert!(!said(&run(folder.path(), &["resume", "t"])).contains("warning: t has"));
}
