//! The flags that are settings, made from the table of settings.

use crate::settings::table::{Kind, Owner, SETTINGS, Section, Setting};
use crate::settings::{Entry, Origin, Raw, StoreUrl};
use clap::builder::PossibleValuesParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use std::fmt;
use std::marker::PhantomData;

/// Which settings a command has flags for.
pub trait Choice: Clone + fmt::Debug + Send + Sync + 'static {
    /// Whether `setting` is one of them.
    fn takes(setting: &Setting) -> bool;
}

/// Every setting: `crawl`, `config show`.
#[derive(Debug, Clone)]
pub struct All;
impl Choice for All {
    fn takes(_: &Setting) -> bool {
        true
    }
}

/// Every setting but the name, which is an argument: `resume`.
#[derive(Debug, Clone)]
pub struct AllButName;
impl Choice for AllButName {
    fn takes(setting: &Setting) -> bool {
        setting.name != "name"
    }
}

/// The settings of a crawl, and where it is kept: `scheduler`.
#[derive(Debug, Clone)]
pub struct OfACrawl;
impl Choice for OfACrawl {
    fn takes(setting: &Setting) -> bool {
        // Those that only a process with a summary or an answer to a crawl's end has are not among them.
        !["wait", "max_errors", "fail_on", "summary_json", "progress"].contains(&setting.name)
            && HowToAsk::of_process(setting).is_none()
    }
}

/// How a process asks, whatever the crawl: `node`.
#[derive(Debug, Clone)]
pub struct HowToAsk;
impl HowToAsk {
    /// A setting of the requests that stays with the process that sends them.
    fn of_process(setting: &Setting) -> Option<&'static str> {
        let is_one =
            setting.owner != Owner::Crawl && matches!(setting.section, Section::Identity | Section::Network);
        is_one.then_some(setting.name)
    }
}
impl Choice for HowToAsk {
    fn takes(setting: &Setting) -> bool {
        Self::of_process(setting).is_some() || Index::takes(setting)
    }
}

/// Where a crawl is kept: `why`, `query`, `pages`.
#[derive(Debug, Clone)]
pub struct WhichCrawl;
impl Choice for WhichCrawl {
    fn takes(setting: &Setting) -> bool {
        setting.section == Section::Crawl
    }
}

/// The store and the index, for commands whose argument is the name: `status`, `pause`; and for `storage`.
#[derive(Debug, Clone)]
pub struct WhichStore;
impl Choice for WhichStore {
    fn takes(setting: &Setting) -> bool {
        setting.name == "store" || Index::takes(setting)
    }
}

/// The index alone: `nodes`, `drain`.
#[derive(Debug, Clone)]
pub struct Index;
impl Choice for Index {
    fn takes(setting: &Setting) -> bool {
        setting.name == "frontier"
    }
}

/// A crawl, by its name, of a store: `add`.
#[derive(Debug, Clone)]
pub struct Added;
impl Choice for Added {
    fn takes(setting: &Setting) -> bool {
        WhichCrawl::takes(setting) || Index::takes(setting)
    }
}

/// What a request for robots.txt needs: `robots`.
#[derive(Debug, Clone)]
pub struct AskRobots;
impl Choice for AskRobots {
    fn takes(setting: &Setting) -> bool {
        let network = setting.section == Section::Network && setting.name != "concurrency";
        network || setting.section == Section::Identity || setting.name == "robots_refused"
    }
}

/// What one visit needs, and the verdicts on its outlinks: `fetch`.
#[derive(Debug, Clone)]
pub struct OneRequest;
impl Choice for OneRequest {
    fn takes(setting: &Setting) -> bool {
        const ALSO: [&str; 16] = [
            "store",
            "name",
            "scope",
            "include",
            "exclude",
            "depth",
            "max_body",
            "retries",
            "wait",
            "delay",
            "ignore_robots",
            "on_signal",
            "purpose",
            "on_noindex",
            "select",
            "text",
        ];
        AskRobots::takes(setting) || ALSO.contains(&setting.name)
    }
}

/// The values of the setting flags that were given, as the highest layer.
#[derive(Debug, Clone)]
pub struct Flags<C> {
    /// One for each flag that was given.
    pub entries: Vec<Entry>,
    choice: PhantomData<C>,
}

impl<C: Choice> Flags<C> {
    /// The entries, with an argument that stands for the setting `name` where it was given.
    pub fn with_argument(mut self, name: &str, value: Option<&str>) -> Vec<Entry> {
        let setting = Setting::find(name).expect("an argument stands for a setting of the table");
        self.entries.extend(value.map(|value| Entry {
            setting,
            raw: Raw::One(value.to_owned()),
            origin: Origin::Flag(setting.flag()),
        }));
        self.entries
    }
}

/// The entry that names a store found without a flag.
pub(super) fn store_entry(store: &StoreUrl) -> Option<Entry> {
    let setting = Setting::find("store")?;
    Some(Entry { setting, raw: Raw::One(store.exposed()), origin: Origin::Flag(setting.flag()) })
}

fn chosen<C: Choice>() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| C::takes(setting))
}

/// The help of a setting's flag: its meaning and its default.
pub(super) fn help(setting: &Setting) -> String {
    match setting.kind {
        Kind::Switch | Kind::Text | Kind::List => setting.doc.to_owned(),
        _ => format!("{} [default: {}]", setting.doc, setting.default),
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let mut arg = Arg::new(setting.name)
        .long(setting.flag())
        .help(help(setting))
        .value_name(setting.value_name)
        .help_heading(match setting.section {
            Section::Crawl => "Crawl",
            Section::Installation => "Installation",
            Section::Scope => "Scope",
            Section::Limits => "Limits",
            Section::Politeness => "Politeness",
            Section::Identity => "Identity",
            Section::Network => "Network",
            Section::Extraction => "Extraction",
            Section::Output => "Output",
        })
        .action(ArgAction::Set);
    if let Some(letter) = setting.short {
        arg = arg.short(letter);
    }
    match setting.kind {
        Kind::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .hide_possible_values(true),
        Kind::Word(words) => arg.value_parser(PossibleValuesParser::new(words)),
        // No dash in front: a list would swallow the flag behind it. `--exclude=-x` is still a way.
        Kind::List => arg.action(ArgAction::Append),
        Kind::Text => arg,
        // None of these begins with a dash, so that `-1` can be called what it is.
        Kind::Count(..) | Kind::CountOrNone(..) | Kind::Span(..) | Kind::SpanOrAuto(..) | Kind::Size(..) => {
            arg.allow_hyphen_values(true)
        }
    }
}

impl<C: Choice> Args for Flags<C> {
    fn augment_args(command: Command) -> Command {
        command.args(chosen::<C>().map(argument))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Choice> FromArgMatches for Flags<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given =
            |setting: &&'static Setting| matches.value_source(setting.name) == Some(ValueSource::CommandLine);
        let entry = |setting: &'static Setting| {
            let mut texts: Vec<String> =
                matches.get_many::<String>(setting.name).into_iter().flatten().cloned().collect();
            let raw = match setting.kind {
                Kind::List => Raw::Many(texts),
                _ => Raw::One(texts.pop().unwrap_or_default()),
            };
            Entry { setting, raw, origin: Origin::Flag(setting.flag()) }
        };
        Ok(Self { entries: chosen::<C>().filter(given).map(entry).collect(), choice: PhantomData })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
