//! What is written about the program is what it does: README, the tables, the settings file, completions, manual page.

use super::{run, said};
use huntsman::store::sqlite::SqliteStore;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What the binary prints, run as a person would: with no flags but these.
fn printed(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_huntsman"))
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The subcommands that `--help` lists.
fn subcommands() -> Vec<String> {
    let help = printed(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().map(|line| line.split_whitespace().next().unwrap().to_owned());
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// The long flags in a text: `--max-pages` is `max-pages`.
fn long_flags(text: &str) -> BTreeSet<String> {
    let name =
        |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    let places = text.match_indices("--").filter(|(at, _)| !text[..*at].ends_with('-'));
    let names =
        places.map(|(at, _)| name(&text[at + 2..])).filter(|name| name.starts_with(char::is_alphabetic));
    names.map(|name| name.trim_end_matches('-').to_owned()).collect()
}

/// The commands that a document shows: what follows `huntsman` in code, to the end of the line or of the code.
fn shown_commands(document: &str) -> Vec<String> {
    let mut shown = Vec::new();
    let mut in_block = false;
    for line in document.lines() {
        in_block ^= line.starts_with("```");
        let spans: Vec<&str> =
            if in_block { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for span in spans {
            let span = span.trim_start().trim_start_matches("Next").trim_start();
            let span = span.split_once(": huntsman ").map_or(span, |(_, rest)| rest);
            let command =
                span.strip_prefix("huntsman ").or_else(|| span.strip_prefix("cargo run --release -- "));
            shown.extend(command.map(|command| command.split(" #").next().unwrap().trim().to_owned()));
        }
    }
    shown
}

#[test]
fn every_command_and_flag_in_the_documents_exists() {
    let names = subcommands();
    // What each command takes, `config show` among them; and flags of cargo and docker that the documents show.
    let takes = |name: &str| match name {
        "config" => long_flags(&printed(&["config", "show", "--help"])),
        name => long_flags(&printed(&[name, "--help"])),
    };
    let flags: BTreeMap<&str, BTreeSet<String>> =
        names.iter().map(|name| (name.as_str(), takes(name))).collect();
    let mut all: BTreeSet<String> = flags.values().flatten().cloned().collect();
    all.extend(["release", "build", "scale"].map(str::to_owned));
    for document in ["README.md", "ARCHITECTURE.md", "migrations/README.md"] {
        let text = read(document);
        for command in shown_commands(&text) {
            let name = command.split_whitespace().next().unwrap();
            // The program's own first line of output: name and version.
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let known = flags.get(name);
            let known = known.unwrap_or_else(|| panic!("{document}: no command `{name}` in `{command}`"));
            let unknown: Vec<_> = long_flags(&command).difference(known).cloned().collect();
            assert!(unknown.is_empty(), "{document}: `huntsman {name}` has no {unknown:?}");
        }
        let unknown: Vec<_> = long_flags(&text).difference(&all).cloned().collect();
        assert!(unknown.is_empty(), "{document} names flags that no command has: {unknown:?}");
    }
}

#[test]
fn every_command_is_named_in_the_readme() {
    let shown = shown_commands(&read("README.md"));
    for name in subcommands() {
        let is_named = shown.iter().any(|command| command.split_whitespace().next() == Some(&name));
        assert!(is_named, "README.md does not name `huntsman {name}`");
    }
}

#[test]
fn every_exit_code_of_the_help_is_in_the_readme() {
    let help = printed(&["--help"]);
    let codes =
        help.split("Exit codes:\n").nth(1).expect("the help lists exit codes").split("\n\n").next().unwrap();
    let readme = read("README.md");
    let section = readme.split("## Exit codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut seen = 0;
    for code in codes.lines().filter_map(|line| line.split_whitespace().next()) {
        if code.parse::<u8>().is_ok() {
            seen += 1;
            assert!(section.contains(&format!("`{code}`")), "README.md does not explain exit code {code}");
        }
    }
    assert!(seen >= 7, "{codes}");
}

#[test]
fn the_settings_file_names_every_setting_with_its_default_and_loads() {
    let file = read("config/huntsman.toml");
    assert_eq!(file, printed(&["config", "defaults"]), "write it anew: huntsman config defaults");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/huntsman.toml");
    let loaded = printed(&["config", "show", "--config", path.to_str().unwrap()]);
    assert_eq!(loaded, printed(&["config", "show", "--no-config"]), "each value in the file is the default");
    let values: toml::Table = file.parse().unwrap();
    let names: BTreeSet<String> = values
        .values()
        .flat_map(|section| section.as_table().unwrap().keys())
        .map(|name| name.replace('_', "-"))
        .collect();
    assert!(names.len() > 20);
    let crawl = long_flags(&printed(&["crawl", "--help"]));
    let missing: Vec<_> = names.difference(&crawl).collect();
    assert!(missing.is_empty(), "settings that are no flag of crawl: {missing:?}");
    let own = ["strict", "help", "quiet", "verbose", "color", "log-format", "config", "no-config"];
    let extra: Vec<_> = crawl.difference(&names).filter(|flag| !own.contains(&flag.as_str())).collect();
    assert!(extra.is_empty(), "flags of crawl that are no setting: {extra:?}");
}

#[tokio::test]
async fn the_tables_are_documented_column_by_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    SqliteStore::open(&path).await.unwrap().close().await.unwrap();
    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let query = "select t.name, c.name from sqlite_schema t, pragma_table_info(t.name) c
                 where t.type in ('table', 'view') and t.name not like '\\_sqlx%' escape '\\'";
    for row in super::sql(&path, query) {
        let (table, column) = row.split_once('|').unwrap();
        real.entry(table.to_owned()).or_default().insert(column.to_owned());
    }
    assert!(real.len() >= 8, "{real:?}");

    let readme = read("migrations/README.md");
    let names =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut written = BTreeMap::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').collect();
        let table = names(cells[1]).remove(0);
        let columns = names(cells[3]);
        let distinct: BTreeSet<_> = columns.iter().cloned().collect();
        assert_eq!(distinct.len(), columns.len(), "{table}: a column is named twice");
        assert_eq!(written.insert(table.clone(), distinct), None, "{table} is described twice");
    }
    assert_eq!(written, real, "migrations/README.md (left) and the tables that a store has (right)");

    let readme = read("README.md");
    let section = readme.split("## What is in the store").nth(1).unwrap().split("\n## ").next().unwrap();
    let listed: BTreeSet<_> =
        section.lines().filter(|line| line.starts_with("| `")).map(|line| names(line).remove(0)).collect();
    assert_eq!(
        listed,
        real.into_keys().collect(),
        "README.md (left) and the tables that a store has (right)"
    );
}

/// Feeds a text to a program; answers with what it prints and what it complains of. Nothing where there is no such program.
fn fed(program: &str, arguments: &[&str], text: &str) -> Option<(String, String)> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().ok()?;
    // A separate thread writes, so that neither side waits for the other with a full pipe.
    let mut input = process.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let complaints = text(&output.stderr);
    assert!(output.status.success(), "{program}: {complaints}");
    Some((text(&output.stdout), complaints))
}

#[test]
fn completions_are_scripts_that_their_shells_read() {
    for (shell, begins) in
        [("bash", "_huntsman()"), ("zsh", "#compdef huntsman"), ("fish", "complete -c huntsman")]
    {
        let script = printed(&["completions", shell]);
        assert!(script.contains(begins), "{shell}: {script:.200}");
        for name in subcommands() {
            assert!(script.contains(&name), "{shell} does not complete `huntsman {name}`");
        }
        assert!(script.contains("max-pages"), "{shell} does not complete flags");
        let read = fed(shell, &["-n"], &script);
        assert!(shell != "bash" || read.is_some(), "bash is there");
        assert!(read.is_none_or(|(_, complaints)| complaints.is_empty()), "{shell} -n complains");
    }
}

#[test]
fn the_manual_pages_are_read_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let written = run(folder.path(), &["man", "--dir", "pages"]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    let mut pages = vec![printed(&["man"])];
    for name in subcommands() {
        let path = folder.path().join(format!("pages/huntsman-{name}.1"));
        pages.push(std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())));
    }
    for page in pages {
        let (text, complaints) =
            fed("groff", &["-man", "-Tutf8", "-ww", "-Kutf8", "-P-cbou"], &page).expect("groff");
        assert_eq!(complaints, "", "{page:.200}");
        for section in ["NAME", "SYNOPSIS", "OPTIONS"] {
            assert!(text.contains(section), "no {section} in {text:.300}");
        }
    }
}

