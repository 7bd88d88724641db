//! The laws: what is looked for, and what to do where it is found.

use super::imports::{backends, strangers};
use super::source::{Source, end_of_block, is_a, line_at, places};

/// A law about one file.
pub(super) struct Law {
    /// Its name, as the proofs call it.
    pub(super) name: &'static str,
    /// What to do where it is broken.
    advice: &'static str,
    /// Lines that break it, with what is wrong there.
    broken: fn(&Source) -> Vec<(usize, String)>,
}

impl Law {
    /// What breaks this law in a file, each with its place and what to do.
    pub(super) fn broken_by(&self, source: &Source) -> Vec<String> {
        let line = |(line, what): (usize, String)| {
            format!("{}:{line}: {what} ({}): {}", source.path, self.name, self.advice)
        };
        (self.broken)(source).into_iter().map(line).collect()
    }
}

/// Most lines of a file.
const FILE_LINES: usize = 700;
/// Most lines of a function, from its name to its last brace.
const FUNCTION_LINES: usize = 100;
/// Words that say nothing about a type.
const EMPTY_WORDS: [&str; 8] =
    ["Manager", "Handler", "Helper", "Util", "Utils", "Processor", "Service", "Context"];

pub(super) const LAWS: &[Law] = &[
    Law {
        name: "imports",
        advice: "arrows point to `crawl`; take a value or a port as an argument, or do this in `wiring`",
        broken: strangers,
    },
    Law {
        name: "backends",
        advice: "know the port (`dyn Store`, `dyn Leases`, `dyn Fetch`) and let `wiring` bring the backend",
        broken: backends,
    },
    Law {
        name: "pure rules",
        advice: "`crawl` does no I/O, has no async and asks no clock: take the answer as an argument",
        broken: |source| match source.module() {
            Some("crawl") => words(
                &source.product,
                &[
                    "tokio",
                    "sqlx",
                    "reqwest",
                    "hyper",
                    "async",
                    "await",
                    "std::fs",
                    "std::io",
                    "std::thread",
                    "std::process",
                    "TcpStream",
                    "Clock",
                ],
            ),
            _ => Vec::new(),
        },
    },
    Law {
        name: "sql",
        advice: "only backends below `src/store` speak SQL; add a method to the store's port",
        broken: |source| match source.module() {
            Some("store") | None => Vec::new(),
            Some(_) => words(&source.product, &["sqlx"]),
        },
    },
    Law {
        name: "one client",
        advice: "requests leave through the port `fetch::Fetch`; `src/fetch/http.rs` builds the only client",
        broken: |source| {
            let mut found = Vec::new();
            if source.module().is_some_and(|module| module != "fetch") {
                found = words(&source.product, &["reqwest"]);
            }
            if source.path != "src/fetch/http.rs" {
                found.extend(words(
                    &source.product,
                    &["Client::builder", "reqwest::Client::new", "ClientBuilder"],
                ));
            }
            found
        },
    },
    Law {
        name: "no second way out",
        advice: "ask through the port `fetch::Fetch`, whose addresses pass the guard; only the index and the store have connections \
                 of their own, to where the operator said",
        broken: |source| match source.module() {
            // What listens takes streams and opens none.
            Some("fetch") | None => Vec::new(),
            Some("testweb") => words(&source.product, WAYS_OUT),
            Some(_) => words(&source.product, &[WAYS_OUT, &["TcpStream", "UdpSocket"]].concat()),
        },
    },
    Law {
        name: "clock",
        advice: "time is an argument; ask `clock::Clock`. Tests and servers of ours that measure real time say so with \
                 #[expect(clippy::disallowed_methods, reason = ...)]",
        broken: |source| {
            doors(
                source,
                "src/clock.rs",
                &[
                    "Instant::now",
                    "SystemTime::now",
                    "Utc::now",
                    "Local::now",
                    "Zoned::now",
                    "jiff::Timestamp::now",
                ],
            )
        },
    },
    Law {
        name: "environment",
        advice: "a setting comes from `settings`, another variable through `settings::environment::variable`",
        broken: |source| {
            doors(
                source,
                "src/settings/environment.rs",
                &["env::var", "env::vars", "env::var_os", "env::vars_os", "env::set_var", "option_env!"],
            )
        },
    },
    Law {
        name: "no allow",
        advice: "write #[expect(..., reason = \"...\")], which complains once it is needed no more",
        broken: |source| words(&source.code, &["#[allow(", "#![allow("]),
    },
    Law {
        name: "no unwrap",
        advice: "return the error, or `expect` with why it cannot happen",
        broken: |source| words(&source.product, &[".unwrap()", ".unwrap_err()"]),
    },
    Law {
        name: "no unsafe",
        advice: "find the safe way; the crate forbids it",
        broken: |source| words(&source.code, &["unsafe"]),
    },
    Law {
        name: "purpose",
        advice: "open the file with `//!` and its one purpose",
        broken: |source| {
            let is_code = is_a(&source.path, "rs");
            let has =
                source.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 10);
            if is_code && !has {
                vec![(1, "the file does not say what it is for".into())]
            } else {
                Vec::new()
            }
        },
    },
    Law {
        name: "short files",
        advice: "split it where its purpose splits",
        broken: |source| {
            let lines = source.text.lines().count();
            if lines > FILE_LINES { vec![(lines, format!("{lines} lines"))] } else { Vec::new() }
        },
    },
    Law {
        name: "short functions",
        advice: "a function fits a screen; name its steps",
        broken: long_functions,
    },
    Law { name: "names", advice: "use a word of the field that says what it is", broken: empty_names },
    Law {
        name: "statements",
        advice: "begin the .sql file, or the predicate that matters, with a `--` comment: what it promises",
        broken: |source| {
            let is_sql = is_a(&source.path, "sql");
            let says = source
                .text
                .lines()
                .any(|line| line.trim_start().strip_prefix("--").is_some_and(|text| text.trim().len() > 10));
            if is_sql && !says { vec![(1, "the statement has no comment".into())] } else { Vec::new() }
        },
    },
];

