//! The tree of commands, and what it says of mistakes.

use super::filters::parse_share;
use super::*;
use crate::cli::flags;
use crate::crawl::time::Timestamp;
use crate::settings::Layers;
use crate::settings::table::{Kind, SETTINGS};
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_setting_is_a_flag_of_crawl_with_its_meaning_and_default() {
    let mut cli = Cli::command();
    let crawl = cli.find_subcommand_mut("crawl").unwrap();
    for setting in SETTINGS {
        let arg = crawl.get_arguments().find(|arg| arg.get_long() == Some(setting.flag())).unwrap();
        let shown = arg.get_help().unwrap().to_string();
        assert_eq!(shown, flags::help(setting));
        assert!(shown.starts_with(setting.doc));
        let told = !matches!(setting.kind, Kind::Switch | Kind::Text | Kind::List);
        assert!(!told || shown.ends_with(&format!("[default: {}]", setting.default)), "{shown}");
    }
}

#[test]
fn flags_become_the_highest_layer() {
    let cli = parse(
        "huntsman crawl http://h/ -d 3 -j 8 --exclude a --exclude=-b --text --sitemaps=false --delay 1s --scope any",
    )
    .unwrap();
    let Command::Crawl(args) = cli.command else { panic!("crawl") };
    let settings = Layers::built_in().with(args.settings.entries).settings().unwrap();
    assert_eq!((settings.limits.depth, settings.network.concurrency), (Some(3), 8));
    assert_eq!(settings.scope.exclude, ["a", "-b"]);
    assert_eq!(settings.extraction.text, crate::settings::Text::Keep);
    assert_eq!(settings.scope.kind, crate::crawl::scope::ScopeKind::Any);
    assert_eq!(args.seeds, ["http://h/"]);
}

#[test]
fn a_switch_without_value_does_not_swallow_a_seed() {
    let cli = parse("huntsman crawl --text http://h/").unwrap();
    let Command::Crawl(args) = cli.command else { panic!("crawl") };
    assert_eq!(args.seeds, ["http://h/"]);
}

#[test]
fn typos_get_a_tip_and_code_2() {
    let wrong = parse("huntsman crawl http://h/ --concurency 3").unwrap_err();
    assert_eq!(wrong.exit_code(), 2);
    assert!(wrong.to_string().contains("--concurrency"), "{wrong}");
    assert_eq!(parse("huntsman crawl").unwrap_err().exit_code(), 2);
    assert!(parse("huntsman crwal x").unwrap_err().to_string().contains("crawl"));
}

#[test]
fn names_are_arguments_where_there_is_one_to_name() {
    let cli = parse("huntsman resume docs --store sqlite:x.db --delay 2s").unwrap();
    let Command::Resume(args) = cli.command else { panic!("resume") };
    let entries = args.settings.with_argument("name", args.name.as_deref());
    let settings = Layers::built_in().with(entries).settings().unwrap();
    assert_eq!(settings.place.name.as_deref(), Some("docs"));
    assert!(parse("huntsman status a --name b").is_err());
}

#[test]
fn statuses_times_and_shares() {
    assert_eq!(parse_status("2xx"), Ok(StatusFilter { least: 200, most: 299 }));
    assert_eq!(parse_status("404"), Ok(StatusFilter { least: 404, most: 404 }));
    assert!(parse_status("9xx").is_err() && parse_status("ok").is_err());
    let day = When::At(Timestamp::from_millis(86_400_000));
    for text in ["1970-01-02", "1970-01-02T00:00:00Z", "1970-01-02T00:00:00", "1970-01-02T01:00:00+01:00"] {
        assert_eq!(parse_when(text), Ok(day), "{text}");
    }
    let now = Timestamp::from_millis(7_200_000);
    assert_eq!(parse_when("2h").unwrap().from(now), Timestamp::EPOCH);
    assert!(parse_when("yesterday").is_err());
    assert_eq!(parse_share("0.5"), Ok(0.5));
    assert!(parse_share("1.1").is_err());
}
