//! The arguments of the commands with which a running crawl is steered.

use crate::cli::flags::{Added, Flags, Index, WhichStore};
use crate::cli::releasing::parse_rule;
use crate::crawl::traps::Rule;
use clap::Args;

/// `add`.
#[derive(Debug, Clone, Args)]
pub struct AddArgs {
    /// A URL, a file with a seed list, or - for a seed list on standard input
    #[arg(required = true, value_name = "SEED")]
    pub seeds: Vec<String>,
    /// Refuse a seed list with a bad line instead of adding the good ones
    #[arg(long)]
    pub strict: bool,
    /// Which crawl, and where it is.
    #[command(flatten)]
    pub settings: Flags<Added>,
}

/// `release`.
#[derive(Debug, Clone, Args)]
pub struct ReleaseArgs {
    /// URLs that are parked
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// Those that this rule parked, as `skipped.reason` names it
    #[arg(long, value_name = "RULE", value_parser = parse_rule)]
    pub rule: Option<Rule>,
    /// Those of this host, with its port if that is not the default
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Which crawl, and where it is.
    #[command(flatten)]
    pub settings: Flags<Added>,
}

/// `pause` and `cancel`.
#[derive(Debug, Clone, Args)]
pub struct SteerArgs {
    /// Which crawl; a store that holds one needs none
    pub name: Option<String>,
    /// Where it is.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}

/// `nodes`.
#[derive(Debug, Clone, Args)]
pub struct NodesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Which installation.
    #[command(flatten)]
    pub settings: Flags<Index>,
}

/// `drain`.
#[derive(Debug, Clone, Args)]
pub struct DrainArgs {
    /// Which node, as `huntsman nodes` names it
    pub node: String,
    /// Which installation.
    #[command(flatten)]
    pub settings: Flags<Index>,
}

/// `recover`.
#[derive(Debug, Clone, Args)]
pub struct RecoverArgs {
    /// Which installation.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}
