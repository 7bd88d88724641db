//! Paths and patterns in one normal form.
//!
//! RFC 9309 section 2.2.2 wants both sides percent-encoded before they are compared. The normal form here is the
//! same equivalence, written the short way round:
//!
//! - an encoded unreserved octet is decoded, and so is an encoded reserved one that has no structural meaning
//!   (`: [ ] @ ! $ ' ( ) * , ;`);
//! - an encoded `/ ? # & = + %` stays encoded, everything that is not URL text is or becomes it, in upper case;
//! - a percent sign without two hex digits stays as it is, so that `/*%` matches whatever is encoded.
//!
//! In a query an encoded `/` or `?` has no structural meaning either, and the RFC's table has
//! `?baz=https://foo.bar` equal `?baz=https%3A%2F%2Ffoo.bar`. A pattern cannot always know whether it stands in the
//! query (`/*=%2Fa`), so both readings exist ([`Slash`]), and either may match.

use std::borrow::Cow;

/// Stands for `*` in the normal form of a pattern; a NUL octet itself is always percent-encoded.
pub(super) const WILD: u8 = 0;

/// How an encoded `/` or `?` behind a question mark is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slash {
    /// As itself: different from the bare octet.
    Encoded,
    /// As the bare octet.
    Decoded,
}

/// The path and query of a URL in both readings; the second only where it differs.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) encoded: Cow<'a, [u8]>,
    pub(super) decoded: Option<Vec<u8>>,
}

impl<'a> Target<'a> {
    /// The target for `path`, a path with its query. Allocates only where something is percent-encoded.
    pub(super) fn of(path: &'a str) -> Self {
        let octets = path.as_bytes();
        if octets.iter().all(|&octet| is_url_text(octet)) {
            return Self { encoded: Cow::Borrowed(octets), decoded: None };
        }
        let encoded = normalise(octets, false, Slash::Encoded);
        let decoded = Some(normalise(octets, false, Slash::Decoded)).filter(|other| *other != encoded);
        Self { encoded: Cow::Owned(encoded), decoded }
    }
}

/// The pattern of one rule.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    encoded: Glob,
    decoded: Option<Box<Glob>>,
    octets: usize,
}

impl Pattern {
    /// The pattern of a value as it stands behind `Allow:` or `Disallow:`; `None` where it is empty.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        if value.is_empty() {
            return None;
        }
        let slashed;
        let value = if matches!(value[0], b'/' | b'*') {
            value
        } else {
            slashed = [b"/", value].concat();
            &slashed
        };
        let encoded = Glob::of(value, Slash::Encoded);
        let decoded = if value.contains(&b'%') {
            Some(Box::new(Glob::of(value, Slash::Decoded))).filter(|other| other.octets != encoded.octets)
        } else {
            None
        };
        let octets = encoded.octets.len() + usize::from(encoded.anchored);
        Some(Self { encoded, decoded, octets })
    }

    /// How specific the pattern is: its octets in normal form, `*` and `$` among them.
    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// Whether both patterns match the same paths by being the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.encoded == other.encoded && self.decoded == other.decoded
    }

    /// The pattern in a reading.
    pub(super) fn glob(&self, slash: Slash) -> &Glob {
        match slash {
            Slash::Encoded => &self.encoded,
            Slash::Decoded => self.decoded.as_deref().unwrap_or(&self.encoded),
        }
    }

    /// Whether its readings differ.
    pub(super) fn has_two_readings(&self) -> bool {
        self.decoded.is_some()
    }
}

/// Literal octets with wildcards between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// In normal form, with [`WILD`] for a wildcard.
    pub(super) octets: Box<[u8]>,
    /// Length of the literal before the first wildcard.
    pub(super) head: usize,
    /// Whether the path ends with the pattern.
    pub(super) anchored: bool,
}

impl Glob {
    fn of(value: &[u8], slash: Slash) -> Self {
        let (value, anchored) = match value.strip_suffix(b"$") {
            Some(value) => (value, true),
            None => (value, false),
        };
        let octets = normalise(value, true, slash).into_boxed_slice();
        let head = memchr::memchr(WILD, &octets).unwrap_or(octets.len());
        Self { octets, head, anchored }
    }
}

