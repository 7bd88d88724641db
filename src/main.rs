//! The `huntsman` command: parse, telemetry, dispatch, exit code.

use clap::Parser;
use huntsman::cli::{self, Cli, Failure};
use huntsman::clock::Clock;
use huntsman::telemetry::{self, Terminal};

/// Pages are allocated by one thread and freed by another, all day: this allocator does that with less CPU and less left
/// over than the one of the C library.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_mistake) => return cli::report_arguments(&help_or_mistake).into(),
    };
    let terminal = Terminal::stderr(cli.global.colours());
    telemetry::install_panic_hook(&terminal);
    let started = telemetry::start(&cli.global.logging(), &terminal, Clock::start());
    let ended = started
        .map_err(|why| Failure::usage(format!("HUNTSMAN_LOG: {why}")))
        .and_then(|()| cli::dispatch(cli, &terminal));
    ended.unwrap_or_else(|failure| failure.report(&terminal)).into()
}
