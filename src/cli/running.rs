//! A crawl from its settings to its summary: what `crawl`, `resume` and `demo` share.

mod joined;
mod stopping;

use super::board::{Board, Detail};
use super::exit::{ExitCode, Failure};
use super::figures::plural;
use super::progress::{self, Header};
use super::seeds::SeedSource;
use super::shell;
use super::summary::Summary;
use super::summing::{self, Ending};
use crate::clock::Clock;
use crate::scheduler::End;
use crate::settings::{Certificates, FailOn, Layers, Settings, Sink, StoreUrl, StoredSettings};
use crate::store::{CrawlRow, StoreError, Tally};
use crate::telemetry::{Terminal, set_resume_command};
use crate::wiring::CrawlError;
use crate::wiring::embedded::Embedded;
use crate::wiring::stores::OwnStore;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use stopping::{Errors, Stop};

/// Most reasons that a failed gate names.
const SHOWN_FAILURES: usize = 5;
/// What is said where certificates are not verified.
pub(super) const ANY_CERTIFICATE: &str =
    "any certificate is accepted: whoever is in between can read and change what is fetched";

/// What to run, and how loudly.
pub(super) struct Run<'a> {
    /// The settings; those that the store keeps for the crawl come below the flags.
    pub(super) layers: Layers,
    /// The name of the crawl.
    pub(super) name: String,
    /// Seeds given now.
    pub(super) seeds: Option<SeedSource>,
    /// The first of them, read already to name the crawl.
    pub(super) first: Vec<crate::crawl::seeds::Seed>,
    /// Where to speak.
    pub(super) terminal: &'a Terminal,
    /// Nothing but errors.
    pub(super) quiet: bool,
    /// A line a page, or more.
    pub(super) verbose: Option<Detail>,
}

/// A crawl that has ended.
pub(super) struct Ended {
    /// How the process exits.
    pub(super) code: ExitCode,
    /// The summary.
    pub(super) summary: Summary,
}

/// A runtime with a thread a processor.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

impl From<StoreError> for Failure {
    fn from(why: StoreError) -> Self {
        Self::new(ExitCode::Storage, why)
    }
}

impl From<CrawlError> for Failure {
    fn from(why: CrawlError) -> Self {
        let code = match &why {
            CrawlError::Store(_) => ExitCode::Storage,
            CrawlError::Frontier(_) => ExitCode::Frontier,
            CrawlError::Bug(_) => ExitCode::Internal,
        };
        Self::new(code, why)
    }
}

