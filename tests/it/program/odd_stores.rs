//! Stores that are not quite what a reader expects: in a place that a shell would take apart.

use super::raw_server::{RawServer, page};
use super::{run, said};
use std::process::Command;

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
