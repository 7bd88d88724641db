//! The arguments of the commands that make a web of their own: `testweb` and `demo`.

use super::filters::parse_share;
use crate::cli::flags::{Flags, WhichStore};
use crate::settings::units::{parse_size, parse_span};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

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
