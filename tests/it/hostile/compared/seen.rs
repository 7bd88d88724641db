//! What is asked of a run when it is judged, and the verdicts.

use super::cases::Stage;
use super::crawler::{Ending, Page, Run};
use crate::hostile::site::Asked;
use std::fmt;

/// What came of a case for a crawler, with the number that shows it.
pub(super) enum Verdict {
    Right(String),
    Wrong(String),
    /// It cannot be seen.
    None(&'static str),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right(why) => write!(f, "right: {why}"),
            Self::Wrong(why) => write!(f, "**wrong**: {why}"),
            Self::None(why) => write!(f, "- {why}"),
        }
    }
}

impl Verdict {
    /// Right where this holds.
    pub(super) fn when(is_right: bool, what: impl Into<String>) -> Self {
        if is_right { Self::Right(what.into()) } else { Self::Wrong(what.into()) }
    }
}

/// One run on one stage.
pub(super) struct Seen<'c> {
    pub(super) crawler: &'c str,
    pub(super) stage: Stage,
    pub(super) run: Run,
}

impl Seen<'_> {
    /// Right where this holds and the crawler came to its end by itself.
    pub(super) fn ended_and(&self, is_right: bool, what: impl Into<String>) -> Verdict {
        let what = what.into();
        match &self.run.ending {
            Ending::Itself => Verdict::when(is_right, what),
            Ending::Stopped => Verdict::Wrong(format!("still busy after {:.0} s; {what}", self.run.seconds)),
            Ending::Killed => {
                Verdict::Wrong(format!("busy after {:.0} s, deaf to SIGTERM", self.run.seconds))
            }
            Ending::Crash(how) => Verdict::Wrong(format!("ended: {how}; {what}")),
        }
    }

    /// Requests for pages.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let all = self.stage.site.log().into_iter();
        all.filter(|asked| asked.path != "/robots.txt" && asked.path != "/sitemap.xml").collect()
    }

    /// How often a path was asked for.
    pub(super) fn times(&self, path: &str) -> usize {
        self.stage.site.log().iter().filter(|asked| asked.path == path).count()
    }

    /// The largest number of requests for one page.
    pub(super) fn repeats(&self) -> usize {
        let asked = self.asked();
        asked.iter().map(|one| self.times(&one.path)).max().unwrap_or_default()
    }

    /// Those of `paths` that were asked for.
    pub(super) fn of(&self, paths: &[&str]) -> Vec<String> {
        paths.iter().filter(|path| self.times(path) > 0).map(|path| (*path).to_owned()).collect()
    }

    /// The page at a path, as it was handed over.
    pub(super) fn page(&self, path: &str) -> Option<&Page> {
        self.run.pages.iter().find(|page| page.path == path)
    }

    /// How many of the seeds were handed over as whole pages.
    pub(super) fn whole(&self) -> usize {
        (0..self.stage.seeds.len())
            .filter(|n| self.page(&format!("/{n}")).is_some_and(|page| !page.cut))
            .count()
    }

    /// How many of the seeds were handed over with this title.
    pub(super) fn titled(&self, title: &str) -> usize {
        let has = |n: &usize| self.page(&format!("/{n}")).is_some_and(|page| page.title == title);
        (0..self.stage.seeds.len()).filter(has).count()
    }

    /// MiB that the client took.
    pub(super) fn taken(&self) -> u64 {
        self.stage.site.taken() >> 20
    }
}
