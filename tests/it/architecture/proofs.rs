//! Each law on small snippets: those that break it and those that do not, so that no law is a law on paper.

use super::imports::{MODULES, paths};
use super::laws::LAWS;
use super::source::Source;

/// A law, a file, and a text that breaks it there.
fn bad() -> Vec<(&'static str, &'static str, String)> {
    let text = |text: &str| text.to_owned();
    let long = format!("fn f() {{\n{}}}\n", "    x();\n".repeat(120));
    vec![
        ("imports", "src/crawl/url.rs", text("use crate::parse::Page;")),
        ("imports", "src/crawl/url.rs", text("use crate::clock::Clock;")),
        ("imports", "src/crawl/url.rs", text("fn f() { crate::store::open() }")),
        ("imports", "src/parse/mod.rs", text("use crate::{crawl::page::Page, fetch::{self, Fetch}};")),
        ("imports", "src/store/sqlite/rows.rs", text("use crate::frontier::Ack;")),
        ("imports", "src/frontier/mod.rs", text("use crate::store::Store;")),
        ("imports", "src/node/mod.rs", text("use crate::store::Store;")),
        ("imports", "src/node/mod.rs", text("use crate::wiring::embedded;")),
        ("imports", "src/wiring.rs", text("use crate::cli::Cli;")),
        ("imports", "src/testweb/web.rs", text("use crate::crawl::url;")),
        ("imports", "src/crawl/page/links.rs", text("use super::super::super::store::Store;")),
        ("imports", "src/newcomer.rs", text("//! A module without a rule.")),
        ("backends", "src/scheduler/mod.rs", text("use crate::frontier::memory::MemoryFrontier;")),
        ("backends", "src/storage/mod.rs", text("use crate::store::{Store, sqlite::SqliteStore};")),
        ("backends", "src/node/visiting.rs", text("let c = crate::fetch::http::HttpClient::new();")),
        ("backends", "src/settings/mod.rs", text("use crate::fetch::http::Certificates;")),
        ("pure rules", "src/crawl/retry.rs", text("pub async fn f() {}")),
        ("pure rules", "src/crawl/retry.rs", text("use tokio::sync::Mutex;")),
        ("pure rules", "src/crawl/retry.rs", text("let text = std::fs::read(\"x\");")),
        ("sql", "src/storage/mod.rs", text("use sqlx::Row;")),
        ("one client", "src/node/mod.rs", text("let c = reqwest::Client::new();")),
        ("one client", "src/fetch/guard.rs", text("let c = Client::builder().build();")),
        ("no second way out", "src/node/mod.rs", text("let c = tokio::net::TcpStream::connect(at).await?;")),
        ("no second way out", "src/cli/fetch.rs", text("use hyper::client::conn::http1;")),
        ("no second way out", "src/wiring.rs", text("use std::net::{TcpStream, SocketAddr};")),
        ("no second way out", "src/testweb/server.rs", text("let s = TcpSocket::new_v4()?;")),
        ("no second way out", "src/cli/robots.rs", text("let all = (host, 80).to_socket_addrs()?;")),
        ("clock", "src/node/mod.rs", text("let now = Instant::now();")),
        (
            "clock",
            "src/node/mod.rs",
            text(
                "#[expect(clippy::disallowed_methods, reason = \"\")]\nlet now = std::time::SystemTime::now();",
            ),
        ),
        ("clock", "benches/peers/src/main.rs", text("let now = tokio::time::Instant::now();")),
        ("clock", "tests/it/program/mod.rs", text("let now = Instant::now();")),
        ("environment", "src/cli/mod.rs", text("let home = std::env::var(\"HOME\");")),
        ("environment", "tests/it/main.rs", text("let home = env::var_os(\"HOME\");")),
        ("no allow", "src/node/mod.rs", text("#[allow(dead_code)]\nfn f() {}")),
        ("no allow", "tests/it/main.rs", text("#![allow(unused)]")),
        ("no unwrap", "src/node/mod.rs", text("fn f() { x.unwrap(); }")),
        (
            "no unwrap",
            "src/node/mod.rs",
            text("#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { x.unwrap(); }"),
        ),
        ("no unsafe", "src/node/mod.rs", text("fn f() { unsafe { g() } }")),
        ("purpose", "src/node/mod.rs", text("use std::fmt;")),
        ("purpose", "src/node/mod.rs", text("//! x")),
        ("short files", "src/node/mod.rs", "//\n".repeat(701)),
        ("short functions", "src/node/mod.rs", long),
        ("names", "src/node/mod.rs", text("pub struct LeaseManager;")),
        ("names", "src/node/utils.rs", text("")),
        ("statements", "src/store/sqlite/sql/x.sql", text("SELECT 1")),
    ]
}

