//! A server that keeps every request with its fields. Asked for absolute URLs it is a proxy, so that a test can name
//! any host.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `http://host/path`.
    pub(crate) url: String,
    /// The first line.
    pub(crate) line: String,
    /// Field names in small letters, with their values.
    pub(crate) fields: Vec<(String, String)>,
    /// Requests that were being answered at that moment, this one included.
    pub(crate) together: usize,
}

impl Asked {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: String,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, fields: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, fields: fields.to_owned(), body: body.into(), after: Duration::ZERO }
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "Content-Type: text/html\r\n", body)
    }

    /// A page with links to `urls`.
    pub(crate) fn links(urls: &[&str]) -> Self {
        let links: Vec<String> = urls.iter().map(|url| format!("<a href='{url}'>x</a>")).collect();
        Self::html(format!("<title>t</title>{}", links.concat()))
    }

    pub(crate) fn robots(text: &str) -> Self {
        Self::new(200, "Content-Type: text/plain\r\n", text)
    }

    pub(crate) fn gone() -> Self {
        Self::new(404, "", "")
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// Listens on a free port of loopback until the test process ends.
pub(crate) struct Origin {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<Asked>>>,
}

type Answer = dyn Fn(&str, &str) -> Reply + Send + Sync;

impl Origin {
    /// Answers by host (as the request names it) and path.
    pub(crate) fn start(answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (shared, together, answer) =
            (Arc::clone(&log), Arc::new(AtomicUsize::new(0)), Arc::new(answer) as Arc<Answer>);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, together, answer) =
                    (Arc::clone(&shared), Arc::clone(&together), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, &log, &together, &*answer));
            }
        });
        Self { port, log }
    }

    /// The same for every host, without a robots.txt.
    pub(crate) fn site(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |_, path| if path == "/robots.txt" { Reply::gone() } else { answer(path) })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// As the value of `--proxy`.
    pub(crate) fn proxy(&self) -> String {
        self.url("")
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    /// The paths that were asked for in their order, robots.txt left out.
    pub(crate) fn pages(&self) -> Vec<String> {
        let base = self.url("");
        let asked = self.log().into_iter().filter(|asked| !asked.url.ends_with("/robots.txt"));
        asked.map(|asked| asked.url.strip_prefix(&base).unwrap_or(&asked.url).to_owned()).collect()
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Asked>>, together: &AtomicUsize, answer: &Answer) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(line) = lines.next() {
        let fields: Vec<(String, String)> = lines
            .by_ref()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            })
            .collect();
        let target = line.split(' ').nth(1).unwrap_or("/");
        let host = fields.iter().find(|(name, _)| name == "host").map_or("", |(_, host)| host).to_owned();
        let path = target.strip_prefix("http://").map_or(target, |rest| &rest[rest.find('/').unwrap_or(0)..]);
        let reply = answer(&host, path);
        let now = together.fetch_add(1, Ordering::SeqCst) + 1;
        let url = format!("http://{host}{path}");
        log.lock().unwrap().push(Asked { url, line: line.clone(), fields, together: now });
        std::thread::sleep(reply.after);
        let head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n",
            reply.status,
            reply.body.len(),
            reply.fields
        );
        // Before the answer is out: its reader may ask again at once.
        together.fetch_sub(1, Ordering::SeqCst);
        let sent = (&*stream).write_all(&[head.as_bytes(), &reply.body].concat());
        if sent.is_err() {
            return;
        }
    }
}
