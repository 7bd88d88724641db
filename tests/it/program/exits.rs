//! Every exit code, one clear line for each mistake, and a store that stays usable.

use super::raw_server::{RawServer, page};
use super::{huntsman, run, said, sql, wait_until};
use crate::servers::redis::RedisServer;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn site() -> RawServer {
    RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/a", "/b"]),
        _ => page(&[]),
    })
}

/// One line that begins with `error:`, no panic, nothing on standard output.
fn check(output: &Output, code: i32, part: &str) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() == 1 && text.contains(part), "{part:?} in {text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn mistakes_in_the_seeds_are_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("binary"), [0u8, 159, 146, 150, 0, 1, 2]).unwrap();
    std::fs::write(folder.join("empty"), "# nothing\n\n").unwrap();
    check(&run(folder, &["crawl", "no such thing"]), 2, "no such thing");
    check(&run(folder, &["crawl", "missing.txt"]), 2, "missing.txt");
    check(&run(folder, &["crawl", "file:///etc/passwd"]), 2, "file:");
    check(&run(folder, &["crawl", "binary"]), 2, "binary");
    check(&run(folder, &["crawl", "empty"]), 2, "no URL");
    check(&run(folder, &["crawl", "http://127.0.0.1:1/", "--delay", "5"]), 2, "unit");
    check(&run(folder, &["resume"]), 2, "no crawl");
    assert_eq!(run(folder, &["crawl"]).status.code(), Some(2));
    assert!(!folder.join("crawls").exists(), "nothing was made");
}

#[test]
fn what_cannot_be_written_is_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = huntsman(folder.path(), &["config", "defaults"]).stdout(full).output().unwrap();
    check(&output, 1, "No space left on device");
}

#[test]
fn an_index_that_will_never_do_is_code_5() {
    let redis = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let folder = tempfile::tempdir().unwrap();
    check(&run(folder.path(), &["node", "--frontier", &redis.url()]), 5, "maxmemory-policy noeviction");
    check(&run(folder.path(), &["node", "--frontier", "http://r1/"]), 2, "not the URL of a Redis");
    check(&run(folder.path(), &["node"]), 2, "HUNTSMAN_FRONTIER");
    check(
        &run(folder.path(), &["storage", "--frontier", &redis.url(), "--store", "sqlite:t.db"]),
        2,
        "Postgres",
    );
}

#[test]
fn an_unreachable_seed_is_code_3() {
    let folder = tempfile::tempdir().unwrap();
    // A port where nobody listens any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let output = run(folder.path(), &["crawl", &url, "--retries", "0"]);
    check(&output, 3, &format!("no page could be fetched from any seed; {url} connect"));
}

#[test]
fn a_request_that_is_forbidden_is_not_counted_as_one() {
    let folder = tempfile::tempdir().unwrap();
    // Port 1 is for another protocol: nothing is sent there.
    let output = run(folder.path(), &["crawl", "http://127.0.0.1:1/", "--summary-json", "s.json"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("s.json")).unwrap()).unwrap();
    assert_eq!(summary["requests"]["total"], 0, "{summary:#}");
    assert_eq!(summary["found"]["failed"], 1, "{summary:#}");
}

#[test]
fn failures_that_are_not_accepted_are_code_10() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/gone", "/missing/1", "/missing/2", "/a"]),
        "/gone" => (410, String::new(), String::new()),
        path if path.starts_with("/missing") => (404, String::new(), String::new()),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let seed = server.url("/");
    let crawl = |name: &str, kinds: &[&str]| {
        let kinds = kinds.iter().flat_map(|kind| ["--fail-on", kind]);
        let flags = ["crawl", &seed, "--name", name, "--delay", "0"].into_iter().chain(kinds);
        run(folder.path(), &flags.collect::<Vec<_>>())
    };
    check(&crawl("one", &["404"]), 10, "2 URLs failed, which --fail-on does not accept: http-404 2");
    check(
        &crawl("two", &["5xx", "4xx"]),
        10,
        "3 URLs failed, which --fail-on does not accept: http-404 2, http-410 1",
    );
    // The crawl itself is whole; only the command failed.
    assert_eq!(sql(&folder.path().join("crawls/two.db"), "select state from crawls"), ["finished"]);
    assert_eq!(sql(&folder.path().join("crawls/two.db"), "select count(*) from pages"), ["2"]);
    let accepted = crawl("three", &["5xx", "net"]);
    assert_eq!(accepted.status.code(), Some(0), "{}", said(&accepted));
}

