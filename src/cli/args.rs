//! The command line: every subcommand, flag and argument.

use super::exit::EXIT_CODES;
use super::flags::{All, AllButName, AskRobots, Flags, OneRequest, WhichCrawl, WhichStore};
use super::table::Format;
use crate::crawl::time::Timestamp;
use crate::settings::ConfigFile;
use crate::settings::units::{parse_size, parse_span};
use crate::telemetry::{Colours, LogFormat, Logging};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  huntsman crawl https://example.org          crawl one site into crawls/example.org.db
  huntsman crawl seeds.txt --max-pages 1000   crawl from a list, 1,000 pages at most
  huntsman resume                             continue after Ctrl-C or a crash
  huntsman query \"select status, count(*) from fetches group by 1\"
  huntsman why https://example.org/page       what became of a URL, and why
  huntsman demo                               crawl a simulated web and check the result";

/// A web crawler that loses nothing: from seeds to SQL, politely, through any crash.
#[derive(Debug, Clone, Parser)]
#[command(name = "huntsman", version, about, max_term_width = 110)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}\n\n{SETTINGS_HELP}"))]
#[command(subcommand_required = true, arg_required_else_help = true, infer_subcommands = false)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const SETTINGS_HELP: &str = "\
Settings:
  Built-in values, then a settings file (--config FILE, or ./huntsman.toml, or the one in
  $XDG_CONFIG_HOME/huntsman/), then HUNTSMAN_* variables, then flags: the later wins.
  `huntsman config show --origin` says where each value came from.";

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global")]
pub struct Global {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: one line a page; twice also why URLs were skipped
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Use colours
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: ColourChoice,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogChoice,
    /// Read this settings file instead of searching for one
    #[arg(short = 'C', long, global = true, value_name = "FILE", env = "HUNTSMAN_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Read no settings file
    #[arg(long, global = true, conflicts_with = "config")]
    pub no_config: bool,
}

impl Global {
    /// When to use colours.
    pub fn colours(&self) -> Colours {
        match self.color {
            ColourChoice::Auto => Colours::Auto,
            ColourChoice::Always => Colours::Always,
            ColourChoice::Never => Colours::Never,
        }
    }

    /// What to log.
    pub fn logging(&self) -> Logging {
        Logging {
            format: match self.log_format {
                LogChoice::Text => LogFormat::Text,
                LogChoice::Json => LogFormat::Json,
            },
            level: Logging::level_for(self.quiet, self.verbose),
            directives: crate::settings::environment::variable("HUNTSMAN_LOG"),
        }
    }

    /// Which settings file to read.
    pub fn config_file(&self) -> ConfigFile {
        match &self.config {
            _ if self.no_config => ConfigFile::Ignored,
            Some(path) => ConfigFile::Named(path.clone()),
            None => ConfigFile::Search,
        }
    }
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless the variable for no colours (`NO_COLOR`) is set.
    #[value(help = "On a terminal, unless NO_COLOR is set")]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogChoice {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Crawl from seeds until nothing is left
    #[command(after_help = CRAWL_EXAMPLES)]
    Crawl(CrawlArgs),
    /// Continue a crawl that was interrupted
    Resume(ResumeArgs),
    /// Show how far a crawl is
    Status(StatusArgs),
    /// Say what became of a URL, and why
    Why(WhyArgs),
    /// Ask the store in SQL; it is only read
    #[command(after_help = QUERY_EXAMPLES)]
    Query(QueryArgs),
    /// List stored pages
    Pages(PagesArgs),
    /// Fetch a URL and show what a crawl would see and do; nothing is stored
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(FetchArgs),
    /// Say what robots.txt allows
    #[command(after_help = ROBOTS_EXAMPLES)]
    Robots(RobotsArgs),
    /// Show the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  huntsman completions bash > ~/.local/share/bash-completion/completions/huntsman"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// Write huntsman.1, huntsman-crawl.1 and so on into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Serve a simulated web on loopback, made from a seed number
    Testweb(TestwebArgs),
    /// Crawl a simulated web and check the store against the truth
    Demo(DemoArgs),
}

const CRAWL_EXAMPLES: &str = "\
Examples:
  huntsman crawl https://example.org/docs/ --scope prefix --text
  huntsman crawl seeds.txt --exclude '\\.pdf$' --contact you@example.org
  cat urls | huntsman crawl - --name mine --depth 1

