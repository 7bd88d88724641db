//! The command line: one file a subcommand, and what they share.

mod adding;
pub mod args;
mod asking;
mod board;
mod completions;
mod config;
mod crawl;
mod demo;
pub mod exit;
mod fetch;
mod figures;
pub mod flags;
mod man;
pub mod meter;
mod nodes;
mod pages;
pub mod problems;
pub mod progress;
mod query;
mod releasing;
mod robots;
mod roles;
mod running;
pub mod seeds;
mod shell;
mod status;
mod steering;
mod stores;
pub mod summary;
mod summing;
pub mod table;
mod testweb;
mod why;

pub use crate::telemetry::escape;
pub use args::{Cli, Command};
pub use exit::{ExitCode, Failure, report_arguments};

use crate::telemetry::Terminal;

/// Does what the command line asks.
pub fn dispatch(cli: Cli, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Crawl(args) => crawl::run(args, &global, terminal),
        Command::Resume(args) => crawl::resume(args, &global, terminal),
        Command::Scheduler(args) => roles::scheduler(args, &global, terminal),
        Command::Node(args) => roles::node(args, &global, terminal),
        Command::Storage(args) => roles::storage(args, &global, terminal),
        Command::Add(args) => adding::run(args, &global, terminal),
        Command::Release(args) => releasing::run(args, &global, terminal),
        Command::Pause(args) => steering::pause(args, &global, terminal),
        Command::Cancel(args) => steering::cancel(args, &global, terminal),
        Command::Nodes(args) => nodes::run(args, &global),
        Command::Drain(args) => nodes::drain(args, &global, terminal),
        Command::Recover(args) => nodes::recover(args, &global, terminal),
        Command::Robots(args) => robots::run(&args, &global, terminal),
        Command::Query(args) => query::run(&args, &global),
        Command::Pages(args) => pages::run(&args, &global),
        Command::Status(args) => status::run(&args, &global),
        Command::Why(args) => why::run(&args, &global),
        Command::Demo(args) => demo::run(&args, &global, terminal),
        Command::Testweb(args) => testweb::run(args),
        Command::Completions { shell } => completions::run(shell),
        Command::Man { dir } => man::run(dir.as_deref()),
        Command::Config(command) => config::run(command, &global, terminal),
        Command::Fetch(args) => fetch::run(&args, &global, terminal),
    }
}
