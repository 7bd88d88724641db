//! A log event as one line for people: `14:31:00 WARN what happened url=... status=503`.

use super::escape::visible;
use super::terminal::Paint;
use crate::clock::Clock;
use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Formats events; every value passes through [`visible`], since many come from the web.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) clock: Clock,
    pub(super) paint: Paint,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let at = self.clock.now().to_string();
        // `2026-11-23T14:31:00.123Z`: the seconds are enough beside a live line.
        let seconds = at.get(..19).unwrap_or(&at);
        write!(out, "{seconds}Z {} ", level(*event.metadata().level(), self.paint))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        out.write_str(&fields.message)?;
        out.write_str(&fields.rest)?;
        writeln!(out)
    }
}

fn level(level: Level, paint: Paint) -> String {
    match level {
        Level::ERROR => paint.red("ERROR"),
        Level::WARN => paint.yellow("WARN"),
        Level::INFO => "INFO".to_owned(),
        other => paint.dim(other.as_str()),
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str) {
        let value = visible(value);
        if field.name() == "message" {
            self.message.push_str(&value);
        } else if value.is_empty() || value.contains([' ', '"', '=']) {
            _ = write!(self.rest, " {}={:?}", field.name(), value);
        } else {
            _ = write!(self.rest, " {}={value}", field.name());
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}