A seed list has one URL a line, `#` comments, and behind a URL optional depth=N, scope=KIND, priority=0..9
(9 is visited first).";

const QUERY_EXAMPLES: &str = "\
Examples:
  huntsman query \"select status, count(*) from fetches group by 1\"
  huntsman query \"select url, title from pages where status = 200\" --format csv > pages.csv";

const FETCH_EXAMPLES: &str = "\
Examples:
  huntsman fetch https://example.org/page
  huntsman fetch https://example.org/page --select 'price=.price' --follow
  huntsman fetch https://example.org/page --format json";

const ROBOTS_EXAMPLES: &str = "\
Examples:
  huntsman robots https://example.org/private/page
  huntsman robots --file robots.txt --agent huntsman https://example.org/a https://example.org/b";

/// `crawl`.
#[derive(Debug, Clone, Args)]
pub struct CrawlArgs {
    /// A URL, a file with a seed list, or - for a seed list on standard input
    #[arg(required = true, value_name = "SEED")]
    pub seeds: Vec<String>,
    /// Refuse a seed list with a bad line instead of crawling the good ones
    #[arg(long)]
    pub strict: bool,
    /// Settings.
    #[command(flatten)]
    pub settings: Flags<All>,
}

/// `resume`.
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// Which crawl; a store that holds one needs none
    pub name: Option<String>,
    /// Settings.
    #[command(flatten)]
    pub settings: Flags<AllButName>,
}

/// `status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Which crawl; a store that holds one needs none
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the crawl is kept.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}

/// `why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The URL as found anywhere; it is normalised first
    pub url: String,
    /// Where the crawl is kept.
    #[command(flatten)]
    pub settings: Flags<WhichCrawl>,
}

/// `query`.
#[derive(Debug, Clone, Args)]
pub struct QueryArgs {
    /// One SQL statement that reads
    pub sql: String,
    /// How rows are printed
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// Where the crawl is kept.
    #[command(flatten)]
    pub settings: Flags<WhichCrawl>,
}

/// `pages`.
#[derive(Debug, Clone, Args)]
pub struct PagesArgs {
    /// Only pages of this host, with its port if that is not the default
    #[arg(long)]
    pub host: Option<String>,
    /// Only pages with this HTTP status, or a class: 2xx
    #[arg(long, value_parser = parse_status)]
    pub status: Option<StatusFilter>,
    /// Only pages whose title holds this text
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Only pages fetched at or after this time: 2026-11-23, 2026-11-23T14:30:00Z, or 2h for two hours ago
    #[arg(long, value_name = "TIME", value_parser = parse_when)]
    pub since: Option<When>,
    /// Only pages fetched before this time
    #[arg(long, value_name = "TIME", value_parser = parse_when)]
    pub until: Option<When>,
    /// Most pages listed
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub limit: u64,
    /// How rows are printed
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// Where the crawl is kept.
    #[command(flatten)]
    pub settings: Flags<WhichCrawl>,
}

/// `fetch`.
#[derive(Debug, Clone, Args)]
pub struct FetchArgs {
    /// What to fetch
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Go on where the answer is a redirect, as a crawl would
    #[arg(long)]
    pub follow: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    pub format: FetchFormat,
    /// Settings.
    #[command(flatten)]
    pub settings: Flags<OneRequest>,
}

/// `fetch --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FetchFormat {
    /// Lines for people; text from the web is escaped.
    Text,
    /// A JSON object a line, one for each URL.
    Json,
}

/// `robots`.
#[derive(Debug, Clone, Args)]
pub struct RobotsArgs {
    /// URLs to judge; their robots.txt is fetched unless --file is given
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Judge by this robots.txt instead of fetching one
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Judge for this product token instead of our own
    #[arg(long, value_name = "TOKEN")]
    pub agent: Option<String>,
    /// Settings.
    #[command(flatten)]
    pub settings: Flags<AskRobots>,
}

/// `config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with its value, as a settings file
    Show {
        /// Say where each value came from
        #[arg(long)]
        origin: bool,
        /// Settings.
        #[command(flatten)]
        settings: Flags<All>,
    },
    /// Print a settings file that documents every setting with its default
    Defaults,
}

