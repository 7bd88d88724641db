//! The arguments of the roles of an installation: `scheduler`, `node` and `storage`.

use crate::cli::flags::{Flags, HowToAsk, OfACrawl, WhichStore};
use crate::settings::units::parse_span;
use clap::Args;
use std::time::Duration;

/// Where the parts of an installation meet.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Installation")]
pub struct Frontier {
    /// Where the Redis is that the processes share: `redis://HOST[:PORT]`, or `redis+unix:///PATH` for a socket. A password is
    /// better said by a variable than by the flag.
    #[arg(
        long,
        value_name = "URL",
        help = "The Redis that the processes share: redis://HOST[:PORT] or redis+unix:///PATH. Or the variable HUNTSMAN_FRONTIER, \
                where a password is seen by nobody else"
    )]
    pub frontier: Option<String>,
}

/// `scheduler`.
#[derive(Debug, Clone, Args)]
pub struct SchedulerArgs {
    /// Seeds of a crawl to begin or to add to: URLs, files with seed lists, or - for standard input
    #[arg(value_name = "SEED")]
    pub seeds: Vec<String>,
    /// Refuse a seed list with a bad line instead of crawling the good ones
    #[arg(long)]
    pub strict: bool,
    /// How long a host is left alone after the node that asked it has died
    #[arg(long, default_value = "15s", value_name = "SPAN", value_parser = parse_span)]
    pub lease: Duration,
    /// The index.
    #[command(flatten)]
    pub frontier: Frontier,
    /// The store, and the settings of the crawl.
    #[command(flatten)]
    pub settings: Flags<OfACrawl>,
}

/// `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The index.
    #[command(flatten)]
    pub frontier: Frontier,
    /// How it asks; everything else is the crawl's.
    #[command(flatten)]
    pub settings: Flags<HowToAsk>,
}

/// `storage`.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// The index.
    #[command(flatten)]
    pub frontier: Frontier,
    /// The store.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}
