//! The list of cases, held against the tests, and the notes of what was seen.

use std::path::{Path, PathBuf};

const LIST: &str = include_str!("cases.txt");

/// A case of the list.
struct Case {
    id: &'static str,
    what: &'static str,
    test: &'static str,
    is_written: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    let lines = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [id, what, name] = parts[..] else { panic!("not `id | what | test`: {line}") };
        let test = name.trim_start_matches('~');
        Case { id, what, test, is_written: test == name }
    })
}

/// Where the notes are: `tests/tools/hostile` reads them.
fn notes() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile")
}

/// Notes that the test of this case has seen the right handling, and what that was.
pub(crate) fn shown(id: &str, seen: &str) {
    let case = cases().find(|case| case.id == id).expect("the case is in the list");
    let line = format!("{id:<4} {}: {seen}", case.what);
    std::fs::create_dir_all(notes()).unwrap();
    std::fs::write(notes().join(id), line + "\n").unwrap();
}

/// The list and the tests are the same: no case is forgotten, and none is claimed.
#[test]
fn every_hostile_case_has_its_test() {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"), &mut sources);
    let mut all = String::new();
    let mut ids = Vec::new();
    for Case { id, what, test, is_written } in cases() {
        assert!(!ids.contains(&id), "{id} stands in the list twice");
        ids.push(id);
        all.extend([id, " ", what, "\n"]);
        let head = format!("fn {test}() {{");
        let source = sources.iter().find(|source| source.contains(&head));
        if !is_written {
            assert!(source.is_none(), "{test} is written: take the ~ from the list");
            continue;
        }
        let source = source.unwrap_or_else(|| panic!("{id}: there is no test {test}"));
        let before = &source[..source.find(&head).unwrap()];
        let comment = before.rsplit("\n\n").next().unwrap();
        assert!(comment.contains("test]") || comment.contains("::test("), "{test} is no test");
        assert!(comment.contains(&format!("/// {id}:")), "{test} does not say that it is about {id}");
        let notes_it = format!("shown(\"{id}\",");
        let without_spaces: String = source.split_whitespace().collect();
        assert!(without_spaces.contains(&notes_it), "{test} does not note what it has seen of {id}");
    }
    std::fs::create_dir_all(notes()).unwrap();
    std::fs::write(notes().join("all"), all).unwrap();
}

/// The sources under `folder`.
fn read(folder: &Path, sources: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, sources);
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.push(std::fs::read_to_string(path).unwrap());
        }
    }
}