#[test]
fn as_many_failures_as_are_allowed_are_code_6_and_the_rest_waits() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/gone/1", "/gone/2", "/gone/3", "/gone/4", "/a"]),
        path if path.starts_with("/gone") => (410, String::new(), String::new()),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("crawls/c.db");
    let flags = ["--name", "c", "--delay", "50ms"];
    let seed = server.url("/");
    let crawl = [&["crawl", &seed, "--max-errors", "2"][..], &flags].concat();
    check(&run(folder.path(), &crawl), 6, "2 URLs have failed, and --max-errors is 2");
    assert_eq!(sql(&store, "select count(*) from dead_letters"), ["2"]);
    assert_eq!(sql(&store, "select state from crawls"), ["paused"]);
    let resumed = run(folder.path(), &["resume", "c", "--max-errors", "100"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    assert_eq!(sql(&store, "select count(*) from urls where state = 'open'"), ["0"]);
    assert_eq!(sql(&store, "select count(*) from pages"), ["2"]);
}

#[test]
fn a_store_that_cannot_be_used_is_code_4_and_stays_as_it_was() {
    let server = site();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let crawl =
        |store: &str| run(folder, &["crawl", &server.url("/"), "--store", &format!("sqlite:{store}")]);
    std::fs::write(folder.join("text.db"), "this is no database, but a text of some length\n".repeat(50))
        .unwrap();
    check(&crawl("text.db"), 4, "not a store of ours");
    sql(&folder.join("other.db"), "create table t (x); insert into t values (1)");
    check(&crawl("other.db"), 4, "another program");
    assert_eq!(sql(&folder.join("other.db"), "select x from t"), ["1"]);
    check(&crawl("text.db/below.db"), 4, "text.db");
    assert_eq!(crawl("new.db").status.code(), Some(0));
    sql(
        &folder.join("new.db"),
        "insert into _sqlx_migrations select 99999999, 'x', installed_on, 1, checksum, 0 from _sqlx_migrations limit 1",
    );
    check(&crawl("new.db"), 4, "newer huntsman");
    assert_eq!(sql(&folder.join("new.db"), "select count(*) from pages"), ["3"]);
}

#[test]
fn a_store_in_use_is_refused_and_ctrl_c_pauses() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        _ => page(&["/1", "/2", "/3", "/4", "/5"]),
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = server.url("/");
    let mut first = huntsman(folder, &["crawl", &url, "--name", "t", "--delay", "300ms"]).spawn().unwrap();
    wait_until("the first page", || server.log().len() >= 2);
    check(&run(folder, &["crawl", &url, "--name", "t"]), 4, "another huntsman");
    signal("INT", first.id());
    let output = {
        first.wait().unwrap();
        first.wait_with_output().unwrap()
    };
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("huntsman resume t"), "{}", said(&output));
    let resumed = run(folder, &["resume"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    assert_eq!(sql(&folder.join("crawls/t.db"), "select count(*), count(distinct url) from pages"), ["6|6"]);
}

#[test]
fn sigterm_is_code_143() {
    let server = site();
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let mut process = huntsman(folder.path(), &["crawl", &url, "--delay", "5s"]).spawn().unwrap();
    wait_until("robots.txt", || !server.log().is_empty());
    signal("TERM", process.id());
    assert_eq!(process.wait().unwrap().code(), Some(143));
}

/// Pages whose links fill a small disk half way.
fn large_site() -> RawServer {
    RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => {
            let links: Vec<String> = (0..400).map(|n| format!("/{n}/{}", "x".repeat(500))).collect();
            page(&links.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => page(&[]),
    })
}

fn large_site_is_stored(store: &Path) {
    assert_eq!(sql(store, "select count(*), count(distinct url) from pages"), ["401|401"]);
    assert_eq!(sql(store, "pragma integrity_check"), ["ok"]);
}

/// A folder, and one in it where a disk can be mounted.
fn with_disk() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    (folder, disk)
}