impl Run<'_> {
    /// Runs it to its end, its limit, or a signal.
    pub(super) async fn run(mut self) -> Result<Ended, Failure> {
        let clock = Clock::start();
        let settings = self.layers.settings()?;
        settings.output.summary_json.as_ref().map_or(Ok(()), check_sink)?;
        let place = settings.place.store_for(&self.name);
        let own = OwnStore::open(&place, || self.say_waiting(&place)).await?;
        let ended = self.open(&own, clock, &place).await;
        let lost = own.lost().is_cancelled();
        let closed = own.close().await;
        if lost {
            let text =
                format!("another process may be crawling with {} now; this one stopped", place.place());
            return Err(Failure::new(ExitCode::Storage, anyhow::anyhow!("{text}"))
                .hint(resume_hint(&self.name, &place)));
        }
        let ended = ended?;
        closed?;
        Ok(ended)
    }

    fn say_waiting(&self, place: &StoreUrl) {
        if !self.quiet {
            let place = place.place();
            self.terminal
                .line(&format!("{place} is in use, or its last process died a moment ago; waiting for it"));
        }
    }

    /// Opens the crawl in its store and runs it.
    async fn open(&mut self, own: &OwnStore, clock: Clock, place: &StoreUrl) -> Result<Ended, Failure> {
        if let Some(stored) = own.settings(&self.name).await? {
            self.settle(&stored, place)?;
        }
        let settings = self.layers.settings()?;
        let stored = serde_json::to_string(&self.layers.to_stored()).map_err(anyhow::Error::from)?;
        let row = own.store().open_crawl(&self.name, &stored, clock.now()).await?;
        own.change_settings(row.id, &stored).await?;
        set_resume_command(resume_command(&self.name, place));
        self.crawl(&settings, row, own, clock, place).await
    }

    /// Takes up the settings that the crawl has: a flag of now goes over them, and stays for the next time. What its store does
    /// not keep must be given again: without it, requests would fail for good or go where they should not.
    fn settle(&mut self, stored: &str, place: &StoreUrl) -> Result<(), Failure> {
        let stored: StoredSettings = serde_json::from_str(stored).unwrap_or_default();
        let missing = self.layers.missing(&stored);
        let (Some(first), name) = (missing.first(), &self.name) else {
            self.layers = self.layers.clone().with_stored(&stored);
            return Ok(());
        };
        let what = missing.join(" and ");
        let resume = resume_command(name, place);
        Err(Failure::usage(format!("{name} was started with {what}, whose values are not kept in the store"))
            .hint(format!("give it again, or go on without:  {resume} {first} none")))
    }

    async fn crawl(
        &mut self,
        settings: &Settings,
        row: CrawlRow,
        own: &OwnStore,
        clock: Clock,
        place: &StoreUrl,
    ) -> Result<Ended, Failure> {
        let store = own.store();
        let started = clock.now();
        let before = store.tally(row.id).await?;
        let board = Board::new(&before);
        // Heard from here on: a signal while seeds are read lets them be accepted first.
        let stop = Stop::listen(self.terminal, self.quiet, resume_command(&self.name, place))?;
        stop.when(own.lost());
        let listener = board.listener(self.verbose.map(|detail| (self.terminal.clone(), detail)));
        let errors =
            Errors { most: settings.limits.max_errors, failed: Arc::default(), stop: stop.token.clone() };
        let listener = errors.counted(listener);
        let is_whole = row.seeded || self.seeds.is_some();
        let mut embedded = Embedded::open(store, row, settings, clock, listener).await?;
        let (seeds, new) = self.seed(&mut embedded, &board).await?;
        if seeds == 0 && before == Tally::default() {
            return Err(self.no_seed(place));
        }
        let resumed = (embedded.crawl.epoch > 1).then_some(before.open);
        self.header(settings, &embedded, seeds, resumed, place);
        if !is_whole {
            let (warning, name) = (self.terminal.paint().yellow("warning:"), &self.name);
            self.terminal.line(&format!(
                "{warning} {name} has not all of its seeds: an earlier run ended while it read them. Give the list again:  huntsman crawl LIST --name {name}{}",
                store_flag(name, place)
            ));
        }
        if resumed == Some(0) && new == 0 && !self.quiet {
            self.terminal.line(&nothing_left(&self.name));
        }
        let mode = if self.quiet { crate::settings::ProgressMode::None } else { settings.output.progress };
        let shown = progress::show(mode, self.terminal, clock, {
            let (board, front) = (Arc::clone(&board), Arc::clone(&embedded.front));
            let node = Arc::clone(&embedded.roles.node);
            move || board.progress(&node, &front, &clock)
        });
        let end = embedded.roles.run(&stop.token).await;
        shown.end().await;
        let ending = Ending {
            name: &self.name,
            store: place,
            resume: resume_command(&self.name, place),
            started,
            finished: clock.now(),
            max_pages: settings.limits.max_pages,
            board: &board,
        };
        let (summary, failed_seeds) = match &end {
            Ok(end) => {
                let (crawl, bytes) = (embedded.crawl.id, own.bytes().await);
                let (tally, totals) = (embedded.store.tally(crawl).await?, own.totals(crawl).await?);
                summing::summarize(tally, totals, bytes, &ending, *end)
            }
            Err(_) => {
                return Err(Failure::from(end.expect_err("matched")).hint(resume_hint(&self.name, place)));
            }
        };
        let code = self.finish(&summary, &failed_seeds, settings, &stop, end.unwrap_or(End::Finished))?;
        if let (ExitCode::Done, Some(text)) = (code, errors.reached()) {
            return Err(too_many_errors(&text, &resume_command(&self.name, place)));
        }
        Ok(Ended { code, summary })
    }

    /// The disk was full, or the process died, between the first line of a crawl and its first seed.
    fn no_seed(&self, place: &StoreUrl) -> Failure {
        let name = &self.name;
        let store = store_flag(name, place);
        Failure::usage(anyhow::anyhow!("{name} has no seed: its first run ended before one was accepted"))
            .hint(format!("give it one:  huntsman crawl SEED --name {name}{store}"))
    }

    /// Accepts the seeds, batch by batch; answers with how many there are and how many of them are new.
    async fn seed(&mut self, embedded: &mut Embedded, board: &Board) -> Result<(u64, u64), Failure> {
        let mut batch = std::mem::take(&mut self.first);
        let (mut seeds, mut new) = (0, 0);
        let crawl = embedded.crawl.id;
        if self.seeds.is_some() {
            embedded.store.set_seeded(crawl, false).await?;
        }
        loop {
            seeds += batch.len() as u64;
            let accepted = embedded.seed(&batch).await?;
            board.accepted(accepted);
            new += accepted as u64;
            let Some(source) = &mut self.seeds else { return Ok((seeds, new)) };
            match tokio::task::block_in_place(|| source.next_batch())? {
                Some(next) => batch = next,
                None => break,
            }
        }
        embedded.store.set_seeded(crawl, true).await?;
        Ok((seeds, new))
    }

    fn header(
        &self,
        settings: &Settings,
        embedded: &Embedded,
        seeds: u64,
        resumed: Option<u64>,
        place: &StoreUrl,
    ) {
        let header = Header {
            seeds,
            scope: embedded.job.scope_words(),
            robots: settings.politeness.robots == crate::settings::Robots::Obey,
            delay: settings.politeness.delay.ours(embedded.on_loopback),
            max_pages: settings.limits.max_pages,
            data: place.place(),
            resumed,
        };
        self.say_header(&header, settings.network.certificates);
    }

    fn say_header(&self, header: &Header, certificates: Certificates) {
        if self.quiet {
            return;
        }
        for line in header.lines() {
            self.terminal.line(&line);
        }
        if !header.robots {
            let warning = self.terminal.paint().yellow("warning:");
            self.terminal.line(&format!(
                "{warning} robots.txt is ignored; the owners of these sites have not agreed to that"
            ));
        }
        if certificates == Certificates::AcceptAny {
            let warning = self.terminal.paint().yellow("warning:");
            self.terminal.line(&format!("{warning} {ANY_CERTIFICATE}"));
        }
    }

    /// Says the summary and decides the exit code.
    fn finish(
        &self,
        summary: &Summary,
        failed_seeds: &[String],
        settings: &Settings,
        stop: &Stop,
        end: End,
    ) -> Result<ExitCode, Failure> {
        if !self.quiet {
            for line in summary.render(self.terminal.paint()).lines() {
                self.terminal.line(line);
            }
        }
        match &settings.output.summary_json {
            Some(Sink::Stdout) => writeln!(std::io::stdout(), "{}", summary.to_json())?,
            Some(Sink::File(file)) => std::fs::write(file, summary.to_json())
                .map_err(|why| Failure::new(ExitCode::Storage, wrong_sink(file, &why)))?,
            None => {}
        }
        if let Some(code) = stop.code() {
            return Ok(code);
        }
        if end == End::Finished && summary.found.stored == 0 {
            let mut text = "no page could be fetched from any seed".to_owned();
            for seed in failed_seeds.iter().take(10) {
                text.push_str("; ");
                text.push_str(seed);
            }
            let first = failed_seeds.first().and_then(|seed| seed.split(' ').next()).unwrap_or("URL");
            return Err(Failure::new(ExitCode::NothingFetched, anyhow::anyhow!("{text}")).hint(format!(
                "check the spelling, or run  huntsman fetch {}  for the details",
                shell::quoted(first)
            )));
        }
        gate(summary, &settings.output.fail_on)?;
        Ok(ExitCode::Done)
    }
}

