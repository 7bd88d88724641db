//! The same for a crawl of an installation: this process runs the three roles on a shared index, beside others.

use super::stopping::{Stop, errors_words};
use super::{Ended, Run, check_sink, go_on, nothing_left, too_many_errors};
use crate::cli::board::Board;
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::progress::{self, Header, Progress};
use crate::cli::summing::{self, Ending};
use crate::cli::{roles, shell};
use crate::clock::Clock;
use crate::crawl::politeness::is_loopback;
use crate::crawl::scope::Scope;
use crate::scheduler::End;
use crate::settings::{ProgressMode, Robots, Secret, Settings, StoreUrl};
use crate::store::{CrawlRow, Crawls, SeedRow, Store};
use crate::telemetry::set_resume_command;
use crate::wiring::CrawlError;
use crate::wiring::fleet::{Named, Seeding};
use crate::wiring::joined::{Joined, Standing};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The command that goes on with a crawl of an installation.
pub(in crate::cli) fn resume(name: &str, place: &StoreUrl, index: &Secret) -> String {
    format!("huntsman resume {name}{}{}", shell::frontier_flag(index), shell::store_flag(place))
}

impl Run<'_> {
    /// Runs it to its end, its limit, or a signal, with whoever else belongs to the installation.
    pub(in crate::cli) async fn run_joined(mut self, index: &Secret) -> Result<Ended, Failure> {
        let clock = Clock::start();
        let settings = self.layers.settings()?;
        settings.output.summary_json.as_ref().map_or(Ok(()), check_sink)?;
        let place = settings.place.store_for(&self.name);
        let url = roles::database(&settings.place)?;
        let joined = Joined::open(index.expose(), &url, settings.installation.lease, clock).await?;
        let before = joined.store.crawl(&self.name).await?;
        if let Some(before) = &before {
            self.settle(&before.settings, &place)?;
        }
        let settings = self.layers.settings()?;
        let stored = serde_json::to_string(&self.layers.to_stored()).map_err(anyhow::Error::from)?;
        let resume = resume(&self.name, &place, index);
        set_resume_command(resume.clone());
        let stop = Stop::listen(self.terminal, self.quiet, resume.clone())?;
        let row = joined.store.open_crawl(&self.name, &stored, clock.now()).await?;
        joined.store.change_settings(row.id, &stored).await?;
        let known = joined.store.tally(row.id).await?;
        let seeding = self.accept(&joined, &row, &settings, clock).await?;
        let resumed = before.is_some().then_some(known.open);
        let seeds = joined.store.seeds(row.id).await?;
        self.joined_header(&settings, &seeds, seeding.counts().0, resumed, &place);
        if resumed == Some(0) && seeding.counts().1 == 0 && !self.quiet {
            self.terminal.line(&nothing_left(&self.name));
        }
        let started = clock.now();
        let board = Board::new(&known);
        let (end, failed) = self
            .visit(&joined, &row, &settings, Named::by(row.id, &seeds), &board, &stop)
            .await
            .map_err(|why| Failure::from(why).hint(go_on(&resume)))?;
        let failed = failed.saturating_sub(known.failed);
        let ending = Ending {
            name: &self.name,
            store: &place,
            resume: resume.clone(),
            started,
            finished: clock.now(),
            max_pages: settings.limits.max_pages,
            board: &board,
        };
        let (tally, totals) = (joined.store.tally(row.id).await?, joined.store.totals(row.id).await?);
        let bytes = joined.store.bytes().await.ok();
        let (summary, failed_seeds) = summing::summarize(tally, totals, bytes, &ending, end);
        let code = self.finish(&summary, &failed_seeds, &settings, &stop, end)?;
        match (code, settings.limits.max_errors) {
            (ExitCode::Done, Some(most)) if failed >= most => {
                Err(too_many_errors(&errors_words(failed, most), &resume))
            }
            _ => Ok(Ended { code, summary }),
        }
    }

    /// Accepts the seeds, if any were given.
    async fn accept(
        &mut self,
        joined: &Joined,
        row: &CrawlRow,
        settings: &Settings,
        clock: Clock,
    ) -> Result<Seeding, Failure> {
        let store: &dyn Store = &*joined.store;
        let first = std::mem::take(&mut self.first);
        let Some(seeds) = &mut self.seeds else {
            // Where an earlier run ended before all of them were in, those that are there are crawled.
            let seeding = Seeding::begin(store, row.id, settings, clock).await?;
            seeding.end(store).await?;
            return Ok(seeding);
        };
        roles::accept(store, row.id, settings, first, seeds, clock).await
    }

    /// Runs the roles until the crawl is over; answers with how it ended, and how many of its URLs have failed.
    async fn visit(
        &self,
        joined: &Joined,
        row: &CrawlRow,
        settings: &Settings,
        named: Named,
        board: &Arc<Board>,
        stop: &Stop,
    ) -> Result<(End, u64), CrawlError> {
        let listener = board.listener(self.verbose.map(|detail| (self.terminal.clone(), detail)));
        let mut running = joined.start(self.layers.clone(), named, listener);
        let clock = Clock::start();
        let failed_before = joined.store.tally(row.id).await?.failed;
        let (failed, latest) = (AtomicU64::new(failed_before), Arc::new(Mutex::new(Progress::default())));
        let mode = if self.quiet { ProgressMode::None } else { settings.output.progress };
        let shown = progress::show(mode, self.terminal, clock, {
            let latest = Arc::clone(&latest);
            move || latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
        });
        let most = settings.limits.max_errors.map_or(u64::MAX, |most| failed_before.saturating_add(most));
        let seen = |standing: &Standing| {
            failed.store(standing.tally.failed, Ordering::Relaxed);
            if standing.tally.failed >= most {
                stop.token.cancel();
            }
            *latest.lock().unwrap_or_else(PoisonError::into_inner) = board.standing(standing, clock.now());
        };
        let watched = joined.watch(&self.name, settings.limits.wait, &stop.token, seen);
        let end = tokio::select! {
            end = watched => end?,
            why = running.failed() => return Err(why),
        };
        let end = joined.leave(running, row.id, end).await;
        shown.end().await;
        Ok((end?, failed.into_inner()))
    }

    fn joined_header(
        &self,
        settings: &Settings,
        known: &[SeedRow],
        seeds: u64,
        resumed: Option<u64>,
        place: &StoreUrl,
    ) {
        let mut scope = Scope::new(&settings.scope).expect("the settings were read");
        let mut on_loopback = true;
        for SeedRow { url, scope: kind, named } in known {
            let Ok(seed) = crate::crawl::url::parse(url) else { continue };
            scope.add_seed(&seed, *kind);
            on_loopback &= !named || seed.host_str().is_some_and(is_loopback);
        }
        let header = Header {
            seeds,
            scope: scope.as_words().to_owned(),
            robots: settings.politeness.robots == Robots::Obey,
            delay: settings.politeness.delay.ours(on_loopback),
            max_pages: settings.limits.max_pages,
            data: place.place(),
            resumed,
        };
        self.say_header(&header, settings.network.certificates);
    }
}
