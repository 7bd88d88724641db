//! A short form for the text of URLs, which are ASCII and of a hundred common pieces: a byte from 128 up stands for one of those.
//! It takes a third off most paths, and millions of them are queued.

use std::sync::LazyLock;

/// What the bytes 128 to 255 stand for. A change is another format: no two processes of an installation may differ.
#[rustfmt::skip]
const PIECES: [&str; 128] = [
    ".html", ".htm", ".php", ".aspx", "index", "/20", "?page=", "?id=", "article", "/article", "/news",
    "/blog", "/category/", "/product", "/wiki/", "/docs", "/en/", "/de/", "%20", "%D0%", "%E", "ing",
    "tion", "ment", "-the-", "-and-", "-of-", "-to-", "-in-", "-for-", "-a-", "-with-", "ver", "ter", "ent",
    "est", "ate", "ive", "section", "title", "page", "view", "list", "search", "user", "post", "image",
    "th", "he", "in", "er", "re", "an", "on", "at", "en", "nd", "ti", "es", "or", "te", "ed", "is", "it",
    "al", "ar", "st", "nt", "ng", "se", "ha", "as", "ou", "io", "le", "ve", "co", "me", "de", "hi", "ri",
    "ro", "ic", "ne", "ea", "ra", "ce", "li", "ch", "ll", "be", "ma", "si", "om", "ur", "el", "la", "ta",
    "un", "ca", "di", "ol", "il", "us", "tr", "pe", "lo", "sh", "ec", "00", "01", "10", "20", "12", "000",
    "-s", "s-", "e-", "d-", "t-", "n-", "y-", "s/", "e/", "/a", "/s", "/c", "/p",
];

/// A piece and the byte that stands for it.
type Piece = (&'static [u8], u8);

/// By the first byte: the pieces that begin with it, the longest first, each with the byte that stands for it.
static BY_FIRST: LazyLock<[Vec<Piece>; 128]> = LazyLock::new(|| {
    let mut by_first = [const { Vec::new() }; 128];
    for (piece, byte) in PIECES.iter().zip(128..=255) {
        by_first[usize::from(piece.as_bytes()[0])].push((piece.as_bytes(), byte));
    }
    for pieces in &mut by_first {
        pieces.sort_by_key(|(piece, _)| std::cmp::Reverse(piece.len()));
    }
    by_first
});

/// Appends the short form, always the same for the same text; false, and nothing, where the text is not ASCII.
pub(super) fn shorten(text: &str, to: &mut Vec<u8>) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let by_first = &*BY_FIRST;
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let piece = by_first[usize::from(*first)].iter().find(|(piece, _)| rest.starts_with(piece));
        let (byte, length) = piece.map_or((*first, 1), |(piece, byte)| (*byte, piece.len()));
        to.push(byte);
        rest = if length == 1 { tail } else { &rest[length..] };
    }
    true
}

/// The text of a short form.
pub(super) fn lengthen(short: &[u8]) -> String {
    let mut text = String::with_capacity(2 * short.len());
    for byte in short {
        match byte.checked_sub(128) {
            Some(number) => text.push_str(PIECES[usize::from(number)]),
            None => text.push(char::from(*byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn pieces_are_short_plain_and_different() {
        let all: HashSet<&str> = PIECES.into_iter().collect();
        assert_eq!(all.len(), 128);
        assert!(all.iter().all(|piece| piece.is_ascii() && (2..=10).contains(&piece.len())));
    }

    #[test]
    fn a_third_goes_off_the_paths_of_real_pages() {
        let (mut long, mut short) = (0, Vec::new());
        for path in [
            "/wiki/List_of_cities_in_Germany_by_population",
            "/wiki/Quantum_mechanics",
            "/2024/05/17/world/europe/ukraine-war-kharkiv-offensive.html",
            "/news/technology-68829302",
            "/questions/11227809/why-is-processing-a-sorted-array-faster-than-processing-an-unsorted-array",
            "/std/collections/hash_map/struct.HashMap.html",
            "/core/arch/x86_64/fn._mm512_maskz_cvtepi32_epi8.html",
            "/products/mens-running-shoes-blue-size-10?variant=40123456789",
        ] {
            long += path.len();
            assert!(shorten(path, &mut short));
        }
        assert!(short.len() * 10 < long * 7, "{} of {long} bytes", short.len());
    }

    proptest! {
        #[test]
        fn what_is_shortened_reads_as_before(text in "[ -~]{0,80}|(the|tion|/20|[a-z/%0-9-]){0,40}") {
            let mut short = Vec::new();
            prop_assert!(shorten(&text, &mut short));
            prop_assert!(short.len() <= text.len());
            prop_assert_eq!(lengthen(&short), text);
        }
    }

    #[test]
    fn other_text_has_no_short_form() {
        let mut short = Vec::new();
        assert!(!shorten("/\u{e9}", &mut short));
        assert!(short.is_empty());
    }
}
