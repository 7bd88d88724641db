//! The network of a row: one listener for all addresses, the site that leads astray, and the program run against them.

use super::names::{self, Book};
use crate::program::run;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Where the public sites are: the only addresses that may be asked.
pub(super) const PUBLIC: [u8; 3] = [93, 184, 216];
/// Where the names of a row lead that are not told otherwise.
const SITE: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));

/// What was connected to, and what was asked of the public sites.
#[derive(Default)]
pub(super) struct Log {
    /// Addresses that must not be asked, with the name in the request.
    astray: BTreeSet<String>,
    asked: BTreeSet<String>,
    connections: u64,
}

impl Log {
    /// From here on, what was connected to before counts no more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// A network in which a site leads to each of `forms`, which are hosts as they stand in a URL.
pub(super) struct Network {
    pub(super) log: Arc<Mutex<Log>>,
    pub(super) answers: Arc<AtomicU64>,
    forms: Vec<String>,
}

impl Network {
    /// The network, where `book` says where names lead; what it does not know leads to the site.
    pub(super) fn new(
        forms: &[&str],
        ports: &[u16],
        book: impl Fn(&str, bool) -> Option<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        let book: Arc<Book> = Arc::new(move |name: &str, v6| book(name, v6).unwrap_or_else(|| vec![SITE]));
        let answers = names::serve(book);
        let log = Arc::new(Mutex::new(Log::default()));
        let forms: Vec<String> = forms.iter().map(|form| (*form).to_owned()).collect();
        for port in ports {
            // Takes IPv4 connections, too.
            let listener = TcpListener::bind(("::", *port)).unwrap();
            let (log, forms) = (Arc::clone(&log), forms.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let (log, forms) = (Arc::clone(&log), forms.clone());
                    std::thread::spawn(move || serve(&stream, &log, &forms));
                }
            });
        }
        Self { log, answers, forms }
    }

    /// Goes every way in with these flags; answers with who was connected to that must not be.
    pub(super) fn every_way_in(&self, flags: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let robots: Vec<String> =
            (0..self.forms.len()).map(|n| format!("http://robots-{n}.example/")).collect();
        let redirects: Vec<String> =
            (0..self.forms.len()).map(|n| format!("http://site.example/to/{n}")).collect();
        std::fs::write(
            folder.path().join("seeds"),
            [&robots[..], &["http://site.example/".into()]].concat().join("\n"),
        )
        .unwrap();
        let crawl = [
            "crawl",
            "seeds",
            "--name",
            "t",
            "--scope",
            "any",
            "--sitemaps",
            "--delay",
            "0s",
            "--wait",
            "0s",
            "--retries",
            "0",
            "--timeout",
            "5s",
        ];
        let output = run(folder.path(), &[&crawl[..], flags].concat());
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
        let asked = |urls: &[String], command: &[&str]| {
            let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
            let also = ["--timeout", "5s"];
            run(folder.path(), &[command, &urls, &also, flags].concat());
        };
        asked(&redirects, &["fetch", "--follow", "--delay", "0s", "--wait", "0s", "--retries", "0"]);
        asked(&robots, &["robots"]);
        let log = self.log.lock().unwrap();
        for n in 0..self.forms.len() {
            for part in [format!("robots-{n}.example/robots.txt"), format!("site.example/to/{n}")] {
                assert!(log.asked.contains(&part), "{part} was not asked for: {:?}", log.asked);
            }
        }
        assert!(log.asked.contains("site.example/map.xml"), "{:?}", log.asked);
        log.astray.iter().cloned().collect()
    }

    /// The same where nobody must be connected to; says what was shown.
    #[track_caller]
    pub(super) fn nobody(&self, row: &str, flags: &[&str]) {
        let astray = self.every_way_in(flags);
        assert_eq!(astray, Vec::<String>::new(), "{row} {flags:?}");
        let connections = self.log.lock().unwrap().connections;
        let (forms, answers) = (self.forms.len(), self.answers.load(Ordering::Relaxed));
        println!(
            "shown: {row}: {forms} forms, {connections} connections to public addresses, 0 to others, {answers} answers of the resolver {flags:?}"
        );
    }

    /// Runs one command; who was connected to that must not be.
    pub(super) fn after(&self, folder: &Path, arguments: &[&str]) -> (std::process::Output, Vec<String>) {
        let output = run(folder, arguments);
        (output, self.log.lock().unwrap().astray.iter().cloned().collect())
    }
}

impl Network {
    /// Who was connected to that must not be.
    pub(super) fn log_of_astray(&self) -> Vec<String> {
        self.log.lock().unwrap().astray.iter().cloned().collect()
    }

    /// What was asked for: host and path, or what a proxy is told.
    pub(super) fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().asked.iter().cloned().collect()
    }
}

/// Whether an address may be asked in these networks.
fn is_public(address: SocketAddr) -> bool {
    matches!(address.ip().to_canonical(), IpAddr::V4(v4) if v4.octets()[..3] == PUBLIC)
}

fn serve(stream: &TcpStream, log: &Mutex<Log>, forms: &[String]) {
    let Ok(address) = stream.local_addr() else { return };
    log.lock().unwrap().connections += 1;
    if !is_public(address) {
        // A connection alone is one too many, whatever is asked.
        log.lock().unwrap().astray.insert(address.ip().to_canonical().to_string());
    }
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        let mut host = String::new();
        while let Some(Ok(line)) =
            lines.next().filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        {
            if let Some(name) = line.to_ascii_lowercase().strip_prefix("host: ") {
                name.clone_into(&mut host);
            }
        }
        let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
        log.lock().unwrap().asked.insert(format!("{host}{path}"));
        let answer = page(&host, &path, forms);
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn page(host: &str, path: &str, forms: &[String]) -> String {
    let answer = |status: u16, head: &str, body: &str| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{head}\r\n{body}", body.len())
    };
    let html = |body: &str| answer(200, "Content-Type: text/html\r\n", body);
    let moved = |to: &str| answer(302, &format!("Location: {to}\r\n"), "");
    let number = |text: &str| text.parse::<usize>().ok().and_then(|n| forms.get(n));
    if let Some(form) = host.strip_prefix("robots-").and_then(|rest| number(rest.split('.').next()?)) {
        return match path {
            "/robots.txt" => moved(&format!("http://{form}/robots.txt")),
            _ => html("x"),
        };
    }
    match path {
        "/robots.txt" if host == "site.example" => {
            let named = forms
                .iter()
                .map(|form| format!("Sitemap: http://{form}/s.xml\n"))
                .collect::<Vec<_>>()
                .concat();
            answer(
                200,
                "Content-Type: text/plain\r\n",
                &format!("{named}Sitemap: http://site.example/map.xml\n"),
            )
        }
        "/map.xml" => {
            let listed = forms
                .iter()
                .map(|form| format!("<url><loc>http://{form}/m</loc></url>"))
                .collect::<Vec<_>>()
                .concat();
            answer(200, "Content-Type: application/xml\r\n", &format!("<urlset>{listed}</urlset>"))
        }
        "/" if host == "site.example" => {
            let each = |(n, form): (usize, &String)| {
                format!(
                    "<a href='http://{form}/l'>x</a><a href='/to/{n}'>y</a><img src='http://{form}/i'><iframe src='http://{form}/f'></iframe>"
                )
            };
            html(&forms.iter().enumerate().map(each).collect::<String>())
        }
        _ => match path.strip_prefix("/to/").and_then(number) {
            Some(form) => moved(&format!("http://{form}/r")),
            None => html("x"),
        },
    }
}