/// What looks like a breach and is none.
const GOOD: &[(&str, &str, &str)] = &[
    ("imports", "src/crawl/url.rs", "// see crate::clock\nuse crate::crawl::{host::HostKey, lease::Lease};"),
    ("imports", "src/crawl/url.rs", "#[cfg(test)]\nmod tests {\n    use crate::parse::parse;\n}"),
    ("imports", "src/crawl/assess/tests.rs", "use crate::parse::parse;"),
    ("imports", "src/crawl/page/links.rs", "use super::super::url::UrlKey;"),
    ("imports", "src/fetch/http.rs", "use crate::clock::Clock;"),
    ("imports", "src/cli/running.rs", "use crate::store::sqlite::SqliteStore;"),
    ("backends", "src/wiring/embedded.rs", "use crate::store::sqlite::SqliteStore;"),
    ("backends", "src/store/sqlite/rows.rs", "use crate::store::sqlite::reader::Value;"),
    ("backends", "src/scheduler/mod.rs", "use crate::frontier::Front;"),
    ("pure rules", "src/crawl/retry.rs", "/// Not async, and awaits nothing.\nfn asynchronous() {}"),
    ("pure rules", "src/node/mod.rs", "pub async fn f() {}"),
    ("sql", "src/store/sqlite/rows.rs", "use sqlx::Row;"),
    ("no second way out", "src/testweb/connection.rs", "fn serve(stream: TcpStream) {}"),
    ("no second way out", "src/fetch/resolve.rs", "dns_lookup::getaddrinfo(host, None, hints)"),
    ("one client", "src/fetch/http.rs", "let c = reqwest::Client::builder();"),
    ("clock", "src/clock.rs", "let now = Instant::now();"),
    (
        "clock",
        "tests/it/x.rs",
        "#[expect(clippy::disallowed_methods, reason = \"\")]\nlet now = Instant::now();",
    ),
    ("environment", "src/settings/environment.rs", "std::env::vars()"),
    ("no allow", "src/parse/outlinks.rs", "links.allow(index);\nlet text = \"#[allow(x)]\";"),
    ("no unwrap", "src/node/mod.rs", "x.unwrap_or_default(); y.expect(\"it is there\");"),
    ("no unwrap", "src/node/mod.rs", "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }"),
    ("no unwrap", "tests/it/main.rs", "x.unwrap();"),
    ("no unsafe", "src/node/mod.rs", "let text = r#\"unsafe \"quoted\" text\"#; let c = '\"'; // unsafe"),
    ("purpose", "src/node/mod.rs", "//! What a node does.\n"),
    ("short functions", "src/node/mod.rs", "fn f() {\n    x();\n}\n"),
    ("names", "src/node/mod.rs", "pub struct Lease;\nuse std::task::Context;"),
    ("statements", "src/store/sqlite/sql/x.sql", "-- The first row and no other.\nSELECT 1"),
];

fn broken(law: &str, path: &str, text: &str) -> Vec<String> {
    let law = LAWS.iter().find(|one| one.name == law).unwrap_or_else(|| panic!("no law is called {law}"));
    law.broken_by(&Source::new(path, text.to_owned()))
}

#[test]
fn every_law_can_be_broken_and_says_what_to_do() {
    for (law, path, text) in bad() {
        let found = broken(law, path, &text);
        assert!(!found.is_empty(), "{law} is not broken by {text:.200} in {path}");
        assert!(found[0].starts_with(&format!("{path}:")) && found[0].contains(": "), "{found:?}");
    }
    let proved: Vec<_> = bad().into_iter().map(|(law, ..)| law).collect();
    for law in LAWS {
        assert!(proved.contains(&law.name), "no snippet breaks the law {:?}: write one", law.name);
    }
}

#[test]
fn what_looks_like_a_breach_and_is_none_passes() {
    for (law, path, text) in GOOD {
        assert_eq!(broken(law, path, text), Vec::<String>::new(), "{law}: {text}");
    }
}

#[test]
fn paths_are_read_through_braces_and_lines() {
    let code = "use crate::{\n    crawl::{self, url::{UrlKey, canonical}},\n    store::Store as S,\n};\ncrate::clock::now()";
    let found: Vec<_> = paths(code).into_iter().map(|(line, path)| format!("{line} {path}")).collect();
    let expected = ["1 crawl::self", "1 crawl::url::UrlKey", "1 crawl::url::canonical", "1 store::Store"];
    assert_eq!(found[..4], expected);
    assert_eq!(found.last().unwrap(), "5 clock::now");
}

#[test]
fn the_table_of_imports_has_no_circle() {
    // Whoever may name another may not be named by it; the command line and the roots name all.
    for (module, known) in MODULES {
        for other in known.iter().filter(|other| **other != "*") {
            let (_, back) = MODULES.iter().find(|(name, _)| name == other).expect("a module of the table");
            assert!(!back.contains(module), "{module} and {other} name each other");
        }
    }
}
