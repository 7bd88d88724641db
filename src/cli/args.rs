//! The command line: every subcommand, flag and argument.

mod examples;
mod filters;
mod operating;
mod roles;
mod simulated;

pub use filters::{StatusFilter, When};
pub use operating::{AddArgs, DrainArgs, NodesArgs, RecoverArgs, ReleaseArgs, SteerArgs};
pub use roles::{NodeArgs, SchedulerArgs, StorageArgs};
pub use simulated::{DemoArgs, TestwebArgs};

use super::board::Detail;
use super::exit::EXIT_CODES;
use super::flags::{All, AllButName, AskRobots, Flags, OneRequest, WhichCrawl, WhichStore};
use super::table::Format;
use crate::settings::{ConfigFile, environment};
use crate::telemetry::{Colours, LogFormat, Logging};
use clap::{Args, Parser, Subcommand, ValueEnum};
use filters::{parse_status, parse_when};
use std::path::PathBuf;

/// A web crawler that loses nothing: from seeds to SQL, politely, through any crash.
#[derive(Debug, Clone, Parser)]
#[command(name = "huntsman", version, about, max_term_width = 110)]
#[command(after_help = examples::ALL, after_long_help = format!("{}\n\n{EXIT_CODES}\n\n{}", examples::ALL, examples::SETTINGS))]
#[command(subcommand_required = true, arg_required_else_help = true, infer_subcommands = false)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

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
    #[arg(short = 'C', long, global = true, value_name = "FILE")]
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
            directives: environment::variable("HUNTSMAN_LOG"),
        }
    }

    /// What is said of each visit.
    pub(super) fn detail(&self) -> Option<Detail> {
        match self.verbose {
            0 => None,
            1 => Some(Detail::Pages),
            _ => Some(Detail::Skipped),
        }
    }

    /// Which settings file to read.
    pub fn config_file(&self) -> ConfigFile {
        match &self.config {
            _ if self.no_config => ConfigFile::Ignored,
            Some(path) => ConfigFile::Named(path.clone()),
            None => match environment::variable("HUNTSMAN_CONFIG") {
                Some(path) => ConfigFile::Named(path.into()),
                None => ConfigFile::Search,
            },
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
    #[command(after_help = examples::CRAWL)]
    Crawl(CrawlArgs),
    /// Continue a crawl that was interrupted, or paused in an installation
    #[command(after_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Lead an installation of several processes: seed crawls, keep the index filled
    #[command(after_help = examples::SCHEDULER)]
    Scheduler(SchedulerArgs),
    /// Fetch for an installation of several processes
    #[command(after_help = examples::NODE)]
    Node(NodeArgs),
    /// Write for an installation of several processes
    #[command(after_help = examples::STORAGE)]
    Storage(StorageArgs),
    /// Add seeds to a crawl
    #[command(after_help = examples::ADD)]
    Add(AddArgs),
    /// Fetch all the same what a rule against traps, or a budget, holds back
    #[command(after_help = examples::RELEASE)]
    Release(ReleaseArgs),
    /// Let nothing more of a crawl be fetched, in an installation of several processes
    #[command(after_help = examples::PAUSE)]
    Pause(SteerArgs),
    /// Give a crawl up, in an installation of several processes; what is stored stays
    #[command(after_help = examples::CANCEL)]
    Cancel(SteerArgs),
    /// List the nodes of an installation
    #[command(after_help = examples::NODES)]
    Nodes(NodesArgs),
    /// Ask a node to end what it has in hand and leave
    #[command(after_help = examples::DRAIN)]
    Drain(DrainArgs),
    /// Throw the index of an installation away and fill it anew from the store
    #[command(after_help = examples::RECOVER)]
    Recover(RecoverArgs),
    /// Show how far a crawl is
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// Say what became of a URL, and why
    #[command(after_help = examples::WHY)]
    Why(WhyArgs),
    /// Ask the store in SQL; it is only read
    #[command(after_help = examples::QUERY)]
    Query(QueryArgs),
    /// List stored pages
    #[command(after_help = examples::PAGES)]
    Pages(PagesArgs),
    /// Fetch a URL and show what a crawl would see and do; nothing is stored
    #[command(after_help = examples::FETCH)]
    Fetch(FetchArgs),
    /// Say what robots.txt allows
    #[command(after_help = examples::ROBOTS)]
    Robots(RobotsArgs),
    /// Show the settings
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    #[command(after_help = examples::MAN)]
    Man {
        /// Write huntsman.1, huntsman-crawl.1 and so on into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Serve a simulated web on loopback, made from a seed number
    #[command(after_help = examples::TESTWEB)]
    Testweb(TestwebArgs),
    /// Crawl a simulated web and check the store against the truth
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
}

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
    #[arg(long, default_value_t = 100, value_name = "N", allow_negative_numbers = true)]
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
    #[command(after_help = examples::CONFIG_SHOW)]
    Show {
        /// Say where each value came from
        #[arg(long)]
        origin: bool,
        /// Settings.
        #[command(flatten)]
        settings: Flags<All>,
    },
    /// Print a settings file that documents every setting with its default
    #[command(after_help = examples::CONFIG_DEFAULTS)]
    Defaults,
}

#[cfg(test)]
mod tests;
