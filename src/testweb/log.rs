//! Who asked what, and when: what a crawler's manners are judged from.

use std::{
    fs::File,
    io::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer};

use super::Settings;

/// Most requests the log in memory keeps: the first ones. The file has no such bound.
pub const LOG_REQUESTS: usize = 1_000_000;

/// Most bytes of a path that are kept.
const PATH_BYTES: usize = 2_048;

/// One request, as it arrived.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// Host and port that were asked: the host key.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// Arrival, counted from the start of the web: the moment the end of the request's head was read. In JSON a
    /// number of seconds.
    #[serde(serialize_with = "as_seconds")]
    pub at: Duration,
    /// Status of the answer; `None` where the connection was closed instead.
    pub status: Option<u16>,
}

fn as_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

/// Called with each request at its arrival, on the thread that serves it.
pub type Callback = Arc<dyn Fn(&Request) + Send + Sync>;

/// Where requests are noted.
pub(super) struct Log {
    start: Instant,
    requests: AtomicU64,
    kept: Option<Mutex<Vec<Request>>>,
    /// Written without a buffer of ours, so that each line is with the system before its answer is sent.
    file: Option<Mutex<File>>,
    callback: Option<Callback>,
}

impl Log {
    pub(super) fn open(settings: &Settings, callback: Option<Callback>) -> io::Result<Self> {
        let file = settings.log_file.as_ref().map(File::create).transpose()?;
        Ok(Self {
            start: now(),
            requests: AtomicU64::new(0),
            kept: settings.log.then(Mutex::default),
            file: file.map(Mutex::new),
            callback,
        })
    }

    /// The time to note for what is read at this moment.
    pub(super) fn arrival(&self) -> Duration {
        if self.is_wanted() { now().duration_since(self.start) } else { Duration::ZERO }
    }

    fn is_wanted(&self) -> bool {
        self.kept.is_some() || self.file.is_some() || self.callback.is_some()
    }

    pub(super) fn note(&self, host: &str, path: &str, at: Duration, status: Option<u16>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !self.is_wanted() {
            return;
        }
        let path = &path[..path.floor_char_boundary(PATH_BYTES)];
        let request = Request { host: host.to_owned(), path: path.to_owned(), at, status };
        if let Some(callback) = &self.callback {
            callback(&request);
        }
        if let Some(file) = &self.file {
            let mut line = serde_json::to_vec(&request).expect("a request has only strings and numbers");
            line.push(b'\n');
            let written = file.lock().expect("nobody panics while holding it").write_all(&line);
            if let Err(error) = written {
                tracing::error!(%error, "failed to write a line of the request log");
            }
        }
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().expect("nobody panics while holding it");
            if kept.len() < LOG_REQUESTS {
                kept.push(request);
            }
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn kept(&self) -> Vec<Request> {
        let kept = self.kept.as_ref().map(|kept| kept.lock().expect("nobody panics while holding it"));
        kept.map(|kept| kept.clone()).unwrap_or_default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the web has a clock of its own: it judges that of the crawler"
)]
fn now() -> Instant {
    Instant::now()
}