/// A disk that is full half way, and larger after that.
#[test]
fn a_full_disk_is_code_4_and_resume_goes_on_when_there_is_room() {
    let server = large_site();
    let (folder, disk) = with_disk();
    let mounted = Mount::tmpfs(&disk, "700k");
    let url = server.url("/");
    let output = run(
        folder.path(),
        &["crawl", &url, "--name", "t", "--traps", "follow", "--store", "sqlite:disk/t.db"],
    );
    check(&output, 4, "the disk is full");
    mounted.grow();
    let output = run(folder.path(), &["resume", "--store", "sqlite:disk/t.db"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    large_site_is_stored(&disk.join("t.db"));
}

#[test]
fn a_disk_that_is_full_for_a_moment_is_waited_for() {
    let server = large_site();
    let (folder, disk) = with_disk();
    let mounted = Mount::tmpfs(&disk, "700k");
    let url = server.url("/");
    let mut crawl = huntsman(
        folder.path(),
        &["crawl", &url, "--name", "t", "--traps", "follow", "--store", "sqlite:disk/t.db"],
    )
    .stderr(std::process::Stdio::piped())
    .spawn()
    .unwrap();
    let mut lines = std::io::BufReader::new(crawl.stderr.take().unwrap()).lines().map(Result::unwrap);
    let refused = lines.find(|line| line.contains("the store did not take a batch")).expect("a full disk");
    assert!(refused.contains("the disk is full"), "{refused}");
    mounted.grow();
    let rest: Vec<String> = lines.collect();
    assert_eq!(crawl.wait().unwrap().code(), Some(0), "{rest:#?}");
    large_site_is_stored(&disk.join("t.db"));
}

/// Whatever the disk has room for: the file, the tables, the crawl but no seed, or all of them.
#[test]
fn a_crawl_that_never_took_its_seeds_says_so() {
    let server = site();
    let (folder, disk) = with_disk();
    let url = server.url("/");
    let crawl = ["crawl", &url, "--name", "t", "--store", "sqlite:disk/t.db"];
    let mut without_seeds = 0;
    for size in (100..700).step_by(20) {
        let mounted = Mount::tmpfs(&disk, &format!("{size}k"));
        let output = run(folder.path(), &crawl);
        if output.status.code() == Some(0) {
            continue;
        }
        check(&output, 4, "the disk is full");
        mounted.grow();
        let output = run(folder.path(), &["resume", "t", "--store", "sqlite:disk/t.db"]);
        if said(&output).contains("has no seed") {
            check(&output, 2, "huntsman crawl SEED --name t");
            without_seeds += 1;
        } else if !said(&output).contains("holds no crawl") {
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
        let output = run(folder.path(), &crawl);
        assert_eq!(output.status.code(), Some(0), "{size}: {}", said(&output));
        assert_eq!(sql(&disk.join("t.db"), "select count(*) from pages"), ["3"]);
    }
    assert!(without_seeds > 0, "no disk was of that size");
}

struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn tmpfs(at: &'a Path, size: &str) -> Self {
        let size = format!("size={size}");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status();
        assert!(status.is_ok_and(|status| status.success()), "this test mounts a small disk: run it as root");
        Self(at)
    }

    fn grow(&self) {
        assert!(
            Command::new("mount").args(["-o", "remount,size=64m"]).arg(self.0).status().unwrap().success()
        );
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        _ = Command::new("umount").arg(self.0).status();
    }
}

fn signal(name: &str, process: u32) {
    assert!(
        Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap().success()
    );
}

#[test]
fn a_page_limit_is_kept_exactly_and_resume_with_a_larger_one_goes_on() {
    let server = site();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = folder.join("crawls/t.db");
    let output = run(folder, &["crawl", &server.url("/"), "--name", "t", "--max-pages", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(sql(&store, "select count(*) from pages"), ["2"]);
    let output = run(folder, &["resume", "--max-pages", "10"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(sql(&store, "select count(*) from pages"), ["3"]);
}

#[test]
fn a_bad_line_in_a_seed_list_is_reported_and_the_good_ones_are_crawled() {
    let server = site();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let list = format!("\u{feff}# seeds\r\n\r\n{} depth=0\r\nexample.org\r\n", server.url("/"));
    std::fs::write(folder.join("seeds.txt"), list).unwrap();
    let output = run(folder, &["crawl", "seeds.txt", "--name", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("seeds.txt:4:"), "{}", said(&output));
    assert_eq!(sql(&folder.join("crawls/t.db"), "select count(*) from pages"), ["1"], "depth=0");
    let reasons = sql(&folder.join("crawls/t.db"), "select reason, count(*) from skipped group by 1");
    assert_eq!(reasons, ["depth|2"]);
    check(&run(folder, &["crawl", "seeds.txt", "--strict", "--name", "u"]), 2, "bad line");
}