/// `testweb`.
#[derive(Debug, Clone, Args)]
pub struct TestwebArgs {
    /// Hosts, each an address of its own from 127.1.0.1 upward
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub hosts: u32,
    /// Pages of each host
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub pages: u32,
    /// Bytes of a page, roughly
    #[arg(long, default_value = "8 KiB", value_name = "SIZE", value_parser = parse_size)]
    pub page_size: u64,
    /// Links of a page
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub links: u32,
    /// Time between a request and its answer
    #[arg(long, default_value = "0", value_name = "SPAN", value_parser = parse_span)]
    pub latency: Duration,
    /// Share of the pages, 0 to 1, that fail in one way or another
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    pub error_rate: f64,
    /// Share of the pages, 0 to 1, that are redirects
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = parse_share)]
    pub redirects: f64,
    /// What robots.txt says: none | allow | rules | unavailable
    #[arg(long, default_value = "allow", value_name = "KIND")]
    pub robots: String,
    /// The crawl-delay that --robots rules asks for
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub crawl_delay: Option<Duration>,
    /// Add an endless calendar and a directory that repeats itself
    #[arg(long)]
    pub traps: bool,
    /// Link every page from its host's root instead of a tree
    #[arg(long)]
    pub flat: bool,
    /// The port all hosts share; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The number that everything is made from
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// Write what there is to find: a JSON object a line with url, status, title and whether it is reachable
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Write each request as a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
}

/// `demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Hosts of the simulated web
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub hosts: u32,
    /// Pages of each host
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub pages: u32,
    /// Least gap between two requests to a host
    #[arg(long, default_value = "200ms", value_name = "SPAN", value_parser = parse_span)]
    pub delay: Duration,
    /// The number that the simulated web is made from
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,
    /// Where the crawl is kept.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}

/// `pages --status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusFilter {
    /// The least status that fits.
    pub least: u16,
    /// The greatest status that fits.
    pub most: u16,
}

/// A point in time as an operator writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A time of the calendar, UTC where it names no zone.
    At(Timestamp),
    /// So long before now.
    Ago(Duration),
}

impl When {
    /// The point in time, seen from `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(span) => now - span,
        }
    }
}

fn parse_status(text: &str) -> Result<StatusFilter, String> {
    let class = text.strip_suffix("xx").and_then(|class| class.parse::<u16>().ok());
    match (class, text.parse::<u16>()) {
        (Some(class @ 1..=5), _) => Ok(StatusFilter { least: class * 100, most: class * 100 + 99 }),
        (_, Ok(status @ 100..=999)) => Ok(StatusFilter { least: status, most: status }),
        _ => Err("a status is a number such as 404, or a class such as 4xx".to_owned()),
    }
}

fn parse_when(text: &str) -> Result<When, String> {
    let utc = |civil| jiff::tz::TimeZone::UTC.to_timestamp(civil);
    let at = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| text.parse::<jiff::civil::DateTime>().and_then(utc))
        .or_else(|_| text.parse::<jiff::civil::Date>().and_then(|date| utc(date.at(0, 0, 0, 0))));
    match at {
        Ok(at) => Ok(When::At(Timestamp::from_millis(at.as_millisecond()))),
        Err(_) => parse_span(text).map(When::Ago).map_err(|_| {
            "a time is written 2026-11-23, 2026-11-23T14:30:00Z, or 2h for two hours ago".to_owned()
        }),
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::flags;
    use super::*;
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
            "huntsman crawl http://h/ -d 3 -j 8 --exclude a --exclude -b --text --sitemaps=false --delay 1s --scope any",
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
        for text in ["1970-01-02", "1970-01-02T00:00:00Z", "1970-01-02T00:00:00", "1970-01-02T01:00:00+01:00"]
        {
            assert_eq!(parse_when(text), Ok(day), "{text}");
        }
        let now = Timestamp::from_millis(7_200_000);
        assert_eq!(parse_when("2h").unwrap().from(now), Timestamp::EPOCH);
        assert!(parse_when("yesterday").is_err());
        assert_eq!(parse_share("0.5"), Ok(0.5));
        assert!(parse_share("1.1").is_err());
    }
}
