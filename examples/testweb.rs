//! Serves a simulated web until interrupted, or prints its truth.

use std::{io::Write as _, path::PathBuf, time::Duration};

use clap::Parser;
use huntsman::testweb::{RobotsKind, Settings, Testweb};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 10)]
    hosts: u32,
    #[arg(long, default_value_t = 100)]
    pages: u32,
    #[arg(long, default_value_t = 8192)]
    page_size: usize,
    #[arg(long, default_value_t = 20)]
    links: u32,
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    #[arg(long, default_value_t = 0.0)]
    error_rate: f64,
    #[arg(long, default_value_t = 0.0)]
    redirects: f64,
    #[arg(long, default_value_t = RobotsKind::Allow)]
    robots: RobotsKind,
    #[arg(long)]
    crawl_delay: Option<f64>,
    #[arg(long)]
    traps: bool,
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long)]
    flat: bool,
    #[arg(long)]
    log_file: Option<PathBuf>,
    /// Print the truth and exit.
    #[arg(long)]
    truth: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let settings = Settings {
        seed: args.seed,
        hosts: args.hosts,
        pages: args.pages,
        page_size: args.page_size,
        links: args.links,
        latency: Duration::from_millis(args.latency_ms),
        error_rate: args.error_rate,
        redirects: args.redirects,
        robots: args.robots,
        crawl_delay: args.crawl_delay.map(Duration::from_secs_f64),
        traps: args.traps,
        port: args.port,
        flat: args.flat,
        log: false,
        log_file: args.log_file,
    };
    let mut out = std::io::stdout().lock();
    if args.truth {
        for truth in huntsman::testweb::truth(&settings, settings.port) {
            serde_json::to_writer(&mut out, &truth)?;
            writeln!(out)?;
        }
        return Ok(());
    }
    let web = Testweb::start(settings).await?;
    for seed in web.seeds() {
        writeln!(out, "{seed}")?;
    }
    out.flush()?;
    tokio::signal::ctrl_c().await?;
    eprintln!("{} requests", web.requests());
    web.stop().await;
    Ok(())
}
