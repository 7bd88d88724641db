//! Ctrl-C and SIGTERM: the crawl pauses, says how to go on, and goes on from there.

use super::super::{huntsman, wait_until};
use super::origin::{Origin, Reply};
use super::{run, said, sql};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A crawl on its way, with what it said so far in a file.
struct Running {
    process: Child,
    log: PathBuf,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let log = folder.join("said");
        let mut command = huntsman(folder, arguments);
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
        Self { process: command.spawn().unwrap(), log }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.process.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// How it ended and how long that took.
    fn wait(&mut self) -> (ExitStatus, Duration) {
        #[expect(clippy::disallowed_methods, reason = "a real process, real time")]
        let began = Instant::now();
        let status = self.process.wait().unwrap();
        (status, began.elapsed())
    }
}

/// A tree of 53 pages, each answered after `wait`.
fn tree(wait: Duration) -> Origin {
    Origin::site(move |path| {
        let depth = path.matches('/').count();
        let links: Vec<String> = match path {
            "/" => (0..4).map(|n| format!("/{n}")).collect(),
            _ if depth < 3 => (0..if depth == 1 { 4 } else { 2 }).map(|n| format!("{path}/{n}")).collect(),
            _ => Vec::new(),
        };
        Reply::links(&links.iter().map(String::as_str).collect::<Vec<_>>()).after(wait)
    })
}

const TREE: usize = 1 + 4 + 16 + 32;

/// The printed way to go on, as it stands behind `Continue:`.
fn way_on(said: &str) -> Vec<String> {
    let line = said.lines().rev().find(|line| line.contains("Continue:")).unwrap_or_else(|| panic!("{said}"));
    let command = line.split("Continue:").nth(1).unwrap().trim();
    let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    assert_eq!(words[0], "huntsman", "{line}");
    words[1..].to_vec()
}

#[test]
fn ctrl_c_lets_requests_finish_and_the_printed_command_stores_the_rest() {
    let origin = tree(Duration::from_millis(30));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = "sqlite:elsewhere/x.db";
    let mut arguments = vec!["crawl".to_owned(), origin.url("/")];
    arguments.extend(["--name", "t", "--store", store].map(str::to_owned));
    for pause in 1..=3 {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut running = Running::start(folder, &words);
        wait_until("pages", || origin.pages().len() >= pause * 12);
        running.signal("INT");
        let (status, took) = running.wait();
        let text = running.said();
        assert_eq!(status.code(), Some(130), "{text}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(text.contains("Pausing: letting the requests in flight finish"), "{text}");
        assert!(text.contains("Paused after"), "{text}");
        assert_eq!(sql(&folder.join("elsewhere/x.db"), "select state from crawls"), ["paused"]);
        arguments = way_on(&text);
        assert_eq!(arguments, ["resume", "t", "--store", store], "{text}");
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let last = run(folder, &words);
    assert_eq!(last.status.code(), Some(0), "{}", said(&last));
    let rows = sql(&folder.join("elsewhere/x.db"), "select count(*), count(distinct url) from pages");
    assert_eq!(rows, [format!("{TREE}|{TREE}")]);
    let mut asked = origin.pages();
    asked.sort();
    asked.dedup();
    assert_eq!((origin.pages().len(), asked.len()), (TREE, TREE), "no page was asked for twice");
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_still_says_how_to_go_on() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/slow", "/after"]),
        "/slow" => Reply::links(&[]).after(Duration::from_secs(9)),
        _ => Reply::links(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut running =
        Running::start(folder, &["crawl", &origin.url("/"), "--name", "t", "--store", "sqlite:x.db"]);
    wait_until("the slow page", || origin.pages().len() == 2);
    running.signal("INT");
    wait_until("the pause", || running.said().contains("Pausing"));
    running.signal("INT");
    let (status, took) = running.wait();
    assert_eq!(status.code(), Some(130), "{}", running.said());
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(way_on(&running.said()), ["resume", "t", "--store", "sqlite:x.db"]);
    let resumed = run(folder, &["resume", "t", "--store", "sqlite:x.db", "--timeout", "20s"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    assert_eq!(sql(&folder.join("x.db"), "select count(*), count(distinct url) from pages"), ["3|3"]);
}

#[test]
fn sigterm_pauses_in_the_same_way_with_a_code_of_its_own() {
    let origin = tree(Duration::from_millis(20));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut running = Running::start(folder, &["crawl", &origin.url("/"), "--name", "t"]);
    wait_until("pages", || origin.pages().len() >= 5);
    running.signal("TERM");
    assert_eq!(running.wait().0.code(), Some(143), "{}", running.said());
    assert_eq!(way_on(&running.said()), ["resume", "t"]);
    assert_eq!(run(folder, &["resume", "t", "-q"]).status.code(), Some(0));
    let rows = sql(&folder.join("crawls/t.db"), "select count(*), count(distinct url) from pages");
    assert_eq!(rows, [format!("{TREE}|{TREE}")]);
    assert_eq!(origin.pages().len(), TREE);
}

#[test]
fn a_pause_while_a_host_is_waited_for_is_immediate() {
    let origin = Origin::site(|path| match path {
        "/" => Reply::links(&["/busy"]),
        _ => Reply::new(429, "Retry-After: 600\r\n", ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), &["crawl", &origin.url("/"), "--name", "t"]);
    wait_until("the 429", || origin.pages().len() == 2);
    running.signal("INT");
    let (status, took) = running.wait();
    assert_eq!(status.code(), Some(130), "{}", running.said());
    assert!(took < Duration::from_secs(3), "{took:?}");
}