#[test]
fn config_show_tells_the_origin_of_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[limits]\ndepth = 3\nretries = 4\n\n[politeness]\ndelay = \"1s\"\n";
    std::fs::write(folder.path().join("huntsman.toml"), settings).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_huntsman"))
        .current_dir(folder.path())
        .env("HUNTSMAN_RETRIES", "5")
        .env("HUNTSMAN_DELAY", "2s")
        .env("HUNTSMAN_WAIT", "9m")
        .args(["config", "show", "--origin", "--delay", "3s", "--max-pages", "7"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown = String::from_utf8(output.stdout).unwrap();
    let line = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name} = ")));
        let (value, origin) = line.unwrap_or_else(|| panic!("{name}: {shown}")).split_once('#').unwrap();
        (value.split(" = ").nth(1).unwrap().trim().to_owned(), origin.trim().to_owned())
    };
    for (name, value, origin) in [
        ("scope", "\"host\"", "default"),
        ("depth", "3", "huntsman.toml:2"),
        ("retries", "5", "HUNTSMAN_RETRIES"),
        ("wait", "\"9m\"", "HUNTSMAN_WAIT"),
        ("delay", "\"3s\"", "--delay"),
        ("max_pages", "7", "--max-pages"),
    ] {
        let (shown, from) = line(name);
        assert_eq!(shown, value, "{name}");
        assert!(from.ends_with(origin), "{name} comes from {from}, not {origin}");
    }
}
