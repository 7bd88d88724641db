//! Stores that are not quite what a reader expects: empty, older, or in a place that a shell would take apart.

use super::raw_server::{RawServer, page};
use super::{run, said, sql};
use sqlx::migrate::Migrator;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::borrow::Cow;
use std::path::Path;
use std::process::Command;

#[test]
fn every_command_says_of_an_empty_file_that_it_holds_no_crawl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let commands = [
        &["status"][..],
        &["pages"],
        &["query", "select 1"],
        &["why", "http://h/"],
        // Last: it makes an empty store of the file, which holds none either.
        &["resume"],
        &["status"],
    ];
    for kind in ["empty", "marked"] {
        let path = folder.join("e.db");
        _ = std::fs::remove_file(&path);
        std::fs::write(&path, "").unwrap();
        if kind == "marked" {
            // What is left of a process that died between the log and the first table.
            sql(&path, "pragma journal_mode = wal");
        }
        for command in commands {
            let output = run(folder, &[command, &["--store", "sqlite:e.db"]].concat());
            let text = said(&output);
            assert_eq!(output.status.code(), Some(2), "{kind} {command:?}: {text}");
            assert!(text.contains("e.db holds no crawl"), "{kind} {command:?}: {text}");
        }
    }
}

/// A store as the first version wrote it, with one open URL.
fn first_version(path: &Path) {
    let newest: Migrator = sqlx::migrate!("migrations/sqlite");
    let first: Vec<_> = newest.iter().take(1).cloned().collect();
    let first = Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        first.run(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    sql(
        path,
        "pragma application_id = 0x48554e54;
         insert into crawls (name, state, settings, epoch, created_at) values ('t', 'finished', '{}', 1, '2026-01-01T00:00:00.000Z');
         insert into pages (crawl_id, url_key, visit, url, host, status, title, bytes, content_hash, depth, fetched_at)
         values (1, x'00', 1, 'http://h/', 'h', 200, 'old', 1, '', 0, '2026-01-01T00:00:00.000Z')",
    );
}

#[test]
fn a_store_of_an_older_version_is_read_as_far_as_it_goes_and_resume_brings_it_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    first_version(&folder.join("old.db"));
    let ask = |arguments: &[&str]| run(folder, &[arguments, &["--store", "sqlite:old.db"]].concat());
    let read = |arguments: &[&str]| {
        let output = ask(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(read(&["status"]).contains("finished"));
    assert!(read(&["pages"]).contains("old"));
    assert!(read(&["why", "http://h/never"]).contains("never found"));
    let newer = ["query", "select links_dropped from pages"];
    let output = ask(&newer);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("links_dropped") && text.contains("older huntsman"), "{text}");
    assert!(text.contains("huntsman resume --store sqlite:old.db"), "{text}");
    ask(&["resume"]);
    assert!(read(&newer).contains('0'));
}

#[test]
fn the_commands_that_are_printed_can_be_pasted_into_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/a"]),
        _ => page(&[]),
    });
    let store = "sqlite:it's a $HOME; `x`/\"b\" & c.db";
    let output = run(folder, &["crawl", &site.url("/"), "--store", store, "--max-pages", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = said(&output);
    let commands: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("huntsman ")).map(|(_, rest)| rest).collect();
    let commands: Vec<&str> = commands.into_iter().filter(|rest| rest.contains("--store")).collect();
    assert_eq!(commands.len(), 3, "resume, query and pages: {text}");
    for command in commands {
        let program = env!("CARGO_BIN_EXE_huntsman");
        let ran = Command::new("sh")
            .current_dir(folder)
            .args(["-c", &format!("{program} {command}")])
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(0), "{command}: {}", said(&ran));
    }
}