fn normalise(input: &[u8], wildcards: bool, slash: Slash) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() + 8);
    let mut in_query = false;
    let mut at = 0;
    while let Some(&octet) = input.get(at) {
        at += 1;
        match octet {
            b'%' => match hex_pair(input.get(at..at + 2)) {
                Some(encoded) => {
                    at += 2;
                    let bare = in_query && slash == Slash::Decoded && matches!(encoded, b'/' | b'?');
                    if bare || is_without_structure(encoded) {
                        out.push(encoded);
                    } else {
                        push_encoded(&mut out, encoded);
                    }
                }
                None => out.push(b'%'),
            },
            b'*' if wildcards => out.push(WILD),
            _ if is_url_text(octet) => {
                in_query |= octet == b'?';
                out.push(octet);
            }
            _ => push_encoded(&mut out, octet),
        }
    }
    out
}

/// RFC 3986: unreserved, and those of the reserved whose encoded form means the same.
fn is_without_structure(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'.' | b'_' | b'~')
        || matches!(octet, b':' | b'[' | b']' | b'@' | b'!' | b'$' | b'\'' | b'(' | b')' | b'*' | b',' | b';')
}

/// RFC 3986: unreserved or reserved. A bare percent sign is not among them.
fn is_url_text(octet: u8) -> bool {
    is_without_structure(octet) || matches!(octet, b'/' | b'?' | b'#' | b'&' | b'=' | b'+')
}

fn hex_pair(digits: Option<&[u8]>) -> Option<u8> {
    let &[high, low] = digits? else { return None };
    let value = char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?;
    u8::try_from(value).ok()
}

fn push_encoded(out: &mut Vec<u8>, octet: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([b'%', HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]]);
}

#[cfg(test)]
mod tests {
    use super::super::index::{Index, MAX_STEPS};
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_normal_form_of_a_normal_form_is_itself(input in "(%[0-9a-fA-F]{2}|%[z/]|[a-f0-9/?&=*$,é \u{1}]){0,20}") {
            for slash in [Slash::Encoded, Slash::Decoded] {
                let once = normalise(input.as_bytes(), false, slash);
                proptest::prop_assert_eq!(&normalise(&once, false, slash), &once);
            }
        }

        #[test]
        fn a_glob_matches_as_the_obvious_recursion_does(glob in "/[ab*$]{0,8}", path in "/[ab$]{0,10}") {
            fn obvious(glob: &[u8], path: &[u8]) -> bool {
                match (glob, path) {
                    ([], _) | ([b'$'], []) => true,
                    ([b'$'], _) => false,
                    ([b'*', rest @ ..], _) => {
                        obvious(rest, path) || (!path.is_empty() && obvious(glob, &path[1..]))
                    }
                    ([a, glob @ ..], [b, path @ ..]) => a == b && obvious(glob, path),
                    (_, []) => false,
                }
            }
            let pattern = Pattern::of(glob.as_bytes()).unwrap();
            let index = Index::new(std::iter::once(pattern.glob(Slash::Encoded)));
            let found = index.best(&Target::of(&path).encoded, u32::MAX, &mut { MAX_STEPS });
            proptest::prop_assert_eq!(found, Ok(obvious(glob.as_bytes(), path.as_bytes()).then_some(0)));
        }

        #[test]
        fn of_many_patterns_the_first_that_matches_is_found(
            globs in proptest::collection::vec("/[ab*]{0,4}[$]?", 1..60),
            path in "/[ab]{0,9}",
        ) {
            let patterns: Vec<Pattern> = globs.iter().map(|glob| Pattern::of(glob.as_bytes()).unwrap()).collect();
            let target = Target::of(&path);
            let best = |patterns: &[Pattern]| {
                let index = Index::new(patterns.iter().map(|one| one.glob(Slash::Encoded)));
                index.best(&target.encoded, u32::MAX, &mut { MAX_STEPS }).unwrap()
            };
            let first = patterns.iter().position(|one| best(std::slice::from_ref(one)).is_some());
            proptest::prop_assert_eq!(best(&patterns), first.map(|at| at as u32));
        }
    }
}