/// Fails where URLs failed in a way that the operator does not accept.
fn gate(summary: &Summary, fail_on: &[FailOn]) -> Result<(), Failure> {
    let meant = |reason: &str| fail_on.iter().any(|kind| kind.matches(reason));
    let failures: Vec<_> = summary.failures.iter().filter(|failure| meant(&failure.reason)).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let total = failures.iter().map(|failure| failure.count).sum();
    let shown = failures.iter().take(SHOWN_FAILURES);
    let shown: Vec<_> = shown.map(|failure| format!("{} {}", failure.reason, failure.count)).collect();
    let text =
        format!("{} failed, which --fail-on does not accept: {}", plural(total, "URL"), shown.join(", "));
    Err(Failure::new(ExitCode::Gate, anyhow::anyhow!("{text}"))
        .hint(format!("{} names them", summary.query("select url, reason, found_on from dead_letters"))))
}

/// Finds out before the crawl, not after it, that its summary cannot be written.
fn check_sink(sink: &Sink) -> Result<(), Failure> {
    let Sink::File(file) = sink else { return Ok(()) };
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
    opened.map(drop).map_err(|why| Failure::usage(wrong_sink(file, &why)))
}

fn wrong_sink(file: &Path, why: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("--summary-json {}: {why}", file.display())
}

fn resume_command(name: &str, place: &StoreUrl) -> String {
    format!("huntsman resume {name}{}", store_flag(name, place))
}

/// The flag that leads to the store, where that is not the one of the name.
pub(super) fn store_flag(name: &str, place: &StoreUrl) -> String {
    if *place == StoreUrl::usual(name) { String::new() } else { shell::store_flag(place) }
}

fn resume_hint(name: &str, place: &StoreUrl) -> String {
    go_on(&resume_command(name, place))
}

fn go_on(resume: &str) -> String {
    format!("nothing that was stored is lost; go on with  {resume}")
}

fn too_many_errors(text: &str, resume: &str) -> Failure {
    Failure::new(ExitCode::Threshold, anyhow::anyhow!("{text}")).hint(go_on(resume))
}

fn nothing_left(name: &str) -> String {
    format!("Nothing is left of {name}; --name NAME crawls afresh under a new name")
}
