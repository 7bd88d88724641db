//! The laws of the house, read from the source text: what may know what, and what may not be written. ARCHITECTURE.md
//! gives the reasons. Each law says what to do, and is shown to fail on a small bad snippet.

mod imports;
mod laws;
mod proofs;
mod source;

use laws::LAWS;
use source::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the project is.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of ours below `folder` with this ending, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(root().join(path)).unwrap();
    Source::new(&path.to_string_lossy(), text)
}

#[test]
fn the_laws_of_the_house_hold() {
    let paths: Vec<PathBuf> =
        ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs")).collect();
    assert!(paths.len() > 100, "the sources are found: {}", paths.len());
    let statements: Vec<PathBuf> =
        ["src", "migrations"].into_iter().flat_map(|folder| files(folder, ".sql")).collect();
    assert!(statements.len() > 15, "the statements are found: {}", statements.len());
    let mut broken = Vec::new();
    for source in paths.iter().chain(&statements).map(|path| read(path)) {
        for law in LAWS {
            broken.extend(law.broken_by(&source));
        }
    }
    assert!(broken.is_empty(), "{} laws are broken:\n{}", broken.len(), broken.join("\n"));
}

/// What the compiler and clippy are told to hold; without these lines the laws above would be half of it.
#[test]
fn the_lints_are_on() {
    let cargo: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let lints = &cargo["lints"];
    let level = |group: &str, name: &str| {
        let lint = &lints[group][name];
        lint.as_str().or_else(|| lint["level"].as_str()).unwrap().to_owned()
    };
    assert_eq!(level("rust", "unsafe_code"), "forbid");
    for (group, name) in [
        ("rust", "missing_docs"),
        ("clippy", "pedantic"),
        ("clippy", "unwrap_used"),
        ("clippy", "allow_attributes"),
        ("clippy", "disallowed_methods"),
    ] {
        assert_ne!(level(group, name), "allow", "[lints.{group}] {name} in Cargo.toml must be on");
    }
    let clippy: toml::Table = fs::read_to_string(root().join("clippy.toml")).unwrap().parse().unwrap();
    let banned: Vec<&str> = clippy["disallowed-methods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| method["path"].as_str().unwrap())
        .collect();
    for method in [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "tokio::time::Instant::now",
        "std::env::var",
        "std::env::vars",
        "std::env::var_os",
    ] {
        assert!(banned.contains(&method), "clippy.toml must ban {method}");
    }
}

/// The code map of ARCHITECTURE.md and of the crate name the modules there are.
#[test]
fn the_maps_name_every_module() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let modules: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() > 10, "{modules:?}");
    for module in modules {
        assert!(library.contains(&format!("| [`{module}`] |")), "src/lib.rs does not map {module}");
        let named = [format!("`src/{module}/`"), format!("`src/{module}.rs`")];
        assert!(
            named.iter().any(|name| architecture.contains(name)),
            "ARCHITECTURE.md does not map {module}"
        );
        assert!(imports::MODULES.iter().any(|(name, _)| *name == module), "no import rule for {module}");
    }
}
