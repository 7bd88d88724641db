//! Which module may know which: every path of the crate that a file names, held against one table.

use super::source::{Source, line_at, places};

/// Each module with those it may name beside itself; `*` is all.
pub(super) const MODULES: &[(&str, &[&str])] = &[
    ("crawl", &[]),
    ("clock", &["crawl"]),
    ("frontier", &["crawl", "clock"]),
    ("fetch", &["crawl", "clock"]),
    ("parse", &["crawl"]),
    ("store", &["crawl"]),
    ("scheduler", &["crawl", "clock", "frontier", "store"]),
    ("node", &["crawl", "clock", "fetch", "frontier", "parse"]),
    ("storage", &["crawl", "clock", "frontier", "store"]),
    // A value is checked by the parser of the part it is for: time limits by `fetch`, selectors by `parse`.
    ("settings", &["crawl", "fetch", "parse"]),
    ("telemetry", &["crawl", "clock", "settings"]),
    ("testweb", &[]),
    (
        "wiring",
        &[
            "crawl",
            "clock",
            "frontier",
            "fetch",
            "parse",
            "store",
            "scheduler",
            "node",
            "storage",
            "settings",
        ],
    ),
    ("cli", &["*"]),
    ("lib", &["*"]),
    ("main", &["*"]),
];

/// What only wiring and the command line may name.
pub(super) const BACKENDS: &[&str] =
    &["frontier::memory", "frontier::redis", "store::sqlite", "store::postgres", "fetch::http"];

/// Every path that begins at the root of the crate, braces expanded, with its line: `store::sqlite::SqliteStore`.
pub(super) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate::", "huntsman::"] {
        for at in places(code, root) {
            let mut ends = Vec::new();
            expand(&code[at + root.len()..], "", &mut ends);
            found.extend(ends.into_iter().map(|path| (line_at(code, at), path)));
        }
    }
    found
}

/// Reads one path, or a list of them in braces; answers with how far it read.
fn expand(text: &str, before: &str, found: &mut Vec<String>) -> usize {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || "_:*".contains(*c)).collect();
    let path = format!("{before}{name}");
    let mut at = name.len();
    if !text[at..].starts_with('{') {
        found.push(path.trim_end_matches("::").to_owned());
        return at;
    }
    at += 1;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        match text[at..].chars().next() {
            Some('}') => return at + 1,
            Some(',') => at += 1,
            Some(c) if c.is_alphanumeric() || "_*".contains(c) => at += expand(&text[at..], &path, found),
            // `as name` has been read as a name of its own: harmless. Anything else ends the list.
            _ => return at,
        }
    }
}

/// Names of modules that the file may not know.
pub(super) fn strangers(source: &Source) -> Vec<(usize, String)> {
    let Some(module) = source.module() else { return Vec::new() };
    let known = MODULES.iter().find(|(name, _)| *name == module).map(|(_, known)| *known);
    let Some(known) = known else {
        return vec![(
            1,
            format!("the module `{module}` has no rule: give it one in tests/it/architecture/imports.rs"),
        )];
    };
    let may = |name: &str| known.contains(&"*") || name == module || known.contains(&name);
    let mut found: Vec<(usize, String)> = paths(&source.product)
        .into_iter()
        .filter(|(_, path)| {
            let first = path.split("::").next().unwrap_or_default();
            MODULES.iter().any(|(name, _)| *name == first) && !may(first)
        })
        .map(|(line, path)| (line, format!("`{module}` names `{path}`")))
        .collect();
    found.extend(climbs(source));
    found
}

/// Paths that climb to the root of the crate with `super`, where no rule would see what they name.
fn climbs(source: &Source) -> Vec<(usize, String)> {
    let below = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = below.split('/').count();
    let climb = "super::".repeat(depth);
    let is_root = depth == 1 && ["lib", "main"].contains(&below);
    places(&source.product, &climb)
        .filter(|_| !is_root)
        .map(|at| {
            (line_at(&source.product, at), format!("`{climb}` is the root of the crate: write `crate::`"))
        })
        .collect()
}

/// Backends named where only ports may be.
pub(super) fn backends(source: &Source) -> Vec<(usize, String)> {
    let Some(module) = source.module() else { return Vec::new() };
    if ["wiring", "cli"].contains(&module) {
        return Vec::new();
    }
    paths(&source.product)
        .into_iter()
        .filter(|(_, path)| {
            let backend = BACKENDS.iter().find(|backend| {
                path.strip_prefix(**backend).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            backend.is_some_and(|backend| !backend.starts_with(&format!("{module}::")))
        })
        .map(|(line, path)| (line, format!("`{module}` names the backend `{path}`")))
        .collect()
}
