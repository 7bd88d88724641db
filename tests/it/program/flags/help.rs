//! What `--help` of each command promises: examples, units, defaults, and no flag that does nothing there.

use super::run;
use huntsman::cli::Cli;
use huntsman::settings::table::{Kind, SETTINGS};

const COMMANDS: [&str; 25] = [
    "crawl",
    "resume",
    "scheduler",
    "node",
    "storage",
    "add",
    "release",
    "pause",
    "cancel",
    "nodes",
    "drain",
    "recover",
    "status",
    "why",
    "query",
    "pages",
    "fetch",
    "robots",
    "config",
    "config show",
    "config defaults",
    "completions",
    "man",
    "testweb",
    "demo",
];

fn help(command: &str, flag: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words: Vec<&str> = command.split(' ').chain([flag]).collect();
    let output = run(folder.path(), &words);
    assert_eq!(output.status.code(), Some(0), "{command}");
    assert!(output.stderr.is_empty(), "help is what was asked for: it goes to standard output");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_is_listed_and_shows_examples_that_parse() {
    use clap::{CommandFactory, Parser};
    let mut listed = Vec::new();
    for command in Cli::command().get_subcommands().filter(|command| command.get_name() != "help") {
        listed.push(command.get_name().to_owned());
        listed.extend(
            command.get_subcommands().map(|inner| format!("{} {}", command.get_name(), inner.get_name())),
        );
    }
    listed.retain(|name| !name.ends_with(" help"));
    assert_eq!(listed, COMMANDS);
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let text = help(command, flag);
            let examples = text.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
            let lines: Vec<&str> = examples.take_while(|line| line.starts_with("  ")).collect();
            assert!(!lines.is_empty(), "{command} {flag} has no example: {text}");
            for line in lines {
                let words = words(line);
                let from =
                    words.iter().position(|word| word == "huntsman").unwrap_or_else(|| panic!("{line}"));
                if let Err(why) = Cli::try_parse_from(&words[from..]) {
                    panic!("{line}: {why}");
                }
            }
        }
    }
}

/// The words of a shell line up to a pipe, a redirection or the gap before a remark.
fn words(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.find("   ").map_or(line, |gap| &line[..gap]);
    let line = line.split(" > ").next().unwrap();
    let line = if line.starts_with("cat ") {
        line.split(" | ").nth(1).unwrap()
    } else {
        line.split(" | ").next().unwrap()
    };
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_help_of_crawl_says_the_default_and_the_unit_of_every_setting() {
    let text = help("crawl", "--help");
    for setting in SETTINGS {
        let from = text.find(&format!("--{}", setting.flag())).unwrap_or_else(|| panic!("{}", setting.name));
        let entry: String = text[from..].split("\n\n").take(3).collect::<Vec<_>>().join(" ");
        let entry = entry.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(entry.contains(setting.doc), "{}: {entry}", setting.name);
        if !matches!(setting.kind, Kind::Switch | Kind::Text | Kind::List) {
            assert!(entry.contains(&format!("[default: {}]", setting.default)), "{}: {entry}", setting.name);
        }
    }
}

#[test]
fn every_exit_code_stands_in_the_help_and_the_readme() {
    let text = String::from_utf8(run(std::path::Path::new("."), &["--help"]).stdout).unwrap();
    let readme =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "6", "10", "130"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
        assert!(readme.contains(&format!("`{code}`")), "{code}");
    }
    assert!(text.contains("143") && readme.contains("`143`"));
}

#[test]
fn a_command_has_no_flag_that_does_nothing_there() {
    for (command, absent) in [
        ("robots", &["--select", "--ignore-robots", "--store", "--depth", "--concurrency"][..]),
        ("status", &["--depth", "--proxy", "--select"]),
        ("query", &["--depth", "--proxy", "--select"]),
        ("resume", &["--strict", "--name"]),
        ("node", &["--store", "--lease", "--depth"]),
        ("nodes", &["--store", "--lease"]),
        ("pages", &["--frontier", "--lease"]),
    ] {
        let text = help(command, "-h");
        for flag in absent {
            let listed =
                text.lines().any(|line| line.trim_start().trim_start_matches("-d, ").starts_with(flag));
            assert!(!listed, "{command} lists {flag}");
        }
    }
    assert!(help("resume", "-h").contains("that which the crawl was started with"));
}
