//! What the program says of itself on standard error: log lines, and the terminal they share with the live line.

pub mod escape;
mod line;
pub(crate) mod live;
mod panic;
mod terminal;

pub use panic::{install_panic_hook, set_resume_command};
pub use terminal::{Colours, Event, Paint, Terminal};

use crate::clock::Clock;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;

/// How log events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line, for machines.
    Json,
}

/// What is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// How it is written.
    pub format: LogFormat,
    /// The least level: `-q` ERROR, else WARN, `-v` INFO, `-vv` DEBUG, `-vvv` TRACE.
    pub level: LevelFilter,
    /// Directives of `HUNTSMAN_LOG`, which go over the level: `debug`, or `huntsman::fetch=trace,warn`.
    pub directives: Option<String>,
}

impl Logging {
    /// The level for `-q` and a number of `-v`.
    pub fn level_for(quiet: bool, verbose: u8) -> LevelFilter {
        match (quiet, verbose) {
            (true, _) => LevelFilter::ERROR,
            (_, 0) => LevelFilter::WARN,
            (_, 1) => LevelFilter::INFO,
            (_, 2) => LevelFilter::DEBUG,
            (_, _) => LevelFilter::TRACE,
        }
    }

    fn filter(&self) -> Result<EnvFilter, ParseError> {
        match &self.directives {
            Some(directives) => {
                EnvFilter::builder().with_default_directive(self.level.into()).parse(directives)
            }
            // Libraries are heard only when something is wrong; what they say at INFO is not about the crawl.
            None => EnvFilter::builder().parse(format!("warn,huntsman={}", self.level)),
        }
    }
}

/// Starts logging to `terminal`, for the whole process. An error is a `HUNTSMAN_LOG` that does not parse.
pub fn start(logging: &Logging, terminal: &Terminal, clock: Clock) -> Result<(), ParseError> {
    let subscriber = subscriber(logging, terminal.clone(), terminal.paint(), clock)?;
    // Fails only where logging was started before: in tests.
    _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn subscriber<W>(
    logging: &Logging,
    writer: W,
    paint: Paint,
    clock: Clock,
) -> Result<Box<dyn Subscriber + Send + Sync>, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let base = tracing_subscriber::fmt().with_env_filter(logging.filter()?).with_writer(writer);
    Ok(match logging.format {
        LogFormat::Text => Box::new(base.event_format(line::Line { clock, paint }).finish()),
        LogFormat::Json => Box::new(base.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::time::Timestamp;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: LevelFilter, directives: Option<&str>) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let logging = Logging { format, level, directives: directives.map(Into::into) };
        let clock = Clock::start_at(Timestamp::from_millis(1_000));
        let subscriber = subscriber(&logging, move || writer.clone(), Paint::default(), clock).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(
                url = "http://h/\x1b[31m",
                status = 503,
                why = "two words",
                "host is \u{202e}quiet"
            );
            tracing::info!("a page");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_shows_hostile_values_and_keeps_its_level() {
        assert_eq!(
            logged(LogFormat::Text, LevelFilter::WARN, None),
            "1970-01-01T00:00:01Z WARN host is \\u{202e}quiet url=http://h/\\u{1b}[31m status=503 why=\"two words\"\n"
        );
        let verbose = logged(LogFormat::Text, Logging::level_for(false, 1), None);
        assert!(verbose.ends_with("1970-01-01T00:00:01Z INFO a page\n"), "{verbose}");
        assert_eq!(logged(LogFormat::Text, LevelFilter::WARN, Some("error")), "");
        assert_eq!(logged(LogFormat::Text, Logging::level_for(true, 0), None), "");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, LevelFilter::INFO, None);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["url"], "http://h/\x1b[31m");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn directives_that_do_not_parse_are_an_error() {
        let logging = Logging {
            format: LogFormat::Text,
            level: LevelFilter::WARN,
            directives: Some("huntsman=loud".into()),
        };
        assert!(logging.filter().is_err());
    }
}
