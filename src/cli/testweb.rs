//! `huntsman testweb`: the simulated web as a process of its own.

use super::args::TestwebArgs;
use super::exit::{ExitCode, Failure};
use crate::testweb::{Settings, Testweb, truth};
use std::io::{BufWriter, Write, stdout};

/// First URLs that are printed.
const PRINTED: usize = 10;

/// Serves until it is interrupted.
pub(super) fn run(args: TestwebArgs) -> Result<ExitCode, Failure> {
    let settings = Settings {
        seed: args.seed,
        hosts: args.hosts,
        pages: args.pages,
        page_size: usize::try_from(args.page_size).unwrap_or(usize::MAX),
        links: args.links,
        latency: args.latency,
        error_rate: args.error_rate,
        redirects: args.redirects,
        robots: args.robots.parse().map_err(|why| Failure::usage(format!("--robots: {why}")))?,
        crawl_delay: args.crawl_delay,
        traps: args.traps,
        flat: args.flat,
        port: args.port,
        log: false,
        log_file: args.log,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let web = Testweb::start(settings.clone()).await.map_err(|why| {
            Failure::usage(format!("the simulated web cannot listen on port {}: {why}", args.port))
        })?;
        if let Some(path) = &args.truth {
            let unwritable = |why| Failure::usage(format!("--truth {}: {why}", path.display()));
            let mut file = BufWriter::new(std::fs::File::create(path).map_err(unwritable)?);
            for line in truth(&settings, web.port()) {
                serde_json::to_writer(&mut file, &line).map_err(anyhow::Error::from)?;
                file.write_all(b"\n").map_err(unwritable)?;
            }
            file.flush().map_err(unwritable)?;
        }
        for seed in web.seeds().iter().take(PRINTED) {
            writeln!(stdout(), "{seed}")?;
        }
        stdout().flush()?;
        _ = tokio::signal::ctrl_c().await;
        web.stop().await;
        Ok(ExitCode::Done)
    })
}
