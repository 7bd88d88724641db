//! Pages that may be fetched and whose owner wishes that they be not used: what is done with them.

use crate::crawl::lease::Queued;
use crate::crawl::report::{Outcome, Report};
use crate::crawl::robots::{Purpose, Signals};

/// What is done where `Content-Signal` says no to one of our purposes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnSignal {
    /// The page is stored with what was said.
    #[default]
    Record,
    /// The page is read, and its links followed, but it is not stored.
    SkipStore,
    /// The page is not asked for.
    SkipFetch,
}

/// What is done where a page or its `X-Robots-Tag` says noindex.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnNoindex {
    /// The page is stored with what was said.
    #[default]
    Record,
    /// The page is read, and its links followed as it allows, but it is not stored.
    SkipStore,
}

/// What a crawl does with pages whose owner wishes that they be not used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withholding {
    /// After a signal.
    pub on_signal: OnSignal,
    /// What the pages are for: only what is said of these counts.
    pub purposes: Vec<Purpose>,
    /// After noindex.
    pub on_noindex: OnNoindex,
}

const SIGNAL: &str = "content-signal";
const NOINDEX: &str = "noindex";

impl Withholding {
    /// The reasons of `skipped` and `urls`.
    pub const REASONS: [&str; 2] = [SIGNAL, NOINDEX];

    /// Why `url` is not asked for; a sitemap is no content and always is.
    pub fn before(&self, url: &Queued, signals: Signals) -> Option<Outcome> {
        (self.on_signal == OnSignal::SkipFetch && url.origin.sitemap.is_none())
            .then(|| self.refused(signals))
            .flatten()
    }

    /// Writes the signals into what is stored, or withholds it.
    pub fn after(&self, report: &mut Report, signals: Signals) {
        let Outcome::Stored(stored) = &mut report.outcome else { return };
        stored.signals = signals;
        let refused = (self.on_signal != OnSignal::Record).then(|| self.refused(signals)).flatten();
        let noindex = self.on_noindex == OnNoindex::SkipStore && stored.page.robots.noindex;
        let noindex = noindex.then(|| {
            let detail = "robots meta or X-Robots-Tag of the page".to_owned();
            Outcome::Withheld { reason: NOINDEX, detail }
        });
        if let Some(outcome) = refused.or(noindex) {
            report.outcome = outcome;
        }
    }

    fn refused(&self, signals: Signals) -> Option<Outcome> {
        let detail = format!("robots.txt says {}", signals.refusal(&self.purposes)?);
        Some(Outcome::Withheld { reason: SIGNAL, detail })
    }
}