/// What opens a connection, or finds out where one would lead.
const WAYS_OUT: &[&str] = &[
    "reqwest",
    "hyper",
    "ureq",
    "isahc",
    "curl",
    "h2::client",
    "TcpStream::connect",
    "TcpSocket",
    "connect_timeout(",
    "UdpSocket",
    "UnixStream",
    "TlsConnector",
    "ClientConfig",
    "getaddrinfo",
    "dns_lookup",
    "lookup_host",
    "ToSocketAddrs",
    "to_socket_addrs",
    "std::process::Command",
];

fn words(code: &str, words: &[&str]) -> Vec<(usize, String)> {
    let found = |word: &&str| {
        places(code, word).map(|at| (line_at(code, at), format!("`{word}`"))).collect::<Vec<_>>()
    };
    words.iter().flat_map(found).collect()
}

/// Words that only one file may use; elsewhere the line or one of the three before must say that it is expected.
fn doors(source: &Source, door: &str, banned: &[&str]) -> Vec<(usize, String)> {
    if source.path == door {
        return Vec::new();
    }
    let lines: Vec<&str> = source.code.lines().collect();
    let is_expected = |line: usize| {
        let near = &lines[line.saturating_sub(6)..line];
        near.iter().any(|line| line.contains("clippy::disallowed_methods"))
    };
    let is_test = source.path.starts_with("tests/") || source.path.ends_with("/tests.rs");
    let outside = is_test || source.path.starts_with("src/testweb/");
    words(&source.code, banned).into_iter().filter(|(line, _)| !(outside && is_expected(*line))).collect()
}

fn long_functions(source: &Source) -> Vec<(usize, String)> {
    let code = &source.code;
    let long = |at: usize| {
        let lines = line_at(code, end_of_block(code, at)?) - line_at(code, at) + 1;
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (lines > FUNCTION_LINES && !name.is_empty())
            .then(|| (line_at(code, at), format!("`{name}` has {lines} lines")))
    };
    places(code, "fn ").filter_map(long).collect()
}

fn empty_names(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for kind in ["struct ", "enum ", "trait "] {
        for at in places(&source.code, kind) {
            let name = source.code[at + kind.len()..].split(|c: char| !c.is_alphanumeric()).next();
            let name = name.unwrap_or_default();
            if EMPTY_WORDS.iter().any(|word| name.ends_with(word)) {
                found.push((line_at(&source.code, at), format!("`{name}`")));
            }
        }
    }
    let file = source.path.rsplit('/').next().unwrap_or_default();
    if EMPTY_WORDS.iter().any(|word| file.trim_end_matches(".rs").ends_with(&word.to_lowercase())) {
        found.push((1, format!("the file `{file}`")));
    }
    found
}
