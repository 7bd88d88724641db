//! Built-in values, file, variables, stored crawl, flags: the later wins, as the origin sees it.

use super::super::huntsman;
use super::origin::{Origin, Reply};
use super::{run, said, sql};
use std::path::Path;
use std::process::{Command, Output};

fn site() -> Origin {
    Origin::site(|path| match path {
        "/" => Reply::links(&["/1"]),
        "/1" => Reply::links(&["/2"]),
        "/2" => Reply::links(&["/3"]),
        _ => Reply::links(&[]),
    })
}

/// With settings files, in an environment of its own.
fn with_files(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huntsman"));
    command.current_dir(folder).args(arguments).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

#[test]
fn each_layer_goes_over_the_one_below() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("home/huntsman")).unwrap();
    let home = folder.join("home");
    let xdg = ("XDG_CONFIG_HOME", home.to_str().unwrap());
    std::fs::write(folder.join("home/huntsman/huntsman.toml"), "[limits]\ndepth = 0\n").unwrap();
    let mut names = 0;
    let mut deepest = |arguments: &[&str], variables: &[(&str, &str)]| {
        names += 1;
        let (name, url) = (format!("c{names}"), site.url("/"));
        let arguments = [&["crawl", &url, "--name", &name], arguments].concat();
        let output = with_files(folder, &arguments, variables);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        sql(&folder.join(format!("crawls/{name}.db")), "select max(depth) from pages").concat()
    };
    assert_eq!(deepest(&[], &[]), "3", "built in: no limit");
    assert_eq!(deepest(&[], &[xdg]), "0", "the file of the user");
    std::fs::write(folder.join("huntsman.toml"), "[limits]\ndepth = 1\n").unwrap();
    assert_eq!(deepest(&[], &[xdg]), "1", "the file of the folder, and no other");
    std::fs::write(folder.join("other.toml"), "[limits]\ndepth = 2\n").unwrap();
    assert_eq!(deepest(&["--config", "other.toml"], &[xdg]), "2", "the named file, and no other");
    let config = ("HUNTSMAN_CONFIG", "other.toml");
    assert_eq!(deepest(&[], &[config]), "2", "named by the variable");
    assert_eq!(deepest(&["--no-config"], &[config, xdg]), "3", "--no-config reads none, named or not");
    let depth = ("HUNTSMAN_DEPTH", "0");
    assert_eq!(deepest(&["--config", "other.toml"], &[depth]), "0", "the variable");
    assert_eq!(deepest(&["--config", "other.toml", "--depth", "1"], &[depth]), "1", "the flag");
    assert_eq!(deepest(&["--depth", "none"], &[depth]), "3", "the flag takes a limit away");
}

#[test]
fn every_kind_of_value_comes_from_the_environment() {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("HUNTSMAN_NAME", "t"),
        ("HUNTSMAN_HEADER", "X-One: 1\nX-Two: a, b"),
        ("HUNTSMAN_CONTACT", "me@example.org"),
        ("HUNTSMAN_EXCLUDE", "/3$"),
        ("HUNTSMAN_TEXT", "yes"),
        ("HUNTSMAN_LINKS", "none"),
        ("HUNTSMAN_SUMMARY_JSON", "s.json"),
        ("HUNTSMAN_PROGRESS", "none"),
        ("HUNTSMAN_DELAYS", "1s"),
        ("HUNTSMAN_SERVICE_HOST", "10.0.0.1"),
    ];
    let output = with_files(folder.path(), &["crawl", &site.url("/")], &variables);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let asked = site.log().pop().unwrap();
    assert_eq!((asked.field("x-one"), asked.field("x-two")), (Some("1"), Some("a, b")));
    assert!(asked.field("user-agent").unwrap().contains("me@example.org"));
    assert_eq!(site.pages(), ["/", "/1", "/2"]);
    let store = folder.path().join("crawls/t.db");
    assert_eq!(sql(&store, "select count(*), count(text) from pages"), ["3|3"]);
    assert_eq!(sql(&store, "select count(*) from links"), ["0"]);
    assert!(folder.path().join("s.json").exists());
    assert!(!said(&output).contains("INFO progress"));
    let warnings: Vec<_> =
        said(&output).lines().filter(|line| line.contains("warning")).map(str::to_owned).collect();
    assert_eq!(warnings, ["warning: HUNTSMAN_DELAYS is no setting; did you mean HUNTSMAN_DELAY?"]);
}

