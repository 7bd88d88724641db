//! The arguments of the roles of an installation: `scheduler`, `node` and `storage`.

use crate::cli::flags::{Flags, HowToAsk, OfACrawl, WhichStore};
use clap::Args;

/// `scheduler`.
#[derive(Debug, Clone, Args)]
pub struct SchedulerArgs {
    /// Seeds of a crawl to begin or to add to: URLs, files with seed lists, or - for standard input
    #[arg(value_name = "SEED")]
    pub seeds: Vec<String>,
    /// Refuse a seed list with a bad line instead of crawling the good ones
    #[arg(long)]
    pub strict: bool,
    /// The store, the index, and the settings of the crawl.
    #[command(flatten)]
    pub settings: Flags<OfACrawl>,
}

/// `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The index, and how it asks; everything else is the crawl's.
    #[command(flatten)]
    pub settings: Flags<HowToAsk>,
}

/// `storage`.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// The store and the index.
    #[command(flatten)]
    pub settings: Flags<WhichStore>,
}
