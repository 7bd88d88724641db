//! Paths that no site means: a part that repeats itself, and more segments than anybody reads.
//!
//! The work of a page with a relative link that should have been absolute: each level links to one deeper. Segments are
//! compared, at most [`MAX_SEGMENTS`] of them, so that no path takes long; a pattern with a back reference would.

use super::Rule;
use std::fmt;

/// Segments of a path that is followed.
pub const MAX_SEGMENTS: usize = 20;
/// How often a segment, or a group of them, may stand in a row.
const MAX_IN_A_ROW: usize = 2;
/// How often one segment may stand anywhere in a path.
const MAX_ANYWHERE: usize = 3;

/// Why a path is taken for endless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathTrap<'p> {
    /// More segments than [`MAX_SEGMENTS`].
    Deep,
    /// This part stands more than twice in a row, or more than three times in all.
    Repeated(&'p str),
}

impl PathTrap<'_> {
    /// The rule that it is parked by.
    pub fn rule(self) -> Rule {
        match self {
            Self::Deep => Rule::DeepPath,
            Self::Repeated(_) => Rule::RepeatedPath,
        }
    }
}

impl fmt::Display for PathTrap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deep => write!(f, "its path has more than {MAX_SEGMENTS} segments"),
            Self::Repeated(part) => write!(f, "{part:?} stands more than {MAX_IN_A_ROW} times in its path"),
        }
    }
}

/// What is wrong with a path that begins with a slash. Numbers may repeat: dates and tiles of maps do.
pub fn path_trap(path: &str) -> Option<PathTrap<'_>> {
    let slashes = path.bytes().filter(|byte| *byte == b'/').count();
    if slashes <= MAX_IN_A_ROW {
        return None;
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    // A slash at the end closes the last segment and opens none.
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = [""; MAX_SEGMENTS];
    let (mut count, mut start) = (0, 0);
    for end in memchr::memchr_iter(b'/', path.as_bytes()).chain([path.len()]) {
        if count == MAX_SEGMENTS {
            return Some(PathTrap::Deep);
        }
        segments[count] = &path[start..end];
        (count, start) = (count + 1, end + 1);
    }
    let segments = &segments[..count];
    row(path, segments).or_else(|| anywhere(segments)).map(PathTrap::Repeated)
}

/// A group of segments that stands too often in a row.
fn row<'p>(path: &'p str, segments: &[&'p str]) -> Option<&'p str> {
    for size in 1..=segments.len() / (MAX_IN_A_ROW + 1) {
        // Segments in a row that equal the one a group before them.
        let mut equal = 0;
        for at in size..segments.len() {
            equal = if segments[at] == segments[at - size] { equal + 1 } else { 0 };
            let group = &segments[at + 1 - size..=at];
            if equal == MAX_IN_A_ROW * size && group.iter().any(|segment| !is_number(segment)) {
                return Some(within(path, group));
            }
        }
    }
    None
}

/// A segment that stands too often in all.
fn anywhere<'p>(segments: &[&'p str]) -> Option<&'p str> {
    let often = |segment: &&&str| {
        segments.iter().filter(|other| other == segment).count() > MAX_ANYWHERE && !is_number(segment)
    };
    if segments.len() <= MAX_ANYWHERE { None } else { segments.iter().find(often).copied() }
}

/// The text of a group, which stands in one piece in `path`.
fn within<'p>(path: &'p str, group: &[&'p str]) -> &'p str {
    let start = group[0].as_ptr() as usize - path.as_ptr() as usize;
    let length = group.iter().map(|segment| segment.len() + 1).sum::<usize>() - 1;
    &path[start..start + length]
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(path: &str) -> Option<Rule> {
        path_trap(path).map(PathTrap::rule)
    }

    #[test]
    fn a_part_that_stands_more_than_twice_in_a_row_is_a_trap() {
        for path in
            ["/a/a/a", "/a/a/a/", "/x/a/b/a/b/a/b/index.html", "/p/q/r/s/p/q/r/s/p/q/r/s", "/a/1/a/1/a/1/"]
        {
            assert_eq!(rule(path), Some(Rule::RepeatedPath), "{path}");
        }
        assert_eq!(path_trap("/x/a/b/a/b/a/b/c"), Some(PathTrap::Repeated("a/b")));
        assert_eq!(path_trap("/a/x/a/y/a/z/a"), Some(PathTrap::Repeated("a")));
    }

    #[test]
    fn paths_of_real_sites_are_none() {
        for path in [
            "/",
            "/a/a",
            "/a/a/",
            "/en/docs/en/index.html",
            "/org/apache/org/apache/x/org",
            "/2026/11/11/11",
            "/tiles/0/0/0/0/0.png",
            "/web/20200101/http://h/x",
            "/src/main/java/com/example/app/main/ui/view/Main.java",
        ] {
            assert_eq!(rule(path), None, "{path}");
        }
        let deep = |segments: usize| {
            format!("/{}", (0..segments).map(|n| n.to_string()).collect::<Vec<_>>().join("/"))
        };
        assert_eq!(rule(&deep(MAX_SEGMENTS)), None);
        assert_eq!(rule(&format!("{}/", deep(MAX_SEGMENTS))), None);
        assert_eq!(rule(&deep(MAX_SEGMENTS + 1)), Some(Rule::DeepPath));
        assert_eq!(rule(&"/".repeat(2_000)), Some(Rule::DeepPath));
    }

    proptest! {
        #[test]
        fn what_repeats_is_found_wherever_it_stands(
            before in "(/[a-d]{1,2}){0,4}", part in "(/[p-z]{1,3}){1,4}", times in 3_usize..5, after in "(/[e-h]){0,1}",
        ) {
            let path = format!("{before}{}{after}", part.repeat(times));
            prop_assert!(path_trap(&path).is_some(), "{path}");
        }

        #[test]
        fn a_path_of_distinct_segments_is_none(segments in proptest::collection::hash_set("[a-z]{1,5}", 0..=MAX_SEGMENTS)) {
            let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
            prop_assert_eq!(path_trap(&path), None);
        }

        #[test]
        fn any_text_is_judged(path in "/[ -~é/]{0,80}") {
            if let Some(PathTrap::Repeated(part)) = path_trap(&path) {
                prop_assert!(path.contains(part));
            }
        }
    }
}