#[test]
fn a_resumed_crawl_keeps_what_it_was_started_with_unless_a_flag_says_otherwise() {
    let site = Origin::site(|path| match path {
        "/" => Reply::links(&["/a", "/b", "/c", "/d"]),
        _ => Reply::links(&["/e"]),
    });
    let folder = tempfile::tempdir().unwrap();
    let start = ["crawl", &site.url("/"), "--name", "t", "-n", "2", "--depth", "1", "--header", "X-Key: one"];
    let output = run(folder.path(), &start);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let refused = run(folder.path(), &["resume", "t", "-n", "4"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("t was started with --header, whose values are not kept in the store"));
    assert!(said(&refused).contains("huntsman resume t --header none"), "{}", said(&refused));
    let resumed = run(folder.path(), &["resume", "t", "-n", "4", "--header", "none"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    let store = folder.path().join("crawls/t.db");
    assert_eq!(sql(&store, "select count(*), max(depth) from pages"), ["4|1"]);
    assert_eq!(
        site.log().last().unwrap().field("x-key"),
        None,
        "a secret is not kept: it must be given again"
    );
    run(folder.path(), &["resume", "t", "-n", "none", "--header", "X-Key: two"]);
    assert_eq!(sql(&store, "select count(*), max(depth) from pages"), ["5|1"], "the depth was kept");
    assert_eq!(site.log().last().unwrap().field("x-key"), Some("two"));
}

#[test]
fn what_a_flag_has_changed_stays_changed() {
    let site = Origin::site(|path| match path {
        "/" => Reply::links(&["/a"]),
        "/a" => Reply::links(&["/b", "/c", "/d"]),
        _ => Reply::links(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let url = site.url("/");
    let done = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    };
    done(&["crawl", &url, "--name", "t", "-n", "1", "--delay", "10ms"]);
    done(&["crawl", &url, "--name", "t", "--exclude", "/c", "--delay", "200ms"]);
    done(&["resume", "t", "-n", "none"]);
    let settings =
        "select settings ->> 'delay', settings ->> 'exclude', settings ->> 'max_pages' from crawls";
    assert_eq!(sql(&folder.path().join("crawls/t.db"), settings), [r#"200ms|["/c"]|none"#]);
    assert_eq!(site.pages(), ["/", "/a", "/b", "/d"]);
}

#[test]
fn config_show_says_where_each_value_comes_from_and_hides_secrets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("huntsman.toml"), "# mine\n[politeness]\ndelay = \"2s\"\n").unwrap();
    let arguments =
        ["config", "show", "--origin", "--header", "X-Key: s3cret", "--proxy", "http://u:s3cret@p:1"];
    let output = with_files(folder.path(), &arguments, &[("HUNTSMAN_DEPTH", "4")]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("delay").starts_with("delay = \"2s\" #") && line("delay").ends_with("huntsman.toml:3"));
    assert_eq!(line("depth"), "depth = 4 # HUNTSMAN_DEPTH");
    assert_eq!(line("retries"), "retries = 2 # default");
    assert_eq!(line("header"), "header = [\"X-Key: <redacted>\"] # --header");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[u8], &str); 6] = [
        (
            b"[network]\nconcurency = 3\n",
            "x.toml:2: unknown key 'concurency' in [network]; did you mean 'concurrency'?",
        ),
        (b"[limits]\ndepth = -1\n", "x.toml:2: depth: \"-1\" is neither a number"),
        (b"[limits]\nmax_body = 10\n", "x.toml:2: max_body: \"10\" has no unit"),
        (b"depth\n", "x.toml:1: "),
        (b"\xff\xfe\x00", "x.toml: "),
        (b"[scope]\nexclude = [\"\"]\n", "x.toml:2: exclude: an empty pattern matches every URL"),
    ];
    for (text, part) in cases {
        std::fs::write(folder.path().join("x.toml"), text).unwrap();
        let output = with_files(folder.path(), &["crawl", "http://127.0.0.1:1/", "--config", "x.toml"], &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).starts_with("error: ") && said(&output).contains(part),
            "{part} in {}",
            said(&output)
        );
        assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
    }
    let missing = with_files(folder.path(), &["crawl", "http://127.0.0.1:1/", "--config", "no.toml"], &[]);
    assert!(said(&missing).contains("no.toml") && missing.status.code() == Some(2), "{}", said(&missing));
    let both =
        huntsman(folder.path(), &["crawl", "http://127.0.0.1:1/", "--config", "x.toml"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "a named file and --no-config contradict each other");
}
